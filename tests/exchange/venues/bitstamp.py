"""Bitstamp: strings, one pair or the whole list, the time of the snapshot in seconds."""

from typing import Any

from price.model import Pair
from tests.exchange.prices import filled
from tests.exchange.venues.base import Book, Deal, Page, Venue, without_nothing
from tests.exchange.wire import Ask


class Bitstamp(Venue):
    """The copy of www.bitstamp.net."""

    name = "bitstamp"
    quotes = ("USD", "EUR", "GBP", "USDT")
    away = Page("<html><h1>503 Service Unavailable</h1></html>", 503)
    limited = Page({"response_code": "400.002", "response_explanation": "Rate limit exceeded."}, 400)

    def symbol(self, pair: Pair) -> str:
        return f"{pair.base}{pair.quote}".lower()

    def unknown(self, name: str) -> Page:
        return self.nowhere

    def answer(self, state: Book, ask: Ask) -> Page | None:
        match ask.parts:
            case ["api", "v2", "ticker"]:
                deals = state.deals(state.names.values())
                return Page([_row(deal) | {"pair": "/".join(pair)} for pair, deal in deals.items()])
            case ["api", "v2", "ticker", name]:
                return Page(_row(state.one(name)))
            case ["api", "v2", "ohlc", name]:
                return _candles(state, name, ask)
        return None


def _row(deal: Deal) -> dict[str, Any]:
    time = str(deal.seconds()) if deal.time else None
    return without_nothing({"timestamp": time, "last": deal.text(), "volume": "1234.56789012", "side": "0"})


def _candles(state: Book, name: str, ask: Ask) -> Page:
    limit, end = ask.number("limit", 0), ask.number("end", 0)
    if ask.number("step", 0) != 60 or not 1 <= limit <= 1000:
        return Page({"code": "400.000", "reason": "Invalid parameters.", "status": "error"}, 400)
    # the real one heeds `end` and `limit`, not `start`, where it is given all three
    candles = filled(state.candles(name, end - end % 60 - (limit - 1) * 60, end))
    names = ("open", "high", "low", "close")
    rows = [
        {"timestamp": str(c.start), **dict(zip(names, map(str, c[1:5]), strict=True)), "volume": "1.5"}
        for c in candles
    ]
    if len(rows) == 1000:
        rows[500] = rows[499]  # seen in a recorded answer: one minute twice
    return Page({"data": {"pair": "/".join(state.pair(name)), "ohlc": rows}})
