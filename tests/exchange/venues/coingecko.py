"""CoinGecko: coins by its own ids, JSON numbers, seconds; what it does not know is left out."""

from typing import Any

from price.coins import ticker
from price.model import Pair
from tests.exchange.venues.base import Book, Page, Venue
from tests.exchange.wire import Ask


class Coingecko(Venue):
    """The copy of api.coingecko.com."""

    name = "coingecko"
    quotes = ("USD", "EUR", "GBP")
    away = Page({"status": {"error_code": 503, "error_message": "Service unavailable"}}, 503)
    limited = Page({"status": {"error_code": 429, "error_message": "You've exceeded the Rate Limit."}}, 429)
    nowhere = Page({"error": "Incorrect path."}, 404)
    headers = (("Cache-Control", "max-age=30, public"),)

    def symbol(self, pair: Pair) -> str:
        return f"{ticker(self.name, pair.base)} {pair.quote.lower()}"

    def unknown(self, name: str) -> Page:
        return Page({"error": "coin not found"}, 404)

    def answer(self, state: Book, ask: Ask) -> Page | None:
        match ask.parts:
            case ["api", "v3", "simple", "price"]:
                return Page(_prices(state, ask))
        return None


def _prices(state: Book, ask: Ask) -> dict[str, dict[str, Any]]:
    coins, currencies = (ask.query.get(name, "").split(",") for name in ("ids", "vs_currencies"))
    asked = {f"{coin} {currency}": (coin, currency) for coin in coins for currency in currencies}
    deals = state.deals(state.names[name] for name in asked if name in state.names)
    found: dict[str, dict[str, Any]] = {}
    for name, (coin, currency) in asked.items():
        deal = deals.get(state.names[name]) if name in state.names else None
        if deal:
            time = {"last_updated_at": deal.seconds()} if deal.time else {}
            found[coin] = found.get(coin, {}) | {currency: deal.number()} | time
    return found
