"""Kraken: all pairs in one request, other names in the answer than asked for, errors with HTTP 200."""

from collections.abc import Iterable

from price import times
from price.model import Pair
from tests.exchange.prices import filled
from tests.exchange.venues.base import Book, Page, Venue
from tests.exchange.wire import Ask

_ASSETS = {"BTC": "XBT", "DOGE": "XDG"}
_KEYS = {"XBTUSD": "XXBTZUSD", "XBTEUR": "XXBTZEUR", "XBTGBP": "XXBTZGBP", "ETHUSD": "XETHZUSD"}
_KEYS |= {"ETHEUR": "XETHZEUR", "ETHGBP": "XETHZGBP", "LTCUSD": "XLTCZUSD", "LTCEUR": "XLTCZEUR"}
_KEYS |= {"XRPUSD": "XXRPZUSD", "XRPEUR": "XXRPZEUR", "LTCGBP": "XLTCZGBP", "XRPGBP": "XXRPZGBP"}


class Kraken(Venue):
    """The copy of api.kraken.com."""

    name = "kraken"
    quotes = ("USD", "EUR", "GBP", "USDT", "USDC")
    away = Page({"error": ["EService:Unavailable"]})
    limited = Page({"error": ["EAPI:Rate limit exceeded"]})
    nowhere = Page({"error": ["EGeneral:Unknown method"]})
    headers = (("Cache-Control", "public,max-age=1"),)

    def symbol(self, pair: Pair) -> str:
        return "".join(_ASSETS.get(asset, asset) for asset in pair)

    def names(self, pairs: Iterable[Pair]) -> dict[str, Pair]:
        asked = super().names(pairs)
        return asked | {_KEYS[name]: pair for name, pair in asked.items() if name in _KEYS}

    def unknown(self, name: str) -> Page:
        return Page({"error": ["EQuery:Unknown asset pair"]})

    def answer(self, state: Book, ask: Ask) -> Page | None:
        match ask.parts:
            case ["0", "public", "Ticker"]:
                deals = state.deals(map(state.pair, ask.query.get("pair", "").split(",")))
                rows = {self._key(pair): {"c": [deal.text(5), "0.0042"]} for pair, deal in deals.items()}
                return Page({"error": [], "result": rows})
            case ["0", "public", "OHLC"]:
                return self._candles(state, ask)
        return None

    def _candles(self, state: Book, ask: Ask) -> Page:
        now, name = times.unix(state.now), ask.query.get("pair", "")
        since = max(ask.number("since", 0), now - now % 60 - 720 * 60)
        if ask.number("interval", 1) != 1:
            return Page({"error": ["EGeneral:Invalid arguments"]})
        candles = filled(state.candles(name, since + 1, now))
        rows = [[c.start, *(f"{value:f}" for value in c[1:5]), "0.0", "1.5", 12] for c in candles]
        closed = rows[-2][0] if len(rows) > 1 else since
        return Page({"error": [], "result": {self._key(state.pair(name)): rows, "last": closed}})

    def _key(self, pair: Pair) -> str:
        return _KEYS.get(self.symbol(pair), self.symbol(pair))
