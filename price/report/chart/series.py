"""What a chart shows: per pair its prices, period by period, and the stretches that were missed."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import takewhile
from typing import NamedTuple

from price import times
from price.log import row
from price.log.gaps import Gap, Gaps
from price.log.order import Block
from price.report.candles import Candles
from price.report.gaps import completeness

STEPS = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200),
    *(days * times.DAY for days in (1, 2, 4, 7, 14, 28, 91, 182, 365, 730, 1825, 3650, 7300, 18_250, 36_500)),
)
"""Round lengths of time, in seconds."""
_LAST_SECOND = 253_402_300_799
"""Of the calendar: a slot of the year 9999 may end beyond it."""


class Bar(NamedTuple):
    """The prices of one period, which begins at the Unix time `start`."""

    start: int
    slots: int
    """How many of them have a price."""
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


class Stretch(NamedTuple):
    """Missed slots in a row, from the Unix time `start` up to, not including, `end`."""

    start: int
    end: int
    slots: int


class Series:
    """One pair: its bars and its missed stretches in order, and what its rows rest on."""

    def __init__(self, pair: str) -> None:
        self.pair = pair
        self.bars: list[Bar] = []
        self.missed: list[Stretch] = []
        self.bases: set[str] = set()

    @property
    def sources(self) -> list[str]:
        """The sources that its prices rest on; the rows that name most of them settle their order."""
        named = sorted(self.bases, key=lambda basis: (-basis.count(","), basis))
        return [*dict.fromkeys(source for basis in named for source in basis.split(","))]

    @property
    def figures(self) -> str:
        """The prices of the range in four, every digit as recorded; there must be one."""
        first, last = self.bars[0].open, self.bars[-1].close
        low, high = min(bar.low for bar in self.bars), max(bar.high for bar in self.bars)
        return f"first {first:f}  high {high:f}  low {low:f}  last {last:f}"

    @property
    def extent(self) -> tuple[float, float]:
        """The axis of prices: from the lowest to the highest, with a little room around a flat price."""
        low, high = float(min(bar.low for bar in self.bars)), float(max(bar.high for bar in self.bars))
        return (low, high) if low < high else (low * 0.999, high * 1.001)

    @property
    def complete(self) -> str:
        """The share of slots with a price, for people."""
        return completeness(sum(bar.slots for bar in self.bars), self.missed_slots).rstrip()

    @property
    def missed_slots(self) -> int:
        """How many slots were missed."""
        return sum(stretch.slots for stretch in self.missed)

    def miss(self, start: int, end: int, slots: int) -> None:
        """Adds missed slots that come after those known."""
        last = self.missed[-1] if self.missed else None
        if last and last.end >= start:
            self.missed[-1] = Stretch(last.start, max(last.end, end), last.slots + slots)
        else:
            self.missed.append(Stretch(start, end, slots))


class Scene:
    """A range, read once: all its series, from its first slot to the end of its last one, in Unix seconds."""

    def __init__(self, every: int) -> None:
        self.every = every
        """The seconds of a bar's period."""
        self.start, self.end = 1 << 62, 0
        self._longest, self._shortest = 0, 1 << 62
        """The intervals so far."""
        self._series: dict[str, Series] = {}
        self._gaps = Gaps()

    @property
    def single(self) -> bool:
        """Whether a bar is no more than a slot."""
        return self.every <= self._shortest

    def title(self, series: Series) -> str:
        """The pair and the range: the date once, where one is enough."""
        (day, clock), (last_day, last_clock) = date_and_clock(self.start), date_and_clock(self.end)
        until = last_clock if last_day == day else f"{last_day} {last_clock}"
        return f"{series.pair}  {day} {clock} to {until} UTC"

    @property
    def line_label(self) -> str:
        """What the line shows."""
        return "each price" if self.single else f"each price: lowest to highest in {times.span(self.every)}"

    def shade_label(self, series: Series) -> str:
        """What the shade shows."""
        if self.shaded(series):
            return "missed"
        return "missed (too short to be shaded)" if series.missed else "missed (nothing)"

    @property
    def series(self) -> list[Series]:
        """The pairs in the order in which their rows come."""
        return [*self._series.values()]

    def read(self, blocks: Iterable[Block]) -> None:
        """Reads the rows."""
        for start, pair, *prices, count in Candles(self.every).of(self._noted(blocks)):
            bar = Bar(
                times.slot_unix(str(start)), int(count or 0), *(Decimal(str(price)) for price in prices)
            )
            self._of(str(pair)).bars.append(bar)

    def runs(self, series: Series) -> list[list[Bar]]:
        """The bars of a series, parted where a line between them would pass over what is not known."""
        found: list[list[Bar]] = []
        shown = iter(self.shaded(series))
        stretch = next(shown, None)
        end, near = 0, max(self.every, self._longest)
        for bar in series.bars:
            parted = not found or bar.start - end > near
            while stretch and stretch.end <= bar.start + self.every:
                parted, stretch = True, next(shown, None)
            if parted:
                found.append([])
            found[-1].append(bar)
            end = bar.start
        return found

    def way(self, bar: Bar) -> Iterator[tuple[float, float]]:
        """How a line passes through a bar: moments, in Unix seconds, and prices."""
        between = (bar.low, bar.high) if bar.close >= bar.open else (bar.high, bar.low)
        found = [bar.open, *between, bar.close] if bar.low != bar.high else [bar.close]
        for number, price in enumerate(found, start=1):
            at = bar.start if self.single else bar.start + self.every * number / (len(found) + 1)
            yield min(max(at, self.start), self.end), float(price)

    def shaded(self, series: Series) -> list[Stretch]:
        """The missed stretches that are long enough to be seen: half a period."""
        return [one for one in series.missed if 2 * (one.end - one.start) >= self.every]

    def _of(self, pair: str) -> Series:
        if pair not in self._series:
            self._series[pair] = Series(pair)
        return self._series[pair]

    def _noted(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The blocks, looked through for missed rows, sources and the range."""
        for every, rows in blocks:
            self._longest, self._shortest = max(self._longest, every), min(self._shortest, every)
            if not self._series:  # pairs are in the order that the rows of the first slot keep
                for one in takewhile(lambda one, slot=rows[0][0]: one[0] == slot, rows):  # type: ignore[misc]
                    self._of(one[1])
            self._reach(times.slot_unix(rows[0][0]), times.slot_unix(rows[-1][0]) + every)
            for gap in self._gaps.add(every, rows):
                self._miss(gap)
            for pair, basis in {(one[1], one[3]) for one in rows if one[2] != row.MISSED}:
                self._of(pair).bases.add(basis)
            yield every, rows
        for gap in self._gaps.rest():
            self._miss(gap)

    def _miss(self, gap: Gap) -> None:
        self._of(gap.pair).miss(gap.start, gap.end, gap.slots)
        self._reach(gap.start, gap.end)

    def _reach(self, start: int, end: int) -> None:
        self.start, self.end = min(self.start, start), min(max(self.end, end), _LAST_SECOND)


def date_and_clock(moment: int) -> tuple[str, str]:
    """The date and the time of day of a Unix time; the time without seconds where they are zero."""
    text = times.iso(times.from_unix(moment))
    return text[:10], text[11:19].removesuffix(":00")


def period(seconds: int, parts: int, interval: int) -> int:
    """The longest round period of which a range has at least so many; never shorter than the interval."""
    return max([interval, *(length for length in STEPS if length * parts <= seconds)])
