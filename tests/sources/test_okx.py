"""What is special to OKX."""

import pytest

from price.errors import Refused, UnknownPair, Unreadable
from price.model import Reading
from price.sources import CANDLE_SOURCES
from tests.sources.answers import END, START, pair, paths, read, refusal, said, sent


def test_one_or_two_pairs_are_a_request_each_and_more_are_all_of_spot() -> None:
    asked = [f"/api/v5/market/ticker?instId={name}" for name in ("BTC-USDT", "ETH-USDT")]

    assert paths("okx", "BTC-USDT ETH-USDT") == asked
    assert paths("okx", "BTC-USDT ETH-USDT SOL-USDT") == ["/api/v5/market/tickers?instType=SPOT"]


@pytest.mark.parametrize("code", ['"0"', "0"])
def test_the_code_of_a_good_answer_may_be_a_text_or_a_number(code: str) -> None:
    row = '{"instId":"BTC-USDT","last":"5","ts":"1760000041123"}'

    found = read("okx", "BTC-USDT", said(f'{{"code":{code},"data":[{row}]}}'))

    assert isinstance(found["BTC-USDT"], Reading)


def test_the_code_of_an_error_may_be_a_number() -> None:
    answer = said('{"code":51001,"data":[],"msg":"Instrument ID does not exist"}')

    assert type(refusal("okx", "BTC-USDT", answer)) is UnknownPair


def test_an_instrument_that_is_only_left_out_is_refused_but_not_unknown() -> None:
    assert type(refusal("okx", "BTC-USD", said('{"code":"0","msg":"","data":[]}'))) is Refused


@pytest.mark.parametrize("ts", ['""', "null", '"x"', "{}"])
def test_a_price_without_its_promised_time_is_unreadable(ts: str) -> None:
    answer = said(f'{{"code":"0","data":[{{"instId":"BTC-USDT","last":"5","ts":{ts}}}]}}')

    assert type(refusal("okx", "BTC-USDT", answer)) is Unreadable


def test_candles_are_asked_for_with_both_bounds_outside_the_range() -> None:
    asked = CANDLE_SOURCES["okx"].candles_request(pair("BTC-USDT"), START, END)

    query = "instId=BTC-USDT&bar=1m&limit=100&before=1760000039999&after=1760000220000"
    assert asked.path == f"/api/v5/market/history-candles?{query}"


def test_a_candle_that_is_still_forming_is_left_out() -> None:
    candles = CANDLE_SOURCES["okx"].read_candles(pair("BTC-USDT"), START, END, sent("okx/forming.json"))

    assert [each.start for each in candles] == [START]


def test_candles_that_do_not_say_whether_they_are_closed_are_unreadable() -> None:
    answer = said('{"code":"0","data":[["1760000040000","1","1","1","1","1","1","1"]]}')

    with pytest.raises(Unreadable):
        CANDLE_SOURCES["okx"].read_candles(pair("BTC-USDT"), START, END, answer)
