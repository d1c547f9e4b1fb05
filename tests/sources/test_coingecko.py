"""What is special to CoinGecko."""

import pytest

from price.coins import COINS
from price.errors import Refused
from price.sources import SOURCES
from tests.sources.answers import pair, refusal, said


def test_each_coin_has_one_id_and_one_symbol_that_a_pair_can_hold() -> None:
    assert len(set(COINS.values())) == len(COINS)
    assert all(symbol.isalnum() and symbol.isupper() for symbol in COINS.values())
    assert all(name == name.lower() and name.replace("-", "").isalnum() for name in COINS)


def test_it_is_only_asked_for_coins_and_currencies_that_it_has() -> None:
    offers = SOURCES["coingecko"].offers

    assert [offers(pair(each)) for each in ("BTC-USD", "DOGE-JPY", "ETH-BTC")] == [True] * 3
    assert [offers(pair(each)) for each in ("BTC-USDT", "ABC-USD", "USD-USD")] == [False] * 3


def test_it_is_asked_at_most_once_a_minute() -> None:
    assert SOURCES["coingecko"].gap_seconds >= 60


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.coingecko.com", "x-cg-demo-api-key"),
        ("https://pro-api.coingecko.com", "x-cg-pro-api-key"),
        ("https://pro-api.coingecko.com:443/x", "x-cg-pro-api-key"),
        ("https://example.com/pro-api.coingecko.com", "x-cg-demo-api-key"),
    ],
)
def test_the_key_goes_into_the_header_that_its_host_wants(url: str, name: str) -> None:
    assert SOURCES["coingecko"].headers("secret", url) == {name: "secret"}
    assert SOURCES["coingecko"].headers("", url) == {}


def test_an_unknown_coin_is_an_empty_object_and_refused() -> None:
    assert type(refusal("coingecko", "BTC-USD", said("{}"))) is Refused
    assert type(refusal("coingecko", "BTC-USD", said('{"bitcoin":{}}'))) is Refused


def test_a_price_that_is_null_is_missing() -> None:
    answer = said('{"bitcoin":{"usd":null,"last_updated_at":1760000041}}')

    assert str(refusal("coingecko", "BTC-USD", answer)) == "missing from the answer"
