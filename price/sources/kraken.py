"""Kraken: one request for all pairs; a single unknown pair fails the whole of it.

https://docs.kraken.com/api (Ticker, OHLC)
"""

from collections.abc import Iterable, Sequence
from typing import Any

from price.errors import SourceError
from price.model import Pair, Request
from price.sources.base import RawPrice
from price.sources.candles import CandleSource
from price.sources.refusals import by_words
from price.sources.shapes import at, expect

_PREFIXES = {
    **dict.fromkeys(("XBT", "ETH", "LTC", "XRP", "XLM", "XMR", "ZEC", "ETC", "REP", "MLN", "XDG"), "X"),
    **dict.fromkeys(("USD", "EUR", "GBP", "CAD", "JPY", "AUD"), "Z"),
}
"""Only the assets of the early years have them, and not in every pair."""


class Kraken(CandleSource):
    """Real USD pairs, no timestamps; about one request a second."""

    name = "kraken"
    url = "https://api.kraken.com"
    currencies = frozenset({"USD", "EUR", "GBP", "CAD", "CHF", "JPY", "AUD", "USDT", "USDC", "BTC", "ETH"})
    limit_per_minute = 60
    burst = 15
    per_second = 1
    list_path = "/0/public/Ticker?pair={}"
    candle_rows = 720
    candle_reach_seconds = 720 * 60

    def raw_prices(self, pairs: Sequence[Pair], data: Any) -> Iterable[RawPrice]:
        rows = expect(data["result"], dict)
        for pair in pairs:
            row = self._named(rows, pair)
            if row is not None:
                yield pair, at(row, "c", 0), None

    def error_in(self, data: Any, status: int) -> SourceError | None:
        errors = [str(text) for text in expect(data["error"], list)]
        grave = "; ".join(text for text in errors if not text.startswith("W"))
        return by_words(grave, status, unknown=["asset pair"]) if grave else None

    def candles_request(self, pair: Pair, start: int, end: int) -> Request:
        return Request(f"/0/public/OHLC?pair={self.symbol(pair)}&interval=1&since={start - 1}", (pair,))

    def candle_list(self, pair: Pair, data: Any) -> object:
        # by its name: there is another key, "last"
        return self._named(expect(data["result"], dict), pair)

    def _named(self, rows: dict[str, Any], pair: Pair) -> Any:
        """The row of a pair: answers use the asked name or, for old assets, one like XXBTZUSD or ZEURZUSD."""
        base, quote = map(self.ticker, pair)
        old_base, old_quote = _PREFIXES.get(base, "") + base, _PREFIXES.get(quote, "") + quote
        names = (base + quote, old_base + old_quote, f"{base}/{quote}", base + old_quote, old_base + quote)
        return next((rows[name] for name in names if name in rows), None)
