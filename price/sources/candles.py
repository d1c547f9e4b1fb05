"""One-minute candles, which repair fills missed slots from. No live price passes here."""

from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from price import times
from price.errors import Unreadable
from price.model import Answer, Pair, Request
from price.sources.base import Source, read_time
from price.sources.shapes import expect
from price.sources.strictjson import read_price, shown

MINUTE = 60


class Candle(NamedTuple):
    """The prices of the minute that opens at a Unix time."""

    start: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


class CandleSource(Source):
    """A source that has candles of one minute. `data` is a decoded answer."""

    candle_unit: ClassVar[str] = "s"
    """What their times are: "iso", "s" or "ms"."""
    candle_places: ClassVar[tuple[str | int, ...]] = (0, 1, 2, 3, 4)
    """Where in a row its time, open, high, low and close stand."""
    candle_rows: ClassVar[int]
    """The most candles in one answer."""
    candle_reach_seconds: ClassVar[int | None] = None
    """How far back they go from now; None where there is no such bound."""

    def candles_request(self, pair: Pair, start: int, end: int) -> Request:
        """What to ask for the candles that open from `start` up to, not including, `end` (Unix time).

        The caller asks for at most `candle_rows` of them at once.
        """
        raise NotImplementedError

    def candle_list(self, pair: Pair, data: Any) -> object:
        """The rows of candles in an answer, in any order."""
        return data

    def read_candles(self, pair: Pair, start: int, end: int, answer: Answer) -> list[Candle]:
        """The candles of the asked range in order, each once. Raises SourceError."""
        found: dict[int, Candle] = {}
        for one in self.parsed(
            answer, lambda data: map(self._candle, expect(self.candle_list(pair, data), list))
        ):
            if not start <= one.start < end:
                continue
            candle = f"the candle of {times.iso(times.from_unix(one.start))}"
            if not one.low <= min(one.open, one.close) <= max(one.open, one.close) <= one.high:
                raise Unreadable(f"{candle} opens or closes outside its low and high")
            if found.setdefault(one.start, one) != one:
                raise Unreadable(f"{candle} stands twice in the answer, differently")
        return [found[start] for start in sorted(found)]

    def _candle(self, row: Any) -> Candle:
        """A row as a candle. Raises LookupError, TypeError or ValueError."""
        if type(row) not in (list, dict):
            raise TypeError(f"{shown(row)} where a candle belongs")
        time, *prices = (row[place] for place in self.candle_places)
        return Candle(times.unix(read_time(time, self.candle_unit)), *map(read_price, prices))
