"""What is special to Gemini."""

from price.sources import CANDLE_SOURCES
from tests.sources.answers import END, START, pair, paths, sent, tick


def test_one_or_two_pairs_are_a_request_each_and_more_are_the_feed() -> None:
    assert paths("gemini", "BTC-USD ETH-EUR") == ["/v1/pubticker/btcusd", "/v1/pubticker/etheur"]
    assert paths("gemini", "BTC-USD ETH-EUR SOL-USD") == ["/v1/pricefeed"]


def test_the_end_of_the_volume_window_is_not_the_time_of_the_price() -> None:
    found = tick("gemini", "BTC-USD", sent("gemini/single.json"))

    assert (str(found.price), found.time) == ("61235.00", None)


def test_a_perpetual_future_is_not_taken_for_the_pair() -> None:
    assert str(tick("gemini", "BTC-USD", sent("gemini/price.json")).price) == "61235.01"


def test_candles_are_asked_for_without_a_range_since_it_takes_none() -> None:
    asked = CANDLE_SOURCES["gemini"].candles_request(pair("BTC-USD"), START, END)

    assert asked.path == "/v2/candles/btcusd/1m"
