"""Gemini: strings, one pair or the whole feed; its timestamp is not that of the price."""

from collections.abc import Iterable

from price import times
from price.model import Pair
from tests.exchange.venues.base import Book, Page, Venue, number
from tests.exchange.wire import Ask


class Gemini(Venue):
    """The copy of api.gemini.com."""

    name = "gemini"
    quotes = ("USD", "EUR", "GBP", "USDT")
    away = Page(
        {"result": "error", "reason": "Maintenance", "message": "The exchange is in maintenance"}, 503
    )
    limited = Page({"result": "error", "reason": "RateLimit", "message": "Requests were made too often"}, 429)
    nowhere = Page({"result": "error", "reason": "EndpointNotFound", "message": "No such endpoint"}, 404)

    def symbol(self, pair: Pair) -> str:
        return f"{pair.base}{pair.quote}".lower()

    def names(self, pairs: Iterable[Pair]) -> dict[str, Pair]:
        lower = super().names(pairs)
        return lower | {name.upper(): pair for name, pair in lower.items()}

    def unknown(self, name: str) -> Page:
        message = f"Supplied value '{name}' is not a valid symbol"
        return Page({"result": "error", "reason": "InvalidSymbol", "message": message}, 400)

    def answer(self, state: Book, ask: Ask) -> Page | None:
        match ask.parts:
            case ["v1", "pubticker", name]:
                return self._ticker(state, name)
            case ["v1", "pricefeed"]:
                return Page(self._feed(state))
            case ["v2", "candles", name, "1m"]:
                return _candles(state, name)
        return None

    def _ticker(self, state: Book, name: str) -> Page:
        deal, pair = state.one(name), state.pair(name)
        # the end of the volume's window: up to five minutes old beside a fresh price
        edge = times.unix(state.now) // 300 * 300_000
        volume = {pair.base: "345.6789012", pair.quote: "21123456.789012345", "timestamp": edge}
        return Page({"bid": deal.bid, "ask": deal.ask, "last": deal.text(2), "volume": volume})

    def _feed(self, state: Book) -> list[dict[str, str]]:
        deals = state.deals(dict.fromkeys(state.names.values()))
        return [
            {"pair": self.symbol(pair).upper(), "price": deal.text(2), "percentChange24h": "0.0055"}
            for pair, deal in deals.items()
        ]


def _candles(state: Book, name: str) -> Page:
    now = times.unix(state.now)
    rows = [
        [c.start * 1000, *(number(f"{value:f}") for value in c[1:5]), number(c.volume)]
        for c in state.candles(name, now - now % 60 - 1439 * 60, now)
    ]
    return Page(rows[::-1])
