"""Bitfinex: arrays of bare numbers, no time; unknown symbols are left out without a word."""

from typing import Any

from price import times
from price.model import Pair
from tests.exchange.venues.base import Book, Deal, Page, Venue, number
from tests.exchange.wire import Ask

_ASSETS = {"USDT": "UST", "USDC": "UDC"}
_FUNDING = [
    "fUSD",
    0.0003,
    0.0002,
    30,
    1234567.8,
    0.0004,
    2,
    98765.4,
    -1e-05,
    -0.03,
    0.00035,
    1.5e8,
    0.0005,
    1e-06,
]


class Bitfinex(Venue):
    """The copy of api-pub.bitfinex.com."""

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
        match ask.parts:
            case ["v2", "tickers"]:
                return Page(self._rows(state, ask.query.get("symbols", "")))
            case ["v2", "ticker", name]:
                return Page(_row(state.one(name)))
            case ["v2", "candles", key, "hist"] if key.startswith("trade:1m:"):
                return _candles(state, key.removeprefix("trade:1m:"), ask)
        return None

    def _rows(self, state: Book, symbols: str) -> list[list[Any]]:
        asked = list(state.names) if symbols == "ALL" else symbols.split(",")
        deals = state.deals(state.names[name] for name in asked if name in state.names)
        rows = [[self.symbol(pair), *_row(deal)] for pair, deal in deals.items()]
        return [*rows, [*_FUNDING, None, None, 1.4e8]] if symbols == "ALL" else rows


def _row(deal: Deal) -> list[Any]:
    bid, ask = number(deal.bid), number(deal.ask)
    return [bid, 4.727000000000001, ask, 1e-08, 334.5, 0.0055, deal.number(), 2345.678, ask, bid]


def _candles(state: Book, name: str, ask: Ask) -> Page:
    if name not in state.names:
        return Page([])
    limit = min(ask.number("limit", 100), 10_000)
    now = times.unix(state.now)
    end = min(ask.number("end", now * 1000) // 1000, now)
    start = -(-ask.number("start", (end - limit * 60) * 1000) // 1000)
    rows = [
        [
            c.start * 1000,
            *(number(f"{value:f}") for value in (c.open, c.close, c.high, c.low)),
            number(c.volume),
        ]
        for c in state.candles(name, max(start, end - 20_000 * 60), end)
    ]
    return Page(rows[:limit] if ask.query.get("sort") == "1" else rows[::-1][:limit])
