"""What is special to Coinbase."""

from datetime import UTC, datetime

import pytest

from price.errors import Refused, Unreadable
from price.sources import CANDLE_SOURCES
from tests.sources.answers import END, START, pair, paths, refusal, said, sent, tick


def test_it_is_asked_for_each_pair_by_itself() -> None:
    assert paths("coinbase", "BTC-USD DOGE-USDT") == [
        "/products/BTC-USD/ticker",
        "/products/DOGE-USDT/ticker",
    ]


@pytest.mark.parametrize("fraction", ["", ".1", ".123", ".12345678", ".123456789"])
def test_times_with_any_number_of_fraction_digits_are_read(fraction: str) -> None:
    found = tick("coinbase", "BTC-USD", said(f'{{"price":"1","time":"2026-05-04T10:11:12{fraction}Z"}}'))

    micro = int(fraction[1:7].ljust(6, "0"))
    assert found.time == datetime(2026, 5, 4, 10, 11, 12, micro, UTC)


@pytest.mark.parametrize("time", ["", ',"time":null', ',"time":1760000041', ',"time":"soon"', ',"time":""'])
def test_a_price_without_its_promised_time_is_unreadable(time: str) -> None:
    assert type(refusal("coinbase", "BTC-USD", said(f'{{"price":"1"{time}}}'))) is Unreadable


def test_only_its_own_word_for_it_makes_a_pair_unknown() -> None:
    assert type(refusal("coinbase", "BTC-USD", said('{"message":"Route not found"}', 404))) is Refused
    assert type(refusal("coinbase", "BTC-USD", sent("coinbase/unknown.json", 400))) is Refused


def test_a_range_of_candles_names_its_first_and_its_last() -> None:
    asked = CANDLE_SOURCES["coinbase"].candles_request(pair("BTC-USD"), START, END)

    query = "granularity=60&start=2025-10-09T08:54:00Z&end=2025-10-09T08:56:00Z"
    assert asked.path == f"/products/BTC-USD/candles?{query}"
