"""The real exchanges still answer as the adapters expect: `make live`, by hand, with the internet."""

import os
from decimal import Decimal

import pytest

from price import settings, times
from price.clock import SystemClock
from price.model import Pair, Reading
from price.sources import CANDLE_SOURCES, SOURCES
from price.transport import Transport, trust

pytestmark = pytest.mark.live
REAL = [name for name in SOURCES if name != "simulated"]


def transport(name: str, clock: SystemClock) -> Transport:
    network = settings.load({"PRICE_SOURCES": "simulated", **os.environ}).network
    return Transport(SOURCES[name].url, {}, trust(network), network, clock.monotonic)


def pair_of(name: str) -> Pair:
    return Pair("BTC", "USDT" if name in ("binance", "okx") else "USD")


@pytest.mark.parametrize("name", REAL)
def test_an_exchange_gives_a_price(name: str) -> None:
    clock, source, pair = SystemClock(), SOURCES[name], pair_of(name)
    (request,) = source.requests([pair])

    answer = transport(name, clock).get(request, clock.monotonic() + 10)
    tick = source.read(request.pairs, answer)[pair]

    assert isinstance(tick, Reading)
    assert tick.price is not None
    assert tick.price > Decimal(100)


@pytest.mark.parametrize("name", [name for name in REAL if name in CANDLE_SOURCES])
def test_an_exchange_gives_the_candles_of_the_last_hour(name: str) -> None:
    clock, source, pair = SystemClock(), CANDLE_SOURCES[name], pair_of(name)
    end = times.unix(times.slot_of(clock.now(), 60)) - 600
    start = end - 3600

    answer = transport(name, clock).get(source.candles_request(pair, start, end), clock.monotonic() + 10)
    candles = source.read_candles(pair, start, end, answer)

    assert candles
    assert all(
        start <= candle.start < end and candle.low <= candle.close <= candle.high for candle in candles
    )
