"""Coinbase Exchange: one request per pair, with the time of the last trade.

https://docs.cdp.coinbase.com/exchange (ticker, candles, rate limits)
"""

from collections.abc import Iterable, Sequence
from typing import Any

from price import times
from price.errors import SourceError, UnknownPair
from price.model import Pair, Request
from price.sources.base import RawPrice
from price.sources.candles import MINUTE, CandleSource
from price.sources.refusals import by_words
from price.sources.strictjson import shown


class Coinbase(CandleSource):
    """Real USD pairs; ten requests a second, fifteen without a pause."""

    name = "coinbase"
    url = "https://api.exchange.coinbase.com"
    currencies = frozenset({"USD", "EUR", "GBP", "USDT", "USDC", "BTC", "ETH"})
    limit_per_minute = 600
    burst = 15
    per_second = 10
    path = "/products/{}/ticker"
    time_unit = "iso"
    candle_places = (0, 3, 2, 1, 4)  # time, low, high, open, close
    candle_rows = 300

    def joined(self, base: str, quote: str) -> str:
        return f"{base}-{quote}"

    def raw_prices(self, pairs: Sequence[Pair], data: Any) -> Iterable[RawPrice]:
        yield pairs[0], data.get("price"), data.get("time")

    def error_in(self, data: Any, status: int) -> SourceError | None:
        message = data.get("message")
        if status == 404 and message == "NotFound":
            return UnknownPair(shown(message))
        return None if message is None else by_words(message, status)

    def candles_request(self, pair: Pair, start: int, end: int) -> Request:
        # a range of n candles names the opening of its first and of its last
        first, last = (times.iso(times.from_unix(unix)) for unix in (start, end - MINUTE))
        query = f"granularity={MINUTE}&start={first}&end={last}"
        return Request(f"/products/{self.symbol(pair)}/candles?{query}", (pair,))
