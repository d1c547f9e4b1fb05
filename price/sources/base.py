"""What a source is: what to ask an exchange, and how to read its answer. No I/O, no clock, no logging."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

from price import coins, times
from price.errors import Refused, SourceError, Unreadable
from price.model import Answer, Pair, Reading, Request
from price.sources.refusals import away_page, raise_refusal
from price.sources.strictjson import read_json, read_price, shown
from price.text import MALFORMED
from price.wire import excerpt

T = TypeVar("T")
_SECONDS = re.compile(r"\d{1,18}(?:\.\d{1,30})?", re.ASCII)


RawPrice = tuple[Pair, object, object]
"""What an answer holds for one pair, still as sent: its price, and its time or None."""


class Source:
    """An exchange. Subclasses say where it is, what it quotes, what to ask, and how to read its answers."""

    name: ClassVar[str]
    url: ClassVar[str]
    """scheme://host of the public API; PRICE_<NAME>_URL replaces it."""
    currencies: ClassVar[frozenset[str]]
    """The currencies it quotes in."""
    limit_per_minute: ClassVar[int | None]
    """The known limit of weighted requests a minute; None where none is published."""
    gap_seconds: ClassVar[float] = 0
    """The least time between two slots that ask it."""
    burst: ClassVar[int] = 0
    """How many requests may go without a pause; then `per_second` holds. 0 where only the minute counts."""
    per_second: ClassVar[float] = 0
    path: ClassVar[str] = ""
    """What to ask about one pair, whose symbol replaces {}; empty where one request is about all."""
    list_path: ClassVar[str] = ""
    """What to ask about all pairs; their symbols, with commas between, replace {} where it has one."""
    time_unit: ClassVar[str] = ""
    """What its price times are: "iso", "s", "ms", or "" where its answers have none."""

    def __init__(self, tickers: Mapping[str, str] | None = None) -> None:
        """`tickers` are what the exchange calls coins, where the operator knows better than the table."""
        self.tickers = dict(tickers or {})
        self._symbols: dict[Pair, str] = {}

    def offers(self, pair: Pair) -> bool:
        """Whether the pair may be here: each coin is known here, or unheard of (price/coins.py)."""
        return pair.quote in self.currencies and all(
            self._knows(asset) or coins.is_unheard_of(self.name, asset) for asset in pair
        )

    def knows(self, pair: Pair) -> bool:
        """Whether the exchange is known to mean the pair's coins by the symbol that is asked for."""
        return all(map(self._knows, pair))

    def symbol(self, pair: Pair) -> str:
        """What the exchange calls a pair."""
        if pair not in self._symbols:
            self._symbols[pair] = self.joined(*map(self.ticker, pair))
        return self._symbols[pair]

    def joined(self, base: str, quote: str) -> str:
        """The symbol of two tickers, as it is asked for."""
        return base + quote

    def ticker(self, asset: str) -> str:
        """What the exchange calls an asset."""
        return self.tickers.get(asset) or coins.ticker(self.name, asset) or asset

    def _knows(self, asset: str) -> bool:
        return asset in self.tickers or coins.ticker(self.name, asset) is not None

    def headers(self, key: str, url: str) -> dict[str, str]:
        """Headers that each request to `url` carries; `key` is the source's API key or empty."""
        return {}

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        """What to ask in one slot for these pairs: of two paths, the list is for more than two pairs."""
        if self.list_path and (len(pairs) > 2 or not self.path):
            return [Request(self.list_path.format(",".join(map(self.symbol, pairs))), tuple(pairs))]
        return [Request(self.path.format(self.symbol(pair)), (pair,)) for pair in pairs]

    def raw_prices(self, pairs: Sequence[Pair], data: Any) -> Iterable[RawPrice]:
        """What a decoded answer holds for the asked pairs; pairs that are missing from it are left out."""
        raise NotImplementedError

    def error_in(self, data: Any, status: int) -> SourceError | None:
        """The error that a decoded answer is, if it is one."""
        return None

    def read(self, pairs: Sequence[Pair], answer: Answer) -> dict[Pair, Reading | SourceError]:
        """A reading or an error for each asked pair. Raises SourceError where the answer is of no use."""
        found: dict[Pair, Reading | SourceError] = {}
        for pair, price, time in self.parsed(answer, lambda data: self.raw_prices(pairs, data)):
            reading = self._reading(price, time)
            if found.setdefault(pair, reading) != reading:
                found[pair] = Unreadable("it stands twice in the answer, differently")
        return {pair: found.get(pair) or Refused("missing from the answer") for pair in pairs}

    def parsed(self, answer: Answer, reader: Callable[[Any], Iterable[T]]) -> list[T]:
        """What a reader finds in an answer. Raises what an error answer means; Unreadable for odd shapes."""
        try:
            data = read_json(answer.body)
        except Unreadable:
            raise_refusal(answer, away_page(answer.body))
            raise
        error = None
        with suppress(*MALFORMED):  # of another shape: the reader will say so
            error = self.error_in(data, answer.status)
        raise_refusal(answer, error)
        try:
            return list(reader(data))
        except MALFORMED as malformed:
            reason = f"{type(malformed).__name__}: {excerpt(str(malformed))}"
            raise Unreadable(f"an answer of another shape ({reason}): {excerpt(answer.body)}") from malformed

    def _reading(self, price: object, time: object) -> Reading | SourceError:
        try:
            moment = read_time(time, self.time_unit) if self.time_unit else None
            return Reading(self.name, read_price(price), time=moment)
        except ValueError as error:
            return Unreadable(str(error))


def read_time(raw: object, unit: str) -> datetime:
    """A time from JSON in the given unit ("iso", "s", "ms"). Raises ValueError."""
    if unit == "iso" and isinstance(raw, str):
        return times.parse_iso(raw)
    text = str(raw) if isinstance(raw, (str, int, Decimal)) else ""
    if unit == "iso" or not _SECONDS.fullmatch(text):
        raise ValueError(f"not a time: {shown(raw)}")
    micro = int(Decimal(text) * (1_000_000 if unit == "s" else 1000))
    try:
        return times.EPOCH + timedelta(microseconds=micro)
    except OverflowError as error:
        raise ValueError(f"a time outside the calendar: {shown(raw)}") from error
