"""What a chart shows: per pair its prices, period by period, and the stretches that were missed."""

from collections.abc import Iterable, Iterator

from price import times
from price.log.order import Block
from price.report.candles import corners
from price.report.gaps import completeness
from price.report.summary import Bar, Missed, Sum, source_names, sum_up

STEPS = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200),
    *(days * times.DAY for days in (1, 2, 4, 7, 14, 28, 91, 182, 365, 730, 1825, 3650, 7300, 18_250, 36_500)),
)
"""Round lengths of time, in seconds."""


class Series:
    """One pair: its bars and its missed stretches in order, and what its rows rest on."""

    def __init__(self, pair: str, found: Sum) -> None:
        self.pair = pair
        self.bars = found.bars
        self.sources = source_names(found.sources)
        self.missed = [*_stretches(found.missed)]
        """Each from a Unix time up to, not including, another."""
        self.missed_slots = sum(one.slots for one in found.missed)

    @property
    def figures(self) -> str:
        """The prices of the range in four, every digit as recorded; there must be one."""
        first, high, low, last = corners([price for bar in self.bars for price in _prices(bar)])
        return f"first {first}  high {high}  low {low}  last {last}"

    @property
    def extent(self) -> tuple[float, float]:
        """The axis of prices: from the lowest to the highest, with a little room around a flat price."""
        low, high = min(float(bar.low) for bar in self.bars), max(float(bar.high) for bar in self.bars)
        return (low, high) if low < high else (low * 0.999, high * 1.001)

    @property
    def complete(self) -> str:
        """The share of slots with a price, for people."""
        return completeness(sum(bar.slots for bar in self.bars), self.missed_slots).rstrip()


def _prices(bar: Bar) -> tuple[str, str, str, str]:
    return bar.open, bar.high, bar.low, bar.close


def _stretches(missed: Iterable[Missed]) -> Iterator[tuple[int, int]]:
    """From when to when slots were missed, whatever the reason: neighbours are one."""
    start = end = 0
    for one in missed:
        if one.start > end:
            if end:
                yield start, end
            start = one.start
        end = max(end, one.end)
    if end:
        yield start, end


class Scene:
    """A range: all its series, from its first slot to the end of its last one, in Unix seconds."""

    def __init__(self, blocks: Iterable[Block], every: int) -> None:
        sums = sum_up(blocks, every)
        self.series = [Series(pair, found) for pair, found in sums.items()]
        """In the order in which the rows of the pairs come."""
        self.every = every
        """The seconds of a bar's period."""
        self.single = all(every <= min(found.intervals) for found in sums.values())
        """Whether a bar is no more than a slot."""
        self.start = min((found.begin for found in sums.values()), default=0)
        self.end = min(max((found.end for found in sums.values()), default=0), times.LAST_SECOND)

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
        first, high, low, last = map(float, _prices(bar))
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
