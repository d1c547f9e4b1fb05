"""What a chart shows: per pair its prices, period by period, and the stretches that were missed."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from price import times
from price.log import row
from price.log.order import Block
from price.report.candles import Candles, corners
from price.report.gaps import Gap, Gaps, completeness

STEPS = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200),
    *(days * times.DAY for days in (1, 2, 4, 7, 14, 28, 91, 182, 365, 730, 1825, 3650, 7300, 18_250, 36_500)),
)
"""Round lengths of time, in seconds."""
_LAST_SECOND = 253_402_300_799
"""Of the calendar: a slot of the year 9999 may end beyond it."""


class Bar(NamedTuple):
    """The prices of one period as recorded; it begins at the Unix time `start`."""

    start: int
    open: str
    high: str
    low: str
    close: str


class Series:
    """One pair: its bars and its missed stretches in order, and what its rows rest on."""

    def __init__(self, pair: str) -> None:
        self.pair = pair
        self.bars: list[Bar] = []
        self.missed: list[tuple[int, int]] = []
        """Stretches, each from a Unix time up to, not including, another."""
        self.priced_slots = self.missed_slots = 0
        self.bases: set[str] = set()

    @property
    def sources(self) -> list[str]:
        """The sources that its prices rest on; the rows that name most of them settle their order."""
        named = sorted(self.bases, key=lambda basis: (-basis.count(","), basis))
        return [*dict.fromkeys(source for basis in named for source in basis.split(","))]

    @property
    def figures(self) -> str:
        """The prices of the range in four, every digit as recorded; there must be one."""
        first, high, low, last = corners([price for bar in self.bars for price in bar[1:]])
        return f"first {first}  high {high}  low {low}  last {last}"

    @property
    def extent(self) -> tuple[float, float]:
        """The axis of prices: from the lowest to the highest, with a little room around a flat price."""
        low, high = min(float(bar.low) for bar in self.bars), max(float(bar.high) for bar in self.bars)
        return (low, high) if low < high else (low * 0.999, high * 1.001)

    @property
    def complete(self) -> str:
        """The share of slots with a price, for people."""
        return completeness(self.priced_slots, self.missed_slots).rstrip()

    def miss(self, gap: Gap) -> None:
        """Adds missed slots that come after those known: neighbouring gaps are one stretch."""
        self.missed_slots += gap.slots
        if self.missed and self.missed[-1][1] >= gap.start:
            start, end = self.missed.pop()
            self.missed.append((start, max(end, gap.end)))
        else:
            self.missed.append((gap.start, gap.end))


class Scene:
    """A range, read once: all its series, from its first slot to the end of its last one, in Unix seconds."""

    def __init__(self, every: int) -> None:
        self.every = every
        """The seconds of a bar's period."""
        self.single = True
        """Whether a bar is no more than a slot."""
        self.start, self.end = 1 << 62, 0
        self._series: dict[str, Series] = {}

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
        gaps = Gaps()
        for start, pair, *prices, count in Candles(self.every).of(self._noted(blocks, gaps)):
            series = self._series[str(pair)]
            series.bars.append(Bar(times.slot_unix(str(start)), *map(str, prices)))
            series.priced_slots += int(count or 0)
        self._miss(gaps.rest())

    def _noted(self, blocks: Iterable[Block], gaps: Gaps) -> Iterator[Block]:
        """The blocks, looked through for pairs, missed rows, sources and the range."""
        for every, rows in blocks:
            self.single &= self.every <= every
            for _, pair, price, basis, _ in rows:
                if pair not in self._series:
                    self._series[pair] = Series(pair)
                if price != row.MISSED:
                    self._series[pair].bases.add(basis)
            self._reach(times.slot_unix(rows[0][0]), times.slot_unix(rows[-1][0]) + every)
            self._miss(gaps.add(every, rows))
            yield every, rows

    def _miss(self, gaps: Iterable[Gap]) -> None:
        for gap in gaps:
            self._series[gap.pair].miss(gap)
            self._reach(gap.start, gap.end)

    def _reach(self, start: int, end: int) -> None:
        self.start, self.end = min(self.start, start), min(max(self.end, end), _LAST_SECOND)

    def runs(self, series: Series) -> list[list[Bar]]:
        """The bars of a series, parted where a line between them would pass over a shade."""
        found: list[list[Bar]] = []
        ends = [end for _, end in self.shaded(series)]
        for bar in series.bars:
            before = found[-1][-1].start if found else 0
            if not found or any(before + self.every < end <= bar.start + self.every for end in ends):
                found.append([])
            found[-1].append(bar)
        return found

    def way(self, bar: Bar) -> Iterator[tuple[float, float]]:
        """How a line passes through a bar: moments, in Unix seconds, and prices."""
        first, high, low, last = map(float, bar[1:])
        between = (low, high) if last >= first else (high, low)
        found = [first, *between, last] if low != high else [last]
        for number, price in enumerate(found, start=1):
            at = bar.start if self.single else bar.start + self.every * number / (len(found) + 1)
            yield min(max(at, self.start), self.end), price

    def shaded(self, series: Series) -> list[tuple[int, int]]:
        """The missed stretches that are long enough to be seen: half a period."""
        return [(start, end) for start, end in series.missed if 2 * (end - start) >= self.every]


def date_and_clock(moment: int) -> tuple[str, str]:
    """The date and the time of day of a Unix time; the time without seconds where they are zero."""
    text = times.iso(times.from_unix(moment))
    return text[:10], text[11:19].removesuffix(":00")


def period(seconds: int, parts: int, interval: int) -> int:
    """The longest round period of which a range has at least so many; never shorter than the interval."""
    return max([interval, *(length for length in STEPS if length * parts <= seconds)])
