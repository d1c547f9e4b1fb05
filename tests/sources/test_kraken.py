"""What is special to Kraken."""

import pytest

from price.errors import RateLimited, Refused, SourceError, Unavailable, UnknownPair, Unreadable
from price.model import Reading
from price.sources import CANDLE_SOURCES
from tests.sources.answers import END, START, pair, read, refusal, said


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("BTC-USD", "XXBTZUSD"), ("BTC-USD", "XBTUSD"), ("BTC-USD", "XBT/USD"), ("ETH-BTC", "XETHXXBT"),
        ("LTC-EUR", "XLTCZEUR"), ("DOGE-USD", "XDGUSD"), ("DOGE-BTC", "XXDGXXBT"), ("SOL-USD", "SOLUSD"),
        ("BTC-CHF", "XBTCHF"), ("BTC-AUD", "XBTAUD"), ("BTC-USDT", "XBTUSDT"), ("USDT-USD", "USDTZUSD"),
        ("EUR-USD", "ZEURZUSD"), ("GBP-USD", "ZGBPZUSD"), ("USD-JPY", "ZUSDZJPY"), ("USD-CAD", "ZUSDZCAD"),
        ("AUD-USD", "AUDUSD"), ("EUR-JPY", "EURJPY"), ("EUR-GBP", "EURGBP"), ("USDC-EUR", "USDCEUR"),
        ("LUNA-USD", "LUNA2USD"), ("LUNC-USD", "LUNAUSD"),
    ],
)  # fmt: skip
def test_a_pair_is_found_under_each_name_that_answers_use(asked: str, named: str) -> None:
    answer = said(f'{{"error":[],"result":{{"XXMRZUSD":{{"c":["7"]}},"{named}":{{"c":["5.10"]}}}}}}')

    found = read("kraken", asked, answer)[asked]

    assert isinstance(found, Reading)
    assert str(found.price) == "5.10"


def test_a_warning_does_not_cost_the_price() -> None:
    answer = said('{"error":["WGeneral:Deprecated"],"result":{"XXBTZUSD":{"c":["5"]}}}')

    assert isinstance(read("kraken", "BTC-USD", answer)["BTC-USD"], Reading)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("EGeneral:Too many requests", RateLimited), ("EGeneral:Temporary lockout", RateLimited),
        ("EService:Busy", Unavailable), ("EGeneral:Internal error", Unavailable),
        ("EDatabase:Internal error", Unavailable), ("EGeneral:Unknown method", Refused),
        ("EQuery:Unknown asset pair", UnknownPair),
    ],
)  # fmt: skip
def test_its_errors_are_told_apart_by_their_words(words: str, kind: type[SourceError]) -> None:
    assert type(refusal("kraken", "BTC-USD", said(f'{{"error":["{words}"]}}'))) is kind


@pytest.mark.parametrize("result", ["", ',"result":null', ',"result":[]', ',"result":"XBTUSD"'])
def test_an_answer_without_result_and_without_error_is_unreadable(result: str) -> None:
    assert type(refusal("kraken", "BTC-USD", said(f'{{"error":[]{result}}}'))) is Unreadable


def test_a_text_in_place_of_a_list_gives_no_price_of_its_first_digit() -> None:
    answer = said('{"error":[],"result":{"XBTUSD":{"c":"61235.1"}}}')

    assert type(refusal("kraken", "BTC-USD", answer)) is Unreadable


def test_the_moment_that_stands_beside_the_candles_is_not_taken_for_a_pair() -> None:
    answer = said('{"error":[],"result":{"last":1760000160,"XETHZUSD":[]}}')

    with pytest.raises(Unreadable):
        CANDLE_SOURCES["kraken"].read_candles(pair("BTC-USD"), START, END, answer)
