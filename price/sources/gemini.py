"""Gemini: one request per pair for one or two, else the price feed of all; no usable time in either.

https://docs.gemini.com/rest-api (ticker, price feed, candles, rate limits)
"""

from collections.abc import Iterable, Sequence
from typing import Any

from price.errors import RateLimited, SourceError, Unavailable, UnknownPair
from price.model import Pair, Request
from price.sources.base import RawPrice
from price.sources.candles import CandleSource
from price.sources.refusals import by_code
from price.sources.shapes import at, expect, rows_of

_REASONS = {
    "RateLimit": RateLimited,
    "Maintenance": Unavailable,
    "System": Unavailable,
    "InvalidSymbol": UnknownPair,
    "Bad Request": UnknownPair,  # the symbol is all that a request can have wrong
}


class Gemini(CandleSource):
    """Real USD pairs; its only time is the end of the volume window, minutes from any trade."""

    name = "gemini"
    url = "https://api.gemini.com"
    currencies = frozenset({"USD", "EUR", "GBP", "SGD", "USDT", "USDC", "GUSD", "BTC", "ETH"})
    limit_per_minute = 120
    path = "/v1/pubticker/{}"
    list_path = "/v1/pricefeed"
    candle_unit = "ms"
    candle_rows = 1440
    candle_reach_seconds = 1440 * 60

    def joined(self, base: str, quote: str) -> str:
        return (base + quote).lower()

    def raw_prices(self, pairs: Sequence[Pair], data: Any) -> Iterable[RawPrice]:
        if len(pairs) == 1 and isinstance(data, dict):
            yield pairs[0], data.get("last"), None
            return
        for pair, row in rows_of(data, "pair", pairs, lambda pair: self.symbol(pair).upper()):
            yield pair, at(row, "price"), None

    def error_in(self, data: Any, status: int) -> SourceError | None:
        if expect(data, dict).get("result") != "error":
            return None
        return by_code(_REASONS, data.get("reason"), data.get("message"), status)

    def candles_request(self, pair: Pair, start: int, end: int) -> Request:
        # it knows no range: the answer is about the last day
        return Request(f"/v2/candles/{self.symbol(pair)}/1m", (pair,))
