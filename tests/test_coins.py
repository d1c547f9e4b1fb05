"""Which coins each exchange is asked for, and by which ticker."""

import pytest

from price.coins import COINS, ticker
from price.model import Pair
from price.sources import CANDLE_SOURCES, SOURCES
from tests.sources.answers import END, START, pair

REAL = [name for name in SOURCES if name != "simulated"]


@pytest.mark.parametrize(
    ("source", "asked", "symbol"),
    [
        ("kraken", "LUNA-USD", "LUNA2USD"), ("kraken", "LUNC-USD", "LUNAUSD"),
        ("kraken", "REP-USD", "REPV2USD"),
        ("kraken", "BTC-USD", "XBTUSD"), ("kraken", "DOGE-BTC", "XDGXBT"), ("kraken", "USTC-USD", "USTUSD"),
        ("bitfinex", "BCH-USD", "tBCHN:USD"), ("bitfinex", "IOTA-USD", "tIOTUSD"),
        ("bitfinex", "DASH-USD", "tDSHUSD"), ("bitfinex", "ALGO-USD", "tALGUSD"),
        ("bitfinex", "ATOM-USD", "tATOUSD"), ("bitfinex", "MANA-USDT", "tMNAUST"),
        ("bitfinex", "LUNA-USD", "tLUNA2:USD"), ("bitfinex", "LUNC-USD", "tLUNA:USD"),
        ("bitfinex", "AMPL-USD", "tAMPUSD"), ("coinbase", "CELO-USD", "CGLD-USD"),
        ("binance", "LUNA-USDT", "LUNAUSDT"),
        ("okx", "LUNC-USDT", "LUNC-USDT"), ("bitstamp", "USTC-USD", "ustusd"),
    ],
)  # fmt: skip
def test_a_coin_is_asked_for_by_the_exchange_s_own_ticker_in_prices_and_candles(
    source: str, asked: str, symbol: str
) -> None:
    found = SOURCES[source]

    assert found.knows(pair(asked))
    assert found.symbol(pair(asked)) == symbol
    assert symbol in CANDLE_SOURCES[source].candles_request(pair(asked), START, END).path
    assert any(symbol in request.path for request in found.requests([pair(asked)]))


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("coinbase", "LUNA-USD"), ("gemini", "LUNA-USD"), ("bitstamp", "LUNC-USD"),
        ("bitfinex", "AMP-USD"),  # there it is Ampleforth
        ("bitfinex", "UST-USD"), ("bitfinex", "DSH-USD"),  # other coins' tickers
        ("kraken", "LUNA2-USD"), ("kraken", "XBT-USD"), ("coinbase", "CGLD-USD"),
        ("bitfinex", "TON-USD"), ("bitfinex", "OP-USD"), ("coingecko", "ABC-USD"), ("binance", "BTC-USD"),
    ],
)  # fmt: skip
def test_what_is_not_known_to_be_the_same_coin_is_not_offered(source: str, asked: str) -> None:
    assert not SOURCES[source].offers(pair(asked))


@pytest.mark.parametrize("source", REAL)
def test_a_ticker_is_one_coin_at_an_exchange(source: str) -> None:
    tickers = list(filter(None, (ticker(source, coin) for coin in COINS.values())))

    assert len(tickers) == len(set(tickers)) > 50


@pytest.mark.parametrize("coin", COINS.values())
def test_each_well_known_coin_is_known_somewhere(coin: str) -> None:
    assert len([source for source in REAL if ticker(source, coin)]) >= 2
    assert ticker("coingecko", coin) in COINS


@pytest.mark.parametrize("source", REAL)
def test_every_well_known_coin_has_a_symbol_or_is_not_offered(source: str) -> None:
    found = SOURCES[source]
    for coin in COINS.values():
        for quote in sorted(found.currencies):
            asked = Pair(coin, quote)
            if coin != quote and found.offers(asked):
                assert found.knows(asked)
                assert found.symbol(asked).isascii()
                assert (ticker(source, coin) or "?").lower() in found.symbol(asked).lower()


def test_a_coin_that_nobody_has_heard_of_is_offered_but_not_known() -> None:
    asked = pair("FOO-USD")
    names = ("coinbase", "kraken", "coingecko")

    assert [SOURCES[name].offers(asked) for name in names] == [True, True, False]
    assert not SOURCES["coinbase"].knows(asked)


def test_what_the_operator_says_of_a_ticker_goes_before_the_table() -> None:
    kraken = type(SOURCES["kraken"])({"FOO": "FOO2", "BTC": "BTC"})

    assert kraken.knows(pair("FOO-USD"))
    assert kraken.symbol(pair("FOO-USD")) == "FOO2USD"
    assert kraken.symbol(pair("BTC-USD")) == "BTCUSD"
