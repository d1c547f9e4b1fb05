"""What a copy of an exchange is made of: the state with its prices, and the pages that it answers."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from price import times
from price.model import Pair
from price.sources.candles import Candle
from tests.exchange.wire import Ask

BASES = ("BTC", "ETH", "SOL", "LTC", "XRP", "ADA", "DOGE")
_NUMBERS = re.compile(r'"#([^"]*)"')


class UnknownName(Exception):
    """A request names a pair that the exchange does not have."""


class NoPrices(Exception):
    """The exchange has no price just now for anything that was asked."""


class Page(NamedTuple):
    """An answer as a JSON value, or as a text of HTML."""

    data: Any
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()

    def body(self) -> bytes:
        """The answer's bytes."""
        if isinstance(self.data, str):
            return self.data.encode()
        text = json.dumps(self.data, separators=(",", ":"))
        return (_NUMBERS.sub(r"\1", text) if "#" in text else text).encode()


class Deal(NamedTuple):
    """The last trade of a pair. Without a time the answer carries none; `raw` replaces the price as JSON."""

    price: Decimal
    time: datetime | None
    raw: str = ""

    def text(self, places: int = 0) -> str:
        """The price as a JSON string, filled up with zeros to so many decimal places."""
        return number(self.raw) if self.raw else padded(self.price, places)

    def number(self) -> str:
        """The price as a JSON number."""
        return number(self.raw or padded(self.price))

    def seconds(self) -> int | None:
        """The time in Unix seconds."""
        return times.unix(self.time) if self.time else None

    def milliseconds(self) -> int | None:
        """The time in Unix milliseconds."""
        return milliseconds(self.time) if self.time else None


@dataclass(frozen=True)
class Book:
    """What an exchange knows while it answers one request."""

    now: datetime
    names: Mapping[str, Pair]
    deal: Callable[[Pair], Deal | None]
    honest: Callable[[Pair], Deal | None]
    minute: Callable[[Pair, int], Candle | None]

    def pair(self, name: str) -> Pair:
        """The pair of the exchange's own name. Raises UnknownName."""
        if name not in self.names:
            raise UnknownName(name)
        return self.names[name]

    def deals(self, pairs: Iterable[Pair]) -> dict[Pair, Deal]:
        """The last trades of some pairs; those that have none are left out. Raises NoPrices."""
        asked = list(pairs)
        found = {pair: deal for pair in asked if (deal := self.deal(pair))}
        if asked and not found and not any(map(self.honest, asked)):
            raise NoPrices
        return found

    def one(self, name: str) -> Deal:
        """The last trade of a single pair. Raises UnknownName, NoPrices."""
        pair = self.pair(name)
        deals = self.deals([pair])
        if pair not in deals:
            raise UnknownName(name)
        return deals[pair]

    def candles(self, name: str, start: int, end: int) -> list[Candle]:
        """The minutes that open from `start` to `end`, both included, in order. Raises UnknownName."""
        pair = self.pair(name)
        opening = range(-(-start // 60) * 60, min(end, times.unix(self.now)) + 1, 60)
        return [candle for at in opening if (candle := self.minute(pair, at))]


class Venue:
    """The copy of one exchange's public API."""

    name: ClassVar[str]
    quotes: ClassVar[tuple[str, ...]]
    away: ClassVar[Page]
    """What it says in maintenance."""
    limited: ClassVar[Page]
    """What it says when asked too often."""
    nowhere: ClassVar[Page] = Page("<html><h1>404 Not Found</h1></html>", 404)
    """What it says of a path that it does not have."""
    headers: ClassVar[tuple[tuple[str, str], ...]] = ()

    def pairs(self) -> list[Pair]:
        """The pairs that it lists unless told otherwise."""
        return [Pair(base, quote) for quote in self.quotes for base in BASES]

    def symbol(self, pair: Pair) -> str:
        """Its own name of a pair, as asked for."""
        raise NotImplementedError

    def names(self, pairs: Iterable[Pair]) -> dict[str, Pair]:
        """Every name that a pair can be asked by."""
        return {self.symbol(pair): pair for pair in pairs}

    def unknown(self, name: str) -> Page:
        """What it says of a pair that it does not have."""
        raise NotImplementedError

    def answer(self, state: Book, ask: Ask) -> Page | None:
        """The answer to a request; None where it has no such path."""
        raise NotImplementedError


def number(text: str) -> str:
    """A text that goes out as it stands, without quotes: Decimal prices that are no JSON strings."""
    return f"#{text}"


def padded(price: Decimal, places: int = 0) -> str:
    """A plain decimal with at least so many places."""
    text = f"{price:f}"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(places, '0')}" if places else text


def milliseconds(moment: datetime) -> int:
    """Unix milliseconds."""
    return times.unix(moment) * 1000 + moment.microsecond // 1000


def without_nothing(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}
