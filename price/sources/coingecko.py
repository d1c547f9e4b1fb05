"""CoinGecko: averages over many markets, computed once a minute; good against an outlier, poor alone.

https://docs.coingecko.com (simple price, authentication, errors)
"""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from price.errors import Forbidden, RateLimited, SourceError
from price.model import Pair, Request
from price.sources.base import RawPrice, Source
from price.sources.refusals import by_code, by_words
from price.sources.shapes import at, expect

_CODES = {"429": RateLimited, **dict.fromkeys(["10002", "10005", "10010", "10011"], Forbidden)}


class CoinGecko(Source):
    """Well-known coins only. It has samples five minutes apart, and no candles of one minute."""

    name = "coingecko"
    url = "https://api.coingecko.com"
    currencies = frozenset({"USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "BTC", "ETH"})
    limit_per_minute = None
    gap_seconds = 60
    time_unit = "s"

    def offers(self, pair: Pair) -> bool:
        return pair.quote in self.currencies and self._knows(pair.base)

    def knows(self, pair: Pair) -> bool:
        return self._knows(pair.base)  # it has names of its own for coins alone

    def joined(self, base: str, quote: str) -> str:
        return base

    def headers(self, key: str, url: str) -> dict[str, str]:
        if not key:
            return {}
        paid = urlsplit(url).hostname == "pro-api.coingecko.com"
        return {"x-cg-pro-api-key" if paid else "x-cg-demo-api-key": key}

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        ids = ",".join(dict.fromkeys(self.ticker(pair.base) for pair in pairs))
        currencies = ",".join(dict.fromkeys(pair.quote.lower() for pair in pairs))
        query = f"ids={ids}&vs_currencies={currencies}&include_last_updated_at=true&precision=full"
        return [Request(f"/api/v3/simple/price?{query}", tuple(pairs))]

    def raw_prices(self, pairs: Sequence[Pair], data: Any) -> Iterable[RawPrice]:
        coins = expect(data, dict)
        for pair in pairs:
            coin = coins.get(self.ticker(pair.base))
            price = at(coin, pair.quote.lower())
            if price is not None:  # a coin that nobody trades any more is null
                yield pair, price, at(coin, "last_updated_at")

    def error_in(self, data: Any, status: int) -> SourceError | None:
        said = at(data, "status") or at(data, "error", "status")
        if code := at(said, "error_code"):
            # it may say 429 in an answer of status 200
            meant = code if isinstance(code, int) and 400 <= code < 600 else status
            return by_code(_CODES, code, at(said, "error_message"), meant)
        words = at(data, "error")
        return None if words is None else by_words(words, status, unknown=["coin not found"])
