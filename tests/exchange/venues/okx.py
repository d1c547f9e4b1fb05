"""OKX: everything is a string, errors have HTTP 200 and a code, `after` means older."""

from typing import Any

from price import times
from price.model import Pair
from tests.exchange.venues.base import Book, Deal, Page, Venue, without_nothing
from tests.exchange.wire import Ask


class Okx(Venue):
    """The copy of www.okx.com."""

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
                return _good([_row(name, state.one(name))])
            case ["api", "v5", "market", "tickers"]:
                deals = state.deals(state.names.values())
                return _good([_row(self.symbol(pair), deal) for pair, deal in deals.items()])
            case ["api", "v5", "market", "candles"]:
                return _candles(state, ask, reach=1440)
            case ["api", "v5", "market", "history-candles"]:
                return _candles(state, ask, reach=10**7)
        return None


def _good(rows: list[Any]) -> Page:
    return Page({"code": "0", "msg": "", "data": rows})


def _row(name: str, deal: Deal) -> dict[str, Any]:
    bid, ask = deal.bid, deal.ask
    fields = {
        "instType": "SPOT",
        "instId": name,
        "last": deal.text(),
        "lastSz": "0.0012",
        "askPx": ask,
        "askSz": "0.8",
        "bidPx": bid,
        "bidSz": "1.2",
        "open24h": bid,
        "high24h": ask,
        "low24h": bid,
        "volCcy24h": "212345678.9",
        "vol24h": "3456.789",
        "ts": str(deal.milliseconds()) if deal.time else None,
        "sodUtc0": bid,
        "sodUtc8": bid,
    }
    return without_nothing(fields)


def _candles(state: Book, ask: Ask, reach: int) -> Page:
    now = times.unix(state.now)
    limit = min(ask.number("limit", 100), 300)
    if ask.query.get("bar", "1m") != "1m":
        return Page({"code": "51000", "data": [], "msg": "Parameter bar error"})
    older_than = min(-(-ask.number("after", (now + 1) * 1000) // 1000), now + 1)
    newer_than = ask.number("before", 0) // 1000
    start = max(newer_than + 1, older_than - limit * 60 - 60, now - now % 60 - (reach - 1) * 60)
    candles = state.candles(ask.query.get("instId", ""), start, older_than - 1)
    rows = [
        [
            str(c.start * 1000),
            *(f"{value:f}" for value in c[1:5]),
            c.volume,
            "91234.5",
            "91234.5",
            _closed(c.start, now),
        ]
        for c in candles[-limit:]
    ]
    return _good(rows[::-1])


def _closed(start: int, now: int) -> str:
    return "1" if start + 60 <= now else "0"
