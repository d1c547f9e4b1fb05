"""Which slots of a log have no live price, between the first and the last row of each pair."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from price import times
from price.log import row
from price.log.gaps import Gap, Gaps
from price.log.read import PriceLog

Slot = tuple[int, str]
"""A slot of a pair: its Unix time, and the pair."""
NEAR_SECONDS = 3600
"""A live price this near to a missed slot limits what is believed about it."""


class Priced(NamedTuple):
    """A live row with a price: its slot in Unix time, and the price as it stands there."""

    slot: int
    price: str


class Missed(NamedTuple):
    """What is known of a missed slot: its interval in seconds, and the live prices around it.

    These are the last one before and the first one after it; None where none was seen near it.
    """

    every: int
    before: Priced | None
    after: Priced | None


Missing = Mapping[Slot, Missed]
"""Missed slots in order."""


def find_missing(
    log: PriceLog, pairs: Collection[str], since: int | None, until: int | None
) -> Iterator[tuple[Slot, int]]:
    """The slots that are missed in a range, of some pairs or of all, with their intervals. Raises PriceError.

    The log is read to its end: whether a pair that has no row in the range comes back is seen there. It is
    not limited to the pairs: other pairs' rows show the interval that was in force.
    """
    finder = Gaps()
    seen: set[str] = set()
    changes: list[tuple[int, int]] = []
    last = 0
    for every, found in log.blocks(since):
        if not changes or changes[-1][1] != every:
            changes.append((last + 1, every))  # what lies between two intervals belongs to the new one
        last = max(
            times.slot_unix(one[0]) + (row.slots(one) - 1) * every for one in [found[-1], *_long(found)]
        )
        rows = [one for one in found if one[1] in pairs] if pairs else found
        if since is not None:
            for one in rows:
                if one[1] not in seen:  # its first row may end a hole that began before the range
                    seen.add(one[1])
                    _go_on(finder, log, one, since, every)
        for gap in finder.add(every, rows):
            yield from _slots(gap, changes, since, until)
    for gap in finder.rest():
        yield from _slots(gap, changes, since, until)


def _long(rows: Iterable[row.Row]) -> Iterator[row.Row]:
    """Those that may stand for more than one slot."""
    return (one for one in rows if one[2] == row.MISSED and one[4])


def _go_on(finder: Gaps, log: PriceLog, first: row.Row, since: int, every: int) -> None:
    """Has a pair go on from its last row before a range, where its first row in it comes late."""
    if times.slot_unix(first[0]) < since + every:
        return
    last = None
    for interval, rows in PriceLog(log.path, [first[1]], live_only=True).blocks(None, since):
        last = times.slot_unix(rows[-1][0]) + row.slots(rows[-1]) * interval
    if last is not None:
        finder.expect(first[1], times.next_multiple(max(last, since) - 1, every), every)


def _slots(
    gap: Gap, changes: Sequence[tuple[int, int]], since: int | None, until: int | None
) -> Iterator[tuple[Slot, int]]:
    """The slots of a gap in a range, each of the interval that was in force at its time.

    A pair that was away while the interval changed has one hole; `changes` has the Unix time from which on
    each interval was in force.
    """
    stop = gap.last + 1 if until is None else min(gap.last + 1, until)
    ends = [start for start, _ in changes[1:]]
    for (start, every), end in zip(changes, [*ends, stop], strict=True):
        first = times.next_multiple(max(gap.start, start, since or 0) - 1, every)
        yield from (((unix, gap.pair), every) for unix in range(first, min(end, stop), every))


def spans(slots: Iterable[tuple[Slot, int]], apart: int) -> list[tuple[int, int]]:
    """Where to look, in Unix time: slots in order that are less than `apart` seconds apart are one span."""
    found: list[tuple[int, int]] = []
    for (unix, _), every in slots:
        if found and unix - found[-1][1] < apart:
            found[-1] = found[-1][0], max(found[-1][1], unix + every)
        else:
            found.append((unix, unix + every))
    return found


def with_prices_around(log: PriceLog, slots: Mapping[Slot, int]) -> Missing:
    """Missed slots, given with their intervals, and the live prices around each.

    One that has a price all the same, as in a log that verify finds fault with, is left out.
    """
    ahead: dict[str, list[tuple[str, int]]] = {}
    """The slots of each pair that are still to come, the next one last, as text and in Unix time."""
    for unix, pair in sorted(slots, reverse=True):
        ahead.setdefault(pair, []).append((times.slot_text(unix), unix))
    last: dict[str, tuple[str, str]] = {}
    found: dict[Slot, Missed] = {}
    for begin, end in spans(sorted(slots.items()), 2 * NEAR_SECONDS):
        for slot, pair, price, _, _ in log.rows(max(0, begin - NEAR_SECONDS), end + NEAR_SECONDS):
            if price == row.MISSED or pair not in ahead:
                continue
            mine = ahead[pair]
            if mine and mine[-1][0] <= slot:
                before, after = _priced(last.get(pair)), _priced((slot, price))
                while mine and mine[-1][0] < slot:
                    unix = mine.pop()[1]
                    found[unix, pair] = Missed(slots[unix, pair], before, after)
                if mine and mine[-1][0] == slot:
                    mine.pop()
            last[pair] = slot, price
    for pair, mine in ahead.items():
        before = _priced(last.get(pair))
        found |= {(unix, pair): Missed(slots[unix, pair], before, None) for _, unix in mine}
    return dict(sorted(found.items()))


def _priced(known: tuple[str, str] | None) -> Priced | None:
    return Priced(times.slot_unix(known[0]), known[1]) if known else None
