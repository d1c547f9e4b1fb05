"""Bitfinex: one request for all pairs, no timestamps; 30 requests a minute, one more blocks for a minute.

https://docs.bitfinex.com/reference (tickers, candles)
"""

from collections.abc import Iterable, Sequence
from typing import Any

from price.errors import RateLimited, Refused, SourceError, Unavailable, UnknownPair
from price.model import Pair, Request
from price.sources.base import RawPrice
from price.sources.candles import CandleSource
from price.sources.refusals import by_code, by_words
from price.sources.shapes import at, rows_of
from price.wire import excerpt

_CODES = {"11010": RateLimited, "20060": Unavailable, "10020": Refused}


class Bitfinex(CandleSource):
    """Real USD pairs; a price comes from a cache of some seconds."""

    name = "bitfinex"
    url = "https://api-pub.bitfinex.com"
    currencies = frozenset({"USD", "EUR", "GBP", "JPY", "USDT", "USDC", "BTC", "ETH"})
    limit_per_minute = 30
    gap_seconds = 2.5
    burst = 5  # at most 29 a minute, also while an unknown pair is looked for
    per_second = 0.4
    list_path = "/v2/tickers?symbols={}"
    candle_unit = "ms"
    candle_places = (0, 1, 3, 4, 2)  # time, open, close, high, low
    candle_rows = 10000

    def joined(self, base: str, quote: str) -> str:
        colon = ":" if max(len(base), len(quote)) > 3 else ""
        return f"t{base}{colon}{quote}"

    def raw_prices(self, pairs: Sequence[Pair], data: Any) -> Iterable[RawPrice]:
        # symbols of funding begin with f: their rows, of other columns, are never picked
        for pair, row in rows_of(data, 0, pairs, self.symbol):
            yield pair, at(row, 7), None

    def error_in(self, data: Any, status: int) -> SourceError | None:
        if isinstance(data, dict):
            return by_words(data["error"], status)
        if at(data, 0) != "error":
            return None
        code, text = at(data, 1), at(data, 2)
        if str(code) == "10020" and "symbol" in str(text):
            return UnknownPair(excerpt(f"{code} {text}"))
        return by_code(_CODES, code, text, status)

    def candles_request(self, pair: Pair, start: int, end: int) -> Request:
        query = f"start={start * 1000}&end={end * 1000 - 1}&limit={self.candle_rows}&sort=1"
        return Request(f"/v2/candles/trade:1m:{self.symbol(pair)}/hist?{query}", (pair,))
