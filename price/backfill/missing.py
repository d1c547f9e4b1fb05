"""Which slots of a log have no live price, between the first and the last row of each pair."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from price.log import row
from price.log.gaps import Gap, Gaps
from price.log.read import PriceLog

Slot = tuple[int, str]
"""A slot of a pair: its Unix time, and the pair."""
NEAR_SECONDS = 3600
"""A live price this near to a missed slot tells what is to be believed of it."""
MOST_SLOTS = 50_000
"""About how many missed slots are worked on at once: what is learnt of them is held in memory."""


class Priced(NamedTuple):
    """A live row with a price: its slot in Unix time, and the price as it stands there."""

    slot: int
    price: str


Around = tuple[Priced | None, Priced | None]
"""The last live price before a gap, and the first one after it; None where none was seen near it."""


class Missing:
    """Gaps in order, of which none overlaps another of its pair; `around` has the prices around each."""

    def __init__(self, gaps: Iterable[Gap], around: Mapping[Slot, Around] | None = None) -> None:
        self.gaps: Sequence[Gap] = sorted(gaps, key=lambda gap: gap.start)
        self._around = around or {}
        self._of: dict[str, list[Gap]] = {}
        for gap in self.gaps:
            self._of.setdefault(gap.pair, []).append(gap)

    def gap_of(self, unix: int, pair: str) -> Gap | None:
        """The gap that a slot lies in; None for a slot that is not missing."""
        mine = self._of.get(pair, [])
        at = bisect_right(mine, unix, key=lambda gap: gap.start)
        gap = mine[at - 1] if at else None
        return gap if gap and unix <= gap.last and (unix - gap.start) % gap.every == 0 else None

    def around(self, gap: Gap) -> Around:
        """The live prices around a gap."""
        return self._around.get((gap.start, gap.pair), (None, None))

    def of(self, pair: str) -> Sequence[Gap]:
        """The gaps of a pair."""
        return self._of.get(pair, [])

    def pairs(self) -> Collection[str]:
        """The pairs that miss slots."""
        return self._of

    def spans(self, apart: int) -> Iterator[tuple[int, int]]:
        """Where to look, in Unix time: gaps less than `apart` seconds from each other are one span."""
        spans: list[tuple[int, int]] = []
        for gap in self.gaps:
            if spans and gap.start - spans[-1][1] < apart:
                spans[-1] = spans[-1][0], max(spans[-1][1], gap.end)
            else:
                spans.append((gap.start, gap.end))
        return iter(spans)


def find_missing(
    log: PriceLog, pairs: Collection[str], since: int | None, until: int | None
) -> Iterator[Gap]:
    """What is missed in a range, of some pairs or of all. Raises PriceError.

    The log is read to its end: whether a pair that has no row in the range comes back is seen there. It is
    not limited to the pairs: other pairs' rows tell the interval that was in force.
    """
    finder = Gaps()
    seen: set[str] = set()
    changes: list[tuple[int, int]] = []
    last = 0
    for every, found in log.blocks(since):
        if not changes or changes[-1][1] != every:
            changes.append((last + 1, every))  # what lies between two intervals belongs to the new one
        last = max(row.unix(one[0]) + (row.slots(one) - 1) * every for one in [found[-1], *_long(found)])
        rows = [one for one in found if one[1] in pairs] if pairs else found
        if since is not None:
            for one in rows:
                if one[1] not in seen:  # its first row may end a hole that began before the range
                    seen.add(one[1])
                    _go_on(finder, log, one, since, every)
        for gap in finder.add(every, rows):
            yield from _within(gap, changes, since, until)
    for gap in finder.rest():
        yield from _within(gap, changes, since, until)


def _long(rows: Iterable[row.Row]) -> Iterator[row.Row]:
    """Those that may stand for more than one slot."""
    return (one for one in rows if one[2] == row.MISSED and one[4])


def _within(
    gap: Gap, changes: Sequence[tuple[int, int]], since: int | None, until: int | None
) -> Iterator[Gap]:
    """The part of a gap in a range, made of slots of the interval that was in force at each time.

    A pair that was away while the interval changed has one hole; `changes` has the Unix time from which on
    each interval was in force.
    """
    ends = [start for start, _ in changes[1:]]
    for (start, every), end in zip(changes, [*ends, None], strict=True):
        begin, stop = max(gap.start, start), gap.last + 1 if end is None else min(gap.last + 1, end)
        if begin < stop:
            part = _resized(gap, row.next_multiple(begin - 1, every), stop, every)
            yield from cut(part, since, until)


def _go_on(finder: Gaps, log: PriceLog, first: row.Row, since: int, every: int) -> None:
    """Has a pair go on from its last row before a range, where its first row in it is not due at once."""
    if row.unix(first[0]) < since + every:
        return
    last = None
    for interval, rows in PriceLog(log.path, [first[1]], live_only=True).blocks(None, since):
        last = row.unix(rows[-1][0]) + row.slots(rows[-1]) * interval
    if last is not None:
        finder.expect(first[1], row.next_multiple(max(last, since) - 1, every), every)


def cut(gap: Gap, since: int | None, until: int | None) -> Iterator[Gap]:
    """The part of a gap from `since` up to, not including, `until`; none where it has no slots."""
    late = 0 if since is None else max(0, -((gap.start - since) // gap.every))
    part = _resized(gap, gap.start + late * gap.every, gap.end if until is None else min(gap.end, until))
    if part.slots > 0:
        yield part


def _resized(gap: Gap, start: int, end: int, every: int = 0) -> Gap:
    """A gap like another, of the slots from `start` up to, not including, `end`."""
    found = Gap(start, gap.pair, gap.reason, every or gap.every)
    found.slots = -((start - end) // found.every)
    found.last = start + (found.slots - 1) * found.every
    return found


def without(gap: Gap, known: AbstractSet[Slot]) -> Iterator[Gap]:
    """What is left of a gap where some slots are known."""
    start = gap.start
    for slot in range(gap.start, gap.end + 1, gap.every):
        if slot == gap.end or (slot, gap.pair) in known:
            yield from cut(gap, start, slot)
            start = slot + gap.every


def batches(gaps: Iterable[Gap], most: int = MOST_SLOTS) -> Iterator[list[Gap]]:
    """Gaps in portions of about `most` slots; a long gap is cut."""
    portion: list[Gap] = []
    slots = 0
    for gap in gaps:
        step = -(-most // 5) * gap.every
        for start in range(gap.start, gap.end, step):
            part = next(cut(gap, start, start + step))
            portion.append(part)
            slots += part.slots
            if slots >= most:
                yield portion
                portion, slots = [], 0
    if portion:
        yield portion


def missing_of(log: PriceLog, gaps: Iterable[Gap], known: AbstractSet[Slot]) -> Missing:
    """The gaps without the slots that are known, with the live prices around them."""
    whole = Missing(gaps)
    # the gaps of each pair that are still ahead, the next one last, by the text of their first slot
    ahead = {pair: [(row.slot(gap.start), gap) for gap in reversed(whole.of(pair))] for pair in whole.pairs()}
    last: dict[str, tuple[str, str]] = {}
    around: dict[Slot, Around] = {}
    inside: dict[str, str] = {}
    """The last slot of the gap that each pair has come to."""
    priced: set[Slot] = set()
    """Slots of a missed row that have a price all the same, as in a log that verify finds fault with."""
    for begin, end in whole.spans(2 * NEAR_SECONDS):
        for slot, pair, price, _, _ in log.rows(max(0, begin - NEAR_SECONDS), end + NEAR_SECONDS):
            if price == row.MISSED or pair not in ahead:
                continue
            while ahead[pair] and ahead[pair][-1][0] <= slot:
                gap = ahead[pair].pop()[1]
                around[gap.start, pair] = _priced(last.get(pair)), _priced((slot, price))
                inside[pair] = row.slot(gap.last)
            last[pair] = slot, price
            if slot <= inside.get(pair, ""):
                priced.add((row.unix(slot), pair))
    for pair, rest in ahead.items():
        around |= {(gap.start, pair): (_priced(last.get(pair)), None) for _, gap in rest}
    parts = [(part, gap) for gap in whole.gaps for part in without(gap, known | priced)]
    return Missing(
        (part for part, _ in parts),
        {(part.start, part.pair): around[gap.start, gap.pair] for part, gap in parts},
    )


def _priced(known: tuple[str, str] | None) -> Priced | None:
    return Priced(row.unix(known[0]), known[1]) if known else None
