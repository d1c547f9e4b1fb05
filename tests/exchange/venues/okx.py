"""OKX: everything is a string, errors have HTTP 200 and a code."""

from typing import Any

from price.model import Pair
from tests.exchange.venues.base import Book, Deal, Page, Venue, without_nothing
from tests.exchange.wire import Ask


class Okx(Venue):
    """The prices of www.okx.com."""

    name = "okx"
    quotes = ("USDT", "USDC", "EUR")
    away = Page(
        {"code": "50001", "data": [], "msg": "Service temporarily unavailable. Please try again later."}
    )
    limited = Page({"msg": "Too Many Requests", "code": "50011"}, 429)
    nowhere = Page({"code": 404, "data": {}, "msg": "Not Found"}, 404)

    def symbol(self, pair: Pair) -> str:
        return str(pair)

    def unknown(self, name: str) -> Page:
        return Page({"code": "51001", "data": [], "msg": "Instrument ID or Spread ID doesn't exist."})

    def answer(self, state: Book, ask: Ask) -> Page | None:
        match ask.parts:
            case ["api", "v5", "market", "ticker"]:
                name = ask.query.get("instId", "")
                return Page({"code": "0", "msg": "", "data": [_row(name, state.one(name))]})
            case ["api", "v5", "market", "tickers"]:
                deals = state.deals(state.names.values())
                rows = [_row(self.symbol(pair), deal) for pair, deal in deals.items()]
                return Page({"code": "0", "msg": "", "data": rows})
        return None


def _row(name: str, deal: Deal) -> dict[str, Any]:
    time = str(deal.milliseconds()) if deal.time else None
    return without_nothing({"instType": "SPOT", "instId": name, "last": deal.text(), "ts": time})
