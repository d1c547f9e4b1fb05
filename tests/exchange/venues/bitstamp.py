"""Bitstamp: strings, one pair or the whole list, the time of the snapshot in seconds."""

from typing import Any

from price import times
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
                return Page(_list(state))
            case ["api", "v2", "ticker", name]:
                return Page(_row(state.one(name)))
            case ["api", "v2", "ohlc", name]:
                return _candles(state, name, ask)
        return None


def _row(deal: Deal) -> dict[str, Any]:
    bid, ask = deal.bid, deal.ask
    fields = {
        "timestamp": str(deal.seconds()) if deal.time else None,
        "open": bid,
        "high": ask,
        "low": bid,
        "last": deal.text(),
        "volume": "1234.56789012",
        "vwap": bid,
        "bid": bid,
        "ask": ask,
        "side": "0",
        "open_24": bid,
        "percent_change_24": "0.71",
    }
    return without_nothing(fields)


def _list(state: Book) -> list[dict[str, Any]]:
    rows = []
    for pair, deal in state.deals(state.names.values()).items():
        rows.append(_row(deal) | {"pair": f"{pair.base}/{pair.quote}"})
        if pair.base == "BTC":
            # a future on the pair, at another price, which is not the pair
            future = deal._replace(price=deal.price * 2)
            rows.append(_row(future) | {"pair": f"{pair.base}/{pair.quote}-PERP"})
    return rows


def _candles(state: Book, name: str, ask: Ask) -> Page:
    limit = ask.number("limit", 0)
    if ask.number("step", 0) != 60 or not 1 <= limit <= 1000:
        return Page({"code": "400.000", "reason": "Invalid parameters.", "status": "error"}, 400)
    end = ask.number("end", times.unix(state.now))
    # the real one heeds `end` and `limit`, not `start`, where it is given all three
    start = ask.number("start", 0) if "end" not in ask.query else end - end % 60 - (limit - 1) * 60
    candles = filled(state.candles(name, start, min(end, start + limit * 60 - 1)))
    rows = [
        {
            "timestamp": str(c.start),
            "open": f"{c.open:f}",
            "high": f"{c.high:f}",
            "low": f"{c.low:f}",
            "close": f"{c.close:f}",
            "volume": c.volume,
        }
        for c in candles
    ]
    if len(rows) == 1000:
        rows[500] = rows[499]  # seen in a recorded answer: one minute twice
    pair = state.pair(name)
    return Page({"data": {"pair": f"{pair.base}/{pair.quote}", "ohlc": rows}})
