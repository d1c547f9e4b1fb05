"""What is special to Binance."""

import pytest

from price.model import Pair
from price.plan import plan
from price.sources import SOURCES
from tests.sources.answers import pair, pairs, said, tick

MANY = [Pair(f"AB{number}", "USDT") for number in range(19)]


def test_up_to_twenty_pairs_are_one_request_with_times() -> None:
    (two,) = SOURCES["binance"].requests(pairs("BTC-USDT ETH-USDT"))
    (twenty,) = SOURCES["binance"].requests([pair("BTC-USDT"), *MANY])

    assert two.path == "/api/v3/ticker/24hr?symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D"
    assert two.weight == twenty.weight == 2
    assert twenty.path.startswith("/api/v3/ticker/24hr?")


def test_more_pairs_are_more_such_requests_so_that_each_price_keeps_its_age() -> None:
    asked = [*pairs("BTC-USDT ETH-USDT"), *MANY]

    first, second = SOURCES["binance"].requests(asked)

    assert [len(first.pairs), len(second.pairs)] == [20, 1]
    assert [*first.pairs, *second.pairs] == asked
    assert first.weight == second.weight == 2
    assert second.path == "/api/v3/ticker/24hr?symbols=%5B%22AB18USDT%22%5D"


def test_the_plan_counts_the_weight_of_each_request() -> None:
    asked = [Pair(f"AB{number}", "USDT") for number in range(41)]

    assert plan(SOURCES["binance"], "", asked, 5).per_minute == 72


@pytest.mark.parametrize(
    "odd", ["null", "5", '"BTCUSDT"', "[]", "{}", '{"symbol":["BTCUSDT"]}', '{"symbol":null}']
)
def test_an_odd_row_among_the_others_costs_nothing(odd: str) -> None:
    row = '{"symbol":"BTCUSDT","lastPrice":"5","closeTime":1760000041123}'

    assert tick("binance", "BTC-USDT", said(f"[{odd},{row},{odd}]")).price == 5
