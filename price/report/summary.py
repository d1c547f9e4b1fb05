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
    end: int
    """The slot after the last one."""
    every: int
    """The seconds from slot to slot where the stretch begins; 0 where there are no rows."""
    shortest: int
    """The least seconds from slot to slot in it."""


NOTHING = Sum([], [], [], 0, 0, 0, 0)
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
    for pair, last in {one[1]: one for one in rows}.items():
        end = times.slot_unix(last[0]) + row.slots(last) * every
        known = sums.get(pair)
        if known:
            sums[pair] = known._replace(end=end, shortest=min(known.shortest, every))
        else:
            begin = times.slot_unix(next(slot for slot, its, *_ in rows if its == pair))
            sums[pair] = Sum([], [], [], begin, end, every, every)
    for pair, basis in dict.fromkeys([(one[1], one[3]) for one in rows if one[2] != row.MISSED]):
        if basis not in sums[pair].sources:
            sums[pair].sources.append(basis)


def source_names(sources: Iterable[str]) -> list[str]:
    """The sources that prices rest on; of the texts, those that name most of them settle their order."""
    ordered = sorted(sources, key=lambda text: (-text.count(","), text))
    return [*dict.fromkeys(name for text in ordered for name in text.split(","))]


def joined(parts: Iterable[Sum], every: int) -> Sum:
    """The sums of stretches, one after the other, as the sum of all of them, in bars of a longer period."""
    found = [one for one in parts if one.every]
    if not found:
        return NOTHING
    return Sum(
        _joined_bars((bar for one in found for bar in one.bars), every),
        [*_joined_missed(found)],
        [*dict.fromkeys(text for one in found for text in one.sources)],
        found[0].begin,
        found[-1].end,
        found[0].every,
        min(one.shortest for one in found),
    )


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
    end = 0
    for part in parts:
        hole = []
        if end and part.begin > end:
            hole = [Missed(end, part.begin, -((end - part.begin) // part.every), UNRECORDED)]
        for one in [*hole, *part.missed]:
            if before and before.end == one.start and before.reason == one.reason:
                before = before._replace(end=one.end, slots=before.slots + one.slots)
            else:
                if before:
                    yield before
                before = one
        end = part.end
    if before:
        yield before
