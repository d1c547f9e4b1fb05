"""What is special to Bitfinex."""

import pytest

from price.errors import RateLimited, Refused, Unreadable
from price.sources import CANDLE_SOURCES, SOURCES
from tests.sources.answers import END, START, pair, paths, refusal, said, sent, tick


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("BTC-USD", "tBTCUSD"), ("DOGE-USD", "tDOGE:USD"), ("BTC-USDT", "tBTCUST"), ("BTC-USDC", "tBTCUDC"),
        ("USDT-USD", "tUSTUSD"), ("DOGE-USDT", "tDOGE:UST"), ("TON-USDT", "tTONUST"), ("OP-USD", "tOPUSD"),
    ],
)  # fmt: skip
def test_a_pair_has_a_colon_where_a_side_is_long_and_short_names_of_stable_coins(
    asked: str, named: str
) -> None:
    assert SOURCES["bitfinex"].symbol(pair(asked)) == named


def test_all_pairs_are_one_request() -> None:
    assert paths("bitfinex", "BTC-USD DOGE-USD") == ["/v2/tickers?symbols=tBTCUSD,tDOGE:USD"]


def test_it_is_asked_at_most_twenty_four_times_a_minute() -> None:
    assert 60 / SOURCES["bitfinex"].gap_seconds <= 24


def test_what_it_does_not_know_it_leaves_out() -> None:
    assert type(refusal("bitfinex", "ABC-USD", said("[]"))) is Refused


def test_a_row_of_funding_is_never_taken_for_a_price() -> None:
    answer = said('[["fUSD",1,1,1,1,1,1,98765.4],["fBTCUSD",1,1,1,1,1,1,98765.4]]')

    assert type(refusal("bitfinex", "BTC-USD", answer)) is Refused


@pytest.mark.parametrize(
    "row", ['["tBTCUSD",1,2]', '["tBTCUSD",1,1,1,1,1,1,null]', '["tBTCUSD",1,1,1,1,1,1,[5]]']
)
def test_a_row_without_a_last_price_is_unreadable(row: str) -> None:
    assert type(refusal("bitfinex", "BTC-USD", said(f"[{row}]"))) is Unreadable


def test_numbers_with_exponents_are_read_exactly() -> None:
    found = tick("bitfinex", "BTC-USD", said('[["tBTCUSD",1,1,1,1,1,1,8.12e-06,1,1,1]]'))

    assert f"{found.price:f}" == "0.00000812"


def test_an_array_about_the_rate_limit_is_believed_whatever_the_status() -> None:
    for status in (200, 429, 500):
        assert (
            type(refusal("bitfinex", "BTC-USD", sent("bitfinex/limited_by_code.json", status))) is RateLimited
        )


def test_candles_are_asked_for_in_milliseconds_and_in_order() -> None:
    asked = CANDLE_SOURCES["bitfinex"].candles_request(pair("DOGE-USD"), START, END)

    query = "start=1760000040000&end=1760000219999&limit=10000&sort=1"
    assert asked.path == f"/v2/candles/trade:1m:tDOGE:USD/hist?{query}"
