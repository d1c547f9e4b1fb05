"""Coinbase Exchange: strings, one pair per request, the time of the last trade."""

from datetime import datetime

from price import times
from price.model import Pair
from tests.exchange.venues.base import Book, Page, Venue, number, without_nothing
from tests.exchange.wire import Ask, BadQuery


class Coinbase(Venue):
    """The copy of api.exchange.coinbase.com."""

    name = "coinbase"
    quotes = ("USD", "EUR", "GBP", "USDT")
    away = Page({"message": "Service unavailable"}, 503)
    limited = Page({"message": "Too many requests"}, 429)
    nowhere = Page({"message": "NotFound"}, 404)
    headers = (("Cache-Control", "public, max-age=1"),)

    def symbol(self, pair: Pair) -> str:
        return str(pair)

    def unknown(self, name: str) -> Page:
        return self.nowhere

    def answer(self, state: Book, ask: Ask) -> Page | None:
        if "user-agent" not in ask.headers:
            return Page({"message": "User-Agent header is required."}, 400)
        match ask.parts:
            case ["products", name, "ticker"]:
                return self._ticker(state, name)
            case ["products", name, "candles"]:
                return self._candles(state, name, ask)
        return None

    def _ticker(self, state: Book, name: str) -> Page:
        deal = state.one(name)
        time = _rfc3339(deal.time) if deal.time else None
        return Page(without_nothing({"trade_id": 1, "price": deal.text(), "size": "0.00123", "time": time}))

    def _candles(self, state: Book, name: str, ask: Ask) -> Page:
        if ask.query.get("granularity") != "60":
            return Page({"message": "Unsupported granularity"}, 400)
        start, end = (_moment(ask.query.get(edge, "")) for edge in ("start", "end"))
        if (end - start) // 60 + 1 > 300:
            return Page({"message": "granularity too small for the requested time range"}, 400)
        rows = [
            [c.start, *(number(f"{value:f}") for value in (c.low, c.high, c.open, c.close)), 1.5]
            for c in state.candles(name, start, end)
        ]
        return Page(rows[::-1])


def _rfc3339(moment: datetime) -> str:
    digits = (6, 3, 9, 0)[times.unix(moment) % 4]  # the real one varies too
    fraction = f".{moment:%f}000"[: digits + 1] if digits else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def _moment(text: str) -> int:
    try:
        return times.unix(times.parse_iso(text))
    except ValueError as error:
        raise BadQuery(text) from error
