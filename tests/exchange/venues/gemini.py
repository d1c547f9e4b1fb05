"""Gemini: strings, one pair or the whole feed; its timestamp is not that of the price."""

from price import times
from price.model import Pair
from tests.exchange.venues.base import Book, Page, Venue
from tests.exchange.wire import Ask


class Gemini(Venue):
    """The prices of api.gemini.com."""

    name = "gemini"
    quotes = ("USD", "EUR", "GBP", "USDT")
    away = Page(
        {"result": "error", "reason": "Maintenance", "message": "The exchange is in maintenance"}, 503
    )
    limited = Page({"result": "error", "reason": "RateLimit", "message": "Requests were made too often"}, 429)
    nowhere = Page({"result": "error", "reason": "EndpointNotFound", "message": "No such endpoint"}, 404)

    def symbol(self, pair: Pair) -> str:
        return f"{pair.base}{pair.quote}".lower()

    def unknown(self, name: str) -> Page:
        message = f"Supplied value '{name}' is not a valid symbol"
        return Page({"result": "error", "reason": "InvalidSymbol", "message": message}, 400)

    def answer(self, state: Book, ask: Ask) -> Page | None:
        match ask.parts:
            case ["v1", "pubticker", name]:
                # the end of the volume's window: up to five minutes old beside a fresh price
                volume = {"timestamp": times.unix(state.now) // 300 * 300_000}
                return Page({"last": state.one(name).text(2), "volume": volume})
            case ["v1", "pricefeed"]:
                deals = state.deals(state.names.values())
                return Page([{"pair": "".join(pair), "price": deal.text(2)} for pair, deal in deals.items()])
        return None
