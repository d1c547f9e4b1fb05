"""What is special to Bitstamp."""

from datetime import UTC, datetime

import pytest

from price.errors import Refused, UnknownPair, Unreadable
from price.sources import CANDLE_SOURCES
from tests.sources.answers import START, pair, refusal, said, sent, tick


def test_a_single_answer_does_not_name_its_pair() -> None:
    found = tick("bitstamp", "BTC-USD", sent("bitstamp/single.json"))

    assert (str(found.price), found.time) == ("61235", datetime(2025, 10, 9, 8, 54, 1, tzinfo=UTC))


def test_an_answer_about_one_pair_is_no_answer_about_several() -> None:
    assert type(refusal("bitstamp", "BTC-USD ETH-USD XRP-USD", sent("bitstamp/single.json"))) is Unreadable


def test_a_perpetual_future_is_not_taken_for_the_pair() -> None:
    answer = said('[{"pair":"BTC/USD-PERP","last":"61777","timestamp":"1760000041"}]')

    assert type(refusal("bitstamp", "BTC-USD ETH-USD XRP-USD", answer)) is Refused


@pytest.mark.parametrize("file", ["bitstamp/unknown.html", "bitstamp/unknown.json"])
def test_the_page_of_a_pair_that_is_not_there_says_that_it_is_unknown(file: str) -> None:
    assert type(refusal("bitstamp", "ABC-USD", sent(file, 404))) is UnknownPair


def test_a_list_that_is_not_there_says_nothing_about_pairs() -> None:
    assert type(refusal("bitstamp", "BTC-USD ETH-USD XRP-USD", sent("bitstamp/unknown.html", 404))) is Refused


def test_a_row_that_stands_twice_with_two_prices_is_unreadable() -> None:
    rows = ",".join(f'{{"pair":"BTC/USD","last":"{last}","timestamp":"1760000041"}}' for last in (5, 5, 6))

    assert type(refusal("bitstamp", "BTC-USD ETH-USD XRP-USD", said(f"[{rows}]"))) is Unreadable
    assert tick("bitstamp", "BTC-USD", said(f"[{rows[: rows.rindex(',{')]}]")).price == 5


def test_as_many_candles_are_asked_for_as_the_range_holds() -> None:
    def path(minutes: int) -> str:
        end = START + 60 * minutes
        return CANDLE_SOURCES["bitstamp"].candles_request(pair("BTC-USD"), START, end).path

    assert path(3) == "/api/v2/ohlc/btcusd/?step=60&limit=3&start=1760000040&end=1760000219"
    assert path(1000).endswith("limit=1000&start=1760000040&end=1760060039")
    assert path(1).endswith("limit=1&start=1760000040&end=1760000099")
