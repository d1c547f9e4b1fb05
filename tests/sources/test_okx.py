"""What is special to OKX."""

import pytest

from price.errors import UnknownPair, Unreadable
from price.model import Reading
from price.sources import CANDLE_SOURCES
from tests.sources.answers import END, START, pair, read, refusal, said, sent


@pytest.mark.parametrize("code", ['"0"', "0"])
def test_the_code_of_a_good_answer_may_be_a_text_or_a_number(code: str) -> None:
    row = '{"instId":"BTC-USDT","last":"5","ts":"1760000041123"}'

    found = read("okx", "BTC-USDT", said(f'{{"code":{code},"data":[{row}]}}'))

    assert isinstance(found["BTC-USDT"], Reading)


def test_the_code_of_an_error_may_be_a_number() -> None:
    answer = said('{"code":51001,"data":[],"msg":"Instrument ID does not exist"}')

    assert type(refusal("okx", "BTC-USDT", answer)) is UnknownPair


def test_a_candle_that_is_still_forming_is_left_out() -> None:
    candles = CANDLE_SOURCES["okx"].read_candles(pair("BTC-USDT"), START, END, sent("okx/forming.json"))

    assert [each.start for each in candles] == [START]


def test_candles_that_do_not_say_whether_they_are_closed_are_unreadable() -> None:
    answer = said('{"code":"0","data":[["1760000040000","1","1","1","1","1","1","1"]]}')

    with pytest.raises(Unreadable):
        CANDLE_SOURCES["okx"].read_candles(pair("BTC-USDT"), START, END, answer)
