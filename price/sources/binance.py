"""Binance: twenty pairs a request, each with the time of its last change.

https://developers.binance.com/docs/binance-spot-api-docs (24hr, price, klines, limits)
"""

from collections.abc import Iterable, Sequence
from typing import Any

from price.errors import RateLimited, Refused, SourceError, Unavailable, UnknownPair
from price.model import Pair, Request
from price.sources.base import RawPrice
from price.sources.candles import CandleSource
from price.sources.refusals import by_code
from price.sources.shapes import at, expect, rows_of

LOT = 20
"""The most pairs that cost a weight of 2; one more costs 40."""
_CODES = {
    "-1121": UnknownPair,
    "-1100": Refused,
    "-1003": RateLimited,
    "-1001": Unavailable,
    "-1007": Unavailable,
    "-1008": Unavailable,
}


class Binance(CandleSource):
    """No real USD, but USDT and others; limits count weights. Closed (451) to the US and other places."""

    name = "binance"
    url = "https://api.binance.com"
    currencies = frozenset({"USDT", "USDC", "FDUSD", "EUR", "BTC", "ETH", "BNB"})
    limit_per_minute = 6000
    time_unit = "ms"
    candle_unit = "ms"
    candle_rows = 1000

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        lots = [tuple(pairs[at : at + LOT]) for at in range(0, len(pairs), LOT)]
        return [Request(f"/api/v3/ticker/24hr?symbols={self._listed(lot)}", lot, weight=2) for lot in lots]

    def _listed(self, pairs: Sequence[Pair]) -> str:
        """A JSON list of their symbols, for a URL."""
        return "%5B" + ",".join(f"%22{self.symbol(pair)}%22" for pair in pairs) + "%5D"

    def raw_prices(self, pairs: Sequence[Pair], data: Any) -> Iterable[RawPrice]:
        for pair, row in rows_of(data, "symbol", pairs, self.symbol):
            yield pair, at(row, "lastPrice"), at(row, "closeTime")

    def error_in(self, data: Any, status: int) -> SourceError | None:
        said = expect(data, dict)
        return by_code(_CODES, said["code"], said.get("msg"), status)

    def candles_request(self, pair: Pair, start: int, end: int) -> Request:
        span = f"startTime={start * 1000}&endTime={end * 1000 - 1}"
        query = f"symbol={self.symbol(pair)}&interval=1m&{span}&limit={self.candle_rows}"
        return Request(f"/api/v3/klines?{query}", (pair,), weight=2)
