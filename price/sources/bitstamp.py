"""Bitstamp: one request per pair for one or two, else the list of all; the time is that of the snapshot.

https://www.bitstamp.net/api (ticker, ohlc, request limits)
"""

from collections.abc import Iterable, Sequence
from typing import Any

from price.errors import RateLimited, SourceError, UnknownPair
from price.model import Answer, Pair, Reading, Request
from price.sources.base import RawPrice
from price.sources.candles import MINUTE, CandleSource
from price.sources.refusals import by_code, by_words
from price.sources.shapes import at, expect, rows_of
from price.wire import excerpt


class Bitstamp(CandleSource):
    """Real USD, EUR and GBP pairs; ten thousand requests in ten minutes."""

    name = "bitstamp"
    url = "https://www.bitstamp.net"
    currencies = frozenset({"USD", "EUR", "GBP", "USDT", "USDC", "BTC"})
    limit_per_minute = 1000
    path = "/api/v2/ticker/{}/"
    list_path = "/api/v2/ticker/"
    time_unit = "s"
    candle_places = ("timestamp", "open", "high", "low", "close")
    candle_rows = 1000

    def joined(self, base: str, quote: str) -> str:
        return (base + quote).lower()

    def read(self, pairs: Sequence[Pair], answer: Answer) -> dict[Pair, Reading | SourceError]:
        # a pair that it does not know is a path that is not there, perhaps with a page of HTML
        if len(pairs) == 1 and answer.status == 404:
            raise UnknownPair(f"HTTP 404: {excerpt(answer.body)}")
        return super().read(pairs, answer)

    def raw_prices(self, pairs: Sequence[Pair], data: Any) -> Iterable[RawPrice]:
        # only the list names its pairs, with perpetual ones such as BTC/USD-PERP among them
        single = len(pairs) == 1 and isinstance(data, dict)
        rows = [(pairs[0], data)] if single else rows_of(data, "pair", pairs, self._listed)
        for pair, row in rows:
            yield pair, at(row, "last"), at(row, "timestamp")

    def _listed(self, pair: Pair) -> str:
        """The name in the list, such as BTC/USD."""
        return "/".join(map(self.ticker, pair))

    def error_in(self, data: Any, status: int) -> SourceError | None:
        said = expect(data, dict)
        code = said.get("response_code")
        words = said.get("response_explanation") or said.get("error") or said.get("reason")
        if code is not None:
            return by_code({"400.002": RateLimited}, code, words, status)
        if words is None and said.get("status") != "error":
            return None
        return by_words(words, status, unknown=["currency pair"])

    def candles_request(self, pair: Pair, start: int, end: int) -> Request:
        # the answer is the last `limit` candles up to the end, whatever the start: so both fit exactly
        limit = (end - 1 - start) // MINUTE + 1
        query = f"step={MINUTE}&limit={limit}&start={start}&end={end - 1}"
        return Request(f"/api/v2/ohlc/{self.symbol(pair)}/?{query}", (pair,))

    def candle_list(self, pair: Pair, data: Any) -> object:
        return data["data"]["ohlc"]
