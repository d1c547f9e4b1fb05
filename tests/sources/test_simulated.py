"""The exchange that is not there."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from price import times
from price.model import Pair, Reading
from price.sources import CANDLE_SOURCES, SOURCES
from price.sources.simulated import answer, price_at
from tests.sources.answers import MOMENT, START, pair, pairs

ASSETS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=20)


def test_any_pair_gets_the_price_of_the_second() -> None:
    source, asked = SOURCES["simulated"], pairs("BTC-USD ABC-XYZ")
    now = MOMENT + timedelta(seconds=4, milliseconds=700)

    (request,) = source.requests(asked)
    found = source.read(asked, answer(request, now))

    time = MOMENT + timedelta(seconds=4)
    assert found == {each: Reading("simulated", price_at(each, START + 4), time=time) for each in asked}


@pytest.mark.parametrize(
    ("asked", "about"),
    [("BTC-USD", 97000), ("ETH-USDT", 3300), ("SOL-EUR", 180), ("DOGE-USD", 0.25), ("ETH-BTC", 0.034)],
)
def test_well_known_coins_cost_about_what_they_cost(asked: str, about: float) -> None:
    for second in range(0, 4 * 10**9, 10**8 + 7):
        assert abs(float(price_at(pair(asked), second)) / about - 1) < 0.15


@given(base=ASSETS, quote=ASSETS, second=st.integers(0, 10**10))
def test_a_step_of_five_seconds_is_a_few_basis_points_at_most(base: str, quote: str, second: int) -> None:
    before, after = (price_at(Pair(base, quote), second + step) for step in (0, 5))

    assert abs(after / before - 1) < Decimal("0.0006")
    assert 5 <= len(before.as_tuple().digits) <= 8


def test_it_moves_and_pairs_move_by_themselves() -> None:
    btc, eth = (
        [price_at(pair(each), START + step) for step in range(0, 600, 5)] for each in ("BTC-USD", "ETH-USD")
    )

    assert len(set(btc)) > 100
    rises = [(b > a) == (d > c) for (a, b), (c, d) in zip(pairwise(btc), pairwise(eth), strict=True)]
    assert {True, False} == set(rises)


def test_a_price_is_the_same_for_ever_so_that_a_restart_continues_the_walk() -> None:
    assert str(price_at(pair("BTC-USD"), 1_795_000_000)) == "91700.58"


def test_candles_fit_the_prices_and_close_with_the_next_minute() -> None:
    source, btc, end = CANDLE_SOURCES["simulated"], pair("BTC-USD"), START + 180
    request = source.candles_request(btc, START, end)

    candles = source.read_candles(btc, START, end, answer(request, times.from_unix(end)))

    assert [each.start for each in candles] == [START + 60 * number for number in range(3)]
    for number, each in enumerate(candles):
        assert each.open == price_at(btc, START + 60 * number)
        assert each.close == price_at(btc, START + 60 * number + 60)
        assert each.low <= min(each.open, each.close) <= max(each.open, each.close) <= each.high


def test_a_minute_that_is_not_over_has_no_candle() -> None:
    source, btc, end = CANDLE_SOURCES["simulated"], pair("BTC-USD"), START + 180
    request = source.candles_request(btc, START, end)

    candles = source.read_candles(btc, START, end, answer(request, times.from_unix(end - 1)))

    assert len(candles) == 2
