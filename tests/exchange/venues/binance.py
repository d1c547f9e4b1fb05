"""Binance: strings of eight decimals, no US dollars, one unknown symbol fails the whole request."""

import json
from datetime import timedelta
from typing import Any

from price import times
from price.model import Pair
from tests.exchange.prices import Candle, filled
from tests.exchange.venues.base import (
    Book,
    Deal,
    Page,
    UnknownName,
    Venue,
    milliseconds,
    without_nothing,
)
from tests.exchange.wire import Ask

_DEAD = "0.00000000"


class Binance(Venue):
    """The copy of api.binance.com."""

    name = "binance"
    quotes = ("USDT", "USDC", "EUR")
    away = Page({"code": -1008, "msg": "Server is currently overloaded with other requests."}, 503)
    limited = Page({"code": -1003, "msg": "Too many requests."}, 429, (("Retry-After", "30"),))
    headers = (("X-MBX-USED-WEIGHT-1M", "24"),)

    def symbol(self, pair: Pair) -> str:
        return f"{pair.base}{pair.quote}"

    def unknown(self, name: str) -> Page:
        return Page({"code": -1121, "msg": "Invalid symbol."}, 400)

    def answer(self, state: Book, ask: Ask) -> Page | None:
        match ask.parts:
            case ["api", "v3", "ticker", ("24hr" | "price") as kind]:
                return self._ticker(state, ask, kind)
            case ["api", "v3", "klines"]:
                return _candles(state, ask)
        return None

    def _ticker(self, state: Book, ask: Ask, kind: str) -> Page:
        if " " in ask.query.get("symbols", ""):
            return Page({"code": -1100, "msg": "Illegal characters found in parameter 'symbols'."}, 400)
        row = _day if kind == "24hr" else _price
        if "symbol" in ask.query:
            return Page(row(ask.query["symbol"], state.one(ask.query["symbol"])))
        pairs = state.names.values() if "symbols" not in ask.query else map(state.pair, _symbols(ask))
        rows = [row(self.symbol(pair), deal) for pair, deal in state.deals(pairs).items()]
        if "symbols" not in ask.query:
            rows.append({"symbol": "123456", "price" if kind == "price" else "lastPrice": _DEAD})
        return Page(rows)


def _symbols(ask: Ask) -> list[str]:
    try:
        asked = json.loads(ask.query["symbols"])
    except ValueError:
        raise UnknownName("symbols") from None
    return [str(name) for name in asked]


def _price(name: str, deal: Deal) -> dict[str, Any]:
    return {"symbol": name, "price": deal.text(8)}


def _day(name: str, deal: Deal) -> dict[str, Any]:
    bid, ask = deal.bid, deal.ask
    fields = {
        "symbol": name,
        "priceChange": "120.00000000",
        "priceChangePercent": "0.196",
        "weightedAvgPrice": bid,
        "prevClosePrice": bid,
        "lastPrice": deal.text(8),
        "lastQty": "0.00123000",
        "bidPrice": bid,
        "bidQty": "0.40000000",
        "askPrice": ask,
        "askQty": "0.90000000",
        "openPrice": bid,
        "highPrice": ask,
        "lowPrice": bid,
        "volume": "6789.01000000",
        "quoteVolume": "412345678.90000000",
        "openTime": milliseconds(deal.time - timedelta(days=1)) if deal.time else None,
        "closeTime": deal.milliseconds(),
        "firstId": 1,
        "lastId": 345678,
        "count": 345678,
    }
    return without_nothing(fields)


def _candles(state: Book, ask: Ask) -> Page:
    limit = min(ask.number("limit", 500), 1000)
    now = times.unix(state.now)
    end = min(ask.number("endTime", now * 1000) // 1000, now)
    start = -(-ask.number("startTime", (end - end % 60 - (limit - 1) * 60) * 1000) // 1000)
    if ask.query.get("interval") != "1m":
        return Page({"code": -1120, "msg": "Invalid interval."}, 400)
    candles = filled(state.candles(ask.query.get("symbol", ""), start, min(end, start + limit * 60)))
    return Page([_kline(candle) for candle in candles[:limit]])


def _kline(candle: Candle) -> list[Any]:
    start = candle.start * 1000
    prices = [f"{value:f}" for value in candle[1:5]]
    bought = ["0.50000000", "30411.50000000", "0"]
    return [start, *prices, candle.volume, start + 59_999, "91234.50000000", candle.trades, *bought]
