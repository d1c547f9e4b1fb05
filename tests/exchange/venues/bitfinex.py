"""Bitfinex: arrays of bare numbers, no time; unknown symbols are left out without a word."""

from price.model import Pair
from tests.exchange.venues.base import Book, Page, Venue
from tests.exchange.wire import Ask

_ASSETS = {"USDT": "UST", "USDC": "UDC"}


class Bitfinex(Venue):
    """The prices of api-pub.bitfinex.com."""

    name = "bitfinex"
    quotes = ("USD", "EUR", "GBP", "USDT")
    away = Page(
        {"code": 503, "error": "temporarily_unavailable", "error_description": "Come back later"}, 503
    )
    limited = Page({"error": "ERR_RATE_LIMIT"}, 429)

    def symbol(self, pair: Pair) -> str:
        base, quote = (_ASSETS.get(asset, asset) for asset in pair)
        return f"t{base}:{quote}" if max(len(base), len(quote)) > 3 else f"t{base}{quote}"

    def unknown(self, name: str) -> Page:
        return Page(["error", 10020, "symbol: invalid"], 500)

    def answer(self, state: Book, ask: Ask) -> Page | None:
        if ask.parts != ["v2", "tickers"]:
            return None
        asked = ask.query.get("symbols", "").split(",")
        deals = state.deals(state.names[name] for name in asked if name in state.names)
        return Page(
            [
                [self.symbol(pair), 1, 4.727000000000001, 2, 1e-08, 334.5, 0.0055, deal.number(), 2345.678]
                for pair, deal in deals.items()
            ]
        )
