"""What is special to Bitfinex."""

import pytest

from price.errors import RateLimited, Refused, Unreadable
from price.sources import SOURCES
from tests.sources.answers import pair, refusal, said, sent


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


def test_it_is_asked_at_most_twenty_four_times_a_minute() -> None:
    assert 60 / SOURCES["bitfinex"].gap_seconds <= 24


def test_a_row_of_funding_is_never_taken_for_a_price() -> None:
    answer = said('[["fUSD",1,1,1,1,1,1,98765.4],["fBTCUSD",1,1,1,1,1,1,98765.4]]')

    assert type(refusal("bitfinex", "BTC-USD", answer)) is Refused


@pytest.mark.parametrize(
    "row", ['["tBTCUSD",1,2]', '["tBTCUSD",1,1,1,1,1,1,null]', '["tBTCUSD",1,1,1,1,1,1,[5]]']
)
def test_a_row_without_a_last_price_is_unreadable(row: str) -> None:
    assert type(refusal("bitfinex", "BTC-USD", said(f"[{row}]"))) is Unreadable


def test_an_array_about_the_rate_limit_is_believed_whatever_the_status() -> None:
    for status in (200, 429, 500):
        assert (
            type(refusal("bitfinex", "BTC-USD", sent("bitfinex/limited_by_code.json", status))) is RateLimited
        )
