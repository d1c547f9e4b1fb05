"""What the rows of a range come to, pair by pair: bars of a period, missed stretches, sources.

The chart and the page draw from it. Rows are read once, and the sums of ranges that follow one another are
joined to that of all of them.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from price import times
from price.log import row
from price.log.order import Block
from price.report.candles import Candle, Candles
from price.report.gaps import UNRECORDED, Gap, Gaps


class Bar(NamedTuple):
    """The prices of a period, which begins at the Unix time `start`, as they stand in the rows."""

    start: int
    open: str
    high: str
    low: str
    close: str
    slots: int
    """How many of them have a price."""
    by: str
    """What filled some of them in later, such as `candle`; empty where nothing did."""


class Missed(NamedTuple):
    """Missed slots in a row, from the Unix time `start` up to, not including, `end`."""

    start: int
    end: int
    slots: int
    reason: str


class Sum(NamedTuple):
    """What a pair's rows of a stretch of time come to."""

    bars: list[Bar]
    missed: list[Missed]
    sources: list[str]
    """The texts of column 4 of its prices, each once."""
    begin: int
    """The first slot that its rows account for, in Unix seconds."""
    last: int
    """The last one."""
    intervals: list[int]
    """The seconds from slot to slot, in the order in which they changed; none where there are no rows."""

    @property
    def end(self) -> int:
        """The slot after the last one; there must be rows."""
        return self.last + self.intervals[-1]


NOTHING = Sum([], [], [], 0, 0, [])
"""Of a pair without rows."""


def sum_up(blocks: Iterable[Block], every: int) -> dict[str, Sum]:
    """What rows come to, in bars of so many seconds; the pairs are in the order of their first rows."""
    sums: dict[str, Sum] = {}
    repaired: dict[tuple[str, int], dict[str, None]] = {}
    """Of a pair and a period that begins at a Unix time, what filled slots of it in."""
    gaps, candles = Gaps(), Candles(every)

    def add(settled: Iterable[Gap], over: Iterable[Candle]) -> None:
        for gap in settled:
            sums[gap.pair].missed.append(Missed(gap.start, gap.end, gap.slots, gap.reason))
        for start, pair, first, high, low, last, slots in over:
            unix = times.slot_unix(start)
            by = ", ".join(repaired.pop((pair, unix), ()))
            sums[pair].bars.append(Bar(unix, first, high, low, last, slots, by))

    for interval, rows in blocks:
        _extend(sums, interval, rows)
        for slot, pair, price, _, extras in rows:
            if " by=" in extras and price != row.MISSED:
                start = times.slot_unix(slot) // every * every
                by = row.extras((slot, pair, price, "", extras)).get("by", "")
                repaired.setdefault((pair, start), {})[by] = None
        add(gaps.add(interval, rows), candles.add(rows))
    add(gaps.rest(), candles.rest())
    return sums


def _extend(sums: dict[str, Sum], every: int, rows: list[row.Row]) -> None:
    """Has each pair's sum go on over the next rows, which have one interval, and know their sources."""
    for pair, newest in {one[1]: one for one in rows}.items():
        last = times.slot_unix(newest[0]) + (row.slots(newest) - 1) * every
        if pair not in sums:
            begin = times.slot_unix(next(slot for slot, its, *_ in rows if its == pair))
            sums[pair] = Sum([], [], [], begin, last, [every])
        known = sums[pair] = sums[pair]._replace(last=last)
        if known.intervals[-1] != every:
            known.intervals.append(every)
    for pair, basis in dict.fromkeys([(one[1], one[3]) for one in rows if one[2] != row.MISSED]):
        if basis not in sums[pair].sources:
            sums[pair].sources.append(basis)


def source_names(sources: Iterable[str]) -> list[str]:
    """The sources that prices rest on; of the texts, those that name most of them settle their order."""
    ordered = sorted(sources, key=lambda text: (-text.count(","), text))
    return [*dict.fromkeys(name for text in ordered for name in text.split(","))]


def joined(parts: Iterable[Sum], every: int) -> Sum:
    """The sums of stretches, one after the other, as the sum of all of them, in bars of a longer period."""
    found = [one for one in parts if one.intervals]
    if not found:
        return NOTHING
    return Sum(
        _joined_bars((bar for one in found for bar in one.bars), every),
        [*_joined_missed(found)],
        [*dict.fromkeys(text for one in found for text in one.sources)],
        found[0].begin,
        found[-1].last,
        [interval for one in found for interval in one.intervals],
    )


def hole(after: int, until: int, every: int) -> list[Missed]:
    """The slots behind the Unix time `after`, up to `until`, as missed without a row; none where none are."""
    start = times.next_multiple(after, every)
    return [Missed(start, until, -((start - until) // every), UNRECORDED)] if start < until else []


def _joined_bars(bars: Iterable[Bar], every: int) -> list[Bar]:
    found: list[Bar] = []
    for bar in bars:
        start = bar.start // every * every
        if not found or found[-1].start != start:
            found.append(bar._replace(start=start))
            continue
        last = found[-1]
        found[-1] = Bar(
            start,
            last.open,
            max(last.high, bar.high, key=Decimal),
            min(last.low, bar.low, key=Decimal),
            bar.close,
            last.slots + bar.slots,
            ", ".join(dict.fromkeys(by for one in (last, bar) for by in one.by.split(", ") if by)),
        )
    return found


def _joined_missed(parts: list[Sum]) -> Iterator[Missed]:
    """What was missed in the parts of a range, and in the holes between their rows; neighbours are one."""
    before: Missed | None = None
    for number, part in enumerate(parts):
        missed = hole(parts[number - 1].last, part.begin, part.intervals[0]) if number else []
        for one in [*missed, *part.missed]:
            if before and before.end == one.start and before.reason == one.reason:
                before = before._replace(end=one.end, slots=before.slots + one.slots)
            else:
                if before:
                    yield before
                before = one
    if before:
        yield before
