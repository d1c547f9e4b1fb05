"""OKX: one request per pair for one or two, else all spot pairs; the time is that of the ticker row.

https://www.okx.com/docs-v5 (ticker, tickers, history candles, error codes)
"""

from collections.abc import Iterable, Sequence
from typing import Any

from price.errors import RateLimited, Refused, SourceError, Unavailable, UnknownPair
from price.model import Pair, Request
from price.sources.base import RawPrice
from price.sources.candles import CandleSource
from price.sources.refusals import by_code
from price.sources.shapes import at, expect, rows_of

_CODES = {
    "50011": RateLimited,
    "50061": RateLimited,
    "50001": Unavailable,
    "50004": Unavailable,
    "50013": Unavailable,
    "50026": Unavailable,
    "51000": Refused,
    "51001": UnknownPair,
}


class Okx(CandleSource):
    """USDT and others everywhere, USD in some regions; twenty requests in two seconds."""

    name = "okx"
    url = "https://www.okx.com"
    currencies = frozenset({"USD", "USDT", "USDC", "EUR", "BTC", "ETH"})
    limit_per_minute = 600
    path = "/api/v5/market/ticker?instId={}"
    list_path = "/api/v5/market/tickers?instType=SPOT"
    time_unit = "ms"
    candle_unit = "ms"
    candle_rows = 100  # of older candles the documented most has been 100 and 300

    def joined(self, base: str, quote: str) -> str:
        return f"{base}-{quote}"

    def raw_prices(self, pairs: Sequence[Pair], data: Any) -> Iterable[RawPrice]:
        for pair, row in rows_of(data["data"], "instId", pairs, self.symbol):
            yield pair, at(row, "last"), at(row, "ts")

    def error_in(self, data: Any, status: int) -> SourceError | None:
        code = str(data["code"])  # text as a rule, a number from paths that do not exist
        return None if code == "0" else by_code(_CODES, code, data.get("msg"), status)

    def candles_request(self, pair: Pair, start: int, end: int) -> Request:
        # `after` means older than, `before` newer than, and neither moment is included
        span = f"before={start * 1000 - 1}&after={end * 1000}"
        query = f"instId={self.symbol(pair)}&bar=1m&limit={self.candle_rows}&{span}"
        return Request(f"/api/v5/market/history-candles?{query}", (pair,))

    def candle_list(self, pair: Pair, data: Any) -> object:
        return [row for row in expect(data["data"], list) if str(row[8]) != "0"]  # still forming
