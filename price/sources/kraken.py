"""Kraken: one request for all pairs; a single unknown pair fails the whole of it.

https://docs.kraken.com/api (Ticker, OHLC)
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from price import times
from price.errors import SourceError
from price.model import Pair, Request
from price.sources.base import RawCandle, RawPrice, Source, at, candle, expect
from price.sources.refusals import by_words

_PREFIXES = {
    **dict.fromkeys(("XBT", "ETH", "LTC", "XRP", "XLM", "XMR", "ZEC", "ETC", "REP", "MLN", "XDG"), "X"),
    **dict.fromkeys(("USD", "EUR", "GBP", "CAD", "JPY", "AUD"), "Z"),
}
"""Only the assets of the early years have them, and not in every pair."""


class Kraken(Source):
    """Real USD pairs, no timestamps; about one request a second."""

    name = "kraken"
    url = "https://api.kraken.com"
    currencies = frozenset({"USD", "EUR", "GBP", "CAD", "CHF", "JPY", "AUD", "USDT", "USDC", "BTC", "ETH"})
    limit_per_minute = 60
    burst = 15
    per_second = 1
    candle_rows = 720
    candle_reach_seconds = 720 * 60

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        symbols = ",".join(map(self.symbol, pairs))
        return [Request(f"/0/public/Ticker?pair={symbols}", tuple(pairs))]

    def raw_prices(self, pairs: Sequence[Pair], data: Any) -> Iterable[RawPrice]:
        rows = expect(data["result"], dict)
        for pair in pairs:
            row = self._named(rows, pair)
            if row is not None:
                yield RawPrice(pair, at(row, "c", 0))

    def error_in(self, data: Any, status: int) -> SourceError | None:
        errors = [str(text) for text in expect(data["error"], list)]
        grave = "; ".join(text for text in errors if not text.startswith("W"))
        return by_words(grave, status, unknown=["asset pair"]) if grave else None

    def candles_request(self, pair: Pair, start: datetime, end: datetime) -> Request:
        since = times.unix(start) - 1
        return Request(f"/0/public/OHLC?pair={self.symbol(pair)}&interval=1&since={since}", (pair,))

    def raw_candles(self, pair: Pair, data: Any) -> Iterable[RawCandle]:
        # by its name, since another key, "last", stands beside it
        for row in expect(self._named(expect(data["result"], dict), pair), list):
            yield candle(row, 0, 1, 2, 3, 4)

    def _named(self, rows: dict[str, Any], pair: Pair) -> Any:
        """The row of a pair: answers use the asked name or, for old assets, one like XXBTZUSD or ZEURZUSD."""
        base, quote = map(self.ticker, pair)
        old_base, old_quote = _PREFIXES.get(base, "") + base, _PREFIXES.get(quote, "") + quote
        for name in (
            base + quote,
            old_base + old_quote,
            f"{base}/{quote}",
            base + old_quote,
            old_base + quote,
        ):
            if name in rows:
                return rows[name]
        return None
