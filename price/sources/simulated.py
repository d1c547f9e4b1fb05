"""Simulated prices for trying things out: a random walk that is a function of pair and moment alone.

So a restart continues it, two recorders agree on it, and its candles fit its prices.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qs, urlsplit

from price import times
from price.model import Answer, Pair, Request
from price.sources.base import RawPrice
from price.sources.candles import CandleSource
from price.sources.shapes import at, expect

SEED = "price"
_BASES = {"BTC": Decimal(97000), "ETH": Decimal(3300), "SOL": Decimal(180), "DOGE": Decimal("0.25")}
# seconds and greatest swing of each wave: the root of the one goes with the other, as in a random walk
_WAVES = ((10, 1.5e-4), (60, 3.6e-4), (600, 1.2e-3), (3600, 2.8e-3), (86400, 1.4e-2), (2592000, 7.6e-2))
_STEP_SECONDS = 5


class Simulated(CandleSource):
    """Any pair; nothing is asked anywhere: `answer` stands where others have HTTP."""

    name = "simulated"
    url = "simulated:"
    currencies = frozenset({"USD", "EUR", "GBP", "USDT", "USDC", "BTC", "ETH"})
    limit_per_minute = None
    time_unit = "iso"
    candle_unit = "iso"
    candle_rows = 1000

    def offers(self, pair: Pair) -> bool:
        return True

    def knows(self, pair: Pair) -> bool:
        return True

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        return [Request("/prices", tuple(pairs))]

    def raw_prices(self, pairs: Sequence[Pair], data: Any) -> Iterable[RawPrice]:
        prices = expect(data["prices"], dict)
        for pair in pairs:
            if str(pair) in prices:
                yield pair, prices[str(pair)], at(data, "time")

    def candles_request(self, pair: Pair, start: int, end: int) -> Request:
        return Request(f"/candles?start={start}&end={end}", (pair,))

    def candle_list(self, pair: Pair, data: Any) -> object:
        return data["candles"]


def answer(request: Request, now: datetime) -> Answer:
    """What the simulated exchange answers at the moment `now`: prices of that second, or closed candles."""
    second = times.unix(now)
    data: dict[str, object] = {"time": times.iso(now)}
    url = urlsplit(request.path)
    if url.path == "/candles":
        asked = parse_qs(url.query)
        first, last = int(asked["start"][0]), min(int(asked["end"][0]), second // 60 * 60)
        data["candles"] = [_candle(request.pairs[0], start) for start in range(first, last, 60)]
    else:
        data["prices"] = {str(pair): f"{price_at(pair, second):f}" for pair in request.pairs}
    return Answer(200, {}, json.dumps(data).encode())


def price_at(pair: Pair, second: int) -> Decimal:
    """The price of a pair at a Unix second, to about a tenth of a basis point."""
    base = _worth(pair.base) / (_worth(pair.quote) if pair.quote in _BASES else 1)
    swing = sum(size * _wave(f"{pair} {period}", second / period) for period, size in _WAVES)
    places = max(2, 5 - base.adjusted())
    return round(base * Decimal(1 + swing), places)


def _worth(asset: str) -> Decimal:
    """About what a coin costs in dollars: from 0.001 to 1000 for one that is not well known."""
    if asset in _BASES:
        return _BASES[asset]
    number = int.from_bytes(blake2b(f"{SEED} {asset}".encode(), digest_size=8).digest())
    return Decimal(100 + number % 900).scaleb(number // 900 % 6 - 5)


def _wave(name: str, place: float) -> float:
    """Smooth noise from -1 to 1: random values at whole places, eased from each to the next."""
    before = int(place // 1)
    left, right = _random(f"{name} {before}"), _random(f"{name} {before + 1}")
    way = place - before
    return left + (right - left) * way * way * (3 - 2 * way)


def _random(name: str) -> float:
    """A number from -1 to 1 that depends on the name and the seed alone."""
    digest = blake2b(f"{SEED} {name}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) / 2**31 - 1


def _candle(pair: Pair, start: int) -> list[str]:
    """The candle of the minute that begins at a Unix second; its close is the price a minute later."""
    prices = [price_at(pair, start + step) for step in range(0, 61, _STEP_SECONDS)]
    row = (prices[0], max(prices), min(prices), prices[-1])
    return [times.iso(times.from_unix(start)), *(f"{price:f}" for price in row)]
