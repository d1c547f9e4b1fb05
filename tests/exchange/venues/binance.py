"""Binance: strings of eight decimals, no US dollars, one unknown symbol fails the whole request."""

import json

from price.model import Pair
from tests.exchange.venues.base import Book, Page, UnknownName, Venue, without_nothing
from tests.exchange.wire import Ask


class Binance(Venue):
    """The prices of api.binance.com."""

    name = "binance"
    quotes = ("USDT", "USDC", "EUR")
    away = Page({"code": -1008, "msg": "Server is currently overloaded with other requests."}, 503)
    limited = Page({"code": -1003, "msg": "Too many requests."}, 429, (("Retry-After", "30"),))
    headers = (("X-MBX-USED-WEIGHT-1M", "24"),)

    def symbol(self, pair: Pair) -> str:
        return f"{pair.base}{pair.quote}"

    def unknown(self, name: str) -> Page:
        return Page({"code": -1121, "msg": "Invalid symbol."}, 400)

    def answer(self, state: Book, ask: Ask) -> Page | None:
        if ask.parts != ["api", "v3", "ticker", "24hr"]:
            return None
        try:
            asked = json.loads(ask.query["symbols"])
        except ValueError:
            raise UnknownName("symbols") from None
        rows = [
            {"symbol": self.symbol(pair), "lastPrice": deal.text(8), "closeTime": deal.milliseconds()}
            for pair, deal in state.deals(map(state.pair, asked)).items()
        ]
        return Page([without_nothing(row | {"count": 345678}) for row in rows])
