"""Which slots of a log have no live price, between the first and the last row of each pair."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from price import times
from price.log import row
from price.log.read import PriceLog

Slot = tuple[int, str]
"""A slot of a pair: its Unix time, and the pair."""
NEAR_SECONDS = 3600
"""A live price this near to a missed slot limits what is believed about it."""
_EVER = 1 << 62


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
) -> Iterator[tuple[Slot, Missed]]:
    """The slots that are missed in a range, of some pairs or of all; each pair's in order. Raises PriceError.

    The log is read to its end: whether a pair that has no row in the range comes back is seen there. It is
    not limited to the pairs: other pairs' rows show the interval that was in force.
    """
    begin = None if since is None else max(0, since - NEAR_SECONDS)
    window = moments(since, until)
    known: dict[str, _Pair] = {}
    changes: list[tuple[int, int]] = []
    last = 0
    for every, rows in log.blocks(begin):
        if not changes or changes[-1][1] != every:
            changes.append((last + 1, every))  # what lies between two intervals belongs to the new one
        for one in rows:
            unix = times.slot_unix(one[0])
            end = unix + (row.slots(one) - 1) * every
            last = max(last, end)
            if pairs and one[1] not in pairs:
                continue
            pair = known.get(one[1])
            if pair is None:
                late = begin is not None and unix >= begin + every
                pair = known[one[1]] = _Pair(one[1], _end_before(log, one[1], begin) if late else None)
            if one[2] == row.MISSED:
                pair.lacks(unix, end + 1, changes, window)
                pair.last = max(end, pair.last or 0)
            else:
                pair.lacks(unix, unix, changes, window)
                if pair.missed:
                    yield from pair.found(Priced(unix, one[2]))
                pair.last, pair.priced = unix, Priced(unix, one[2])
    for pair in known.values():
        yield from pair.found(None)


def moments(since: int | None, until: int | None) -> range:
    """The Unix times of a range that may be open."""
    return range(since or 0, _EVER if until is None else until)


class _Pair:
    """How far a pair is accounted for, and which of its slots have no price since its last one.

    What is believed of a missed slot depends on the price before it and on the one after it. So a slot is
    handed out once the next price has come; until then neighbouring slots are one range, and a pair that
    is away for a year takes no memory.
    """

    def __init__(self, name: str, last: int | None) -> None:
        self.name = name
        self.last = last
        """The last slot, in Unix time, that its rows account for."""
        self.priced: Priced | None = None
        """Its last row with a price."""
        self.missed: list[range] = []
        """Slots in Unix time; each interval is a step."""

    def lacks(self, unix: int, end: int, changes: Sequence[tuple[int, int]], window: range) -> None:
        """Notes that a row for the slot `unix` has come, and that there is no price before `end`.

        A pair that was away while the interval changed has one hole: each of its slots is one of the interval
        that was in force. `changes` has the Unix time from which on each was.
        """
        due = unix if self.last is None else times.next_multiple(self.last, changes[-1][1])
        if due >= end:
            return
        ends = [start for start, _ in changes[1:]]
        for (start, every), its_end in zip(changes, [*ends, _EVER], strict=True):
            first = times.next_multiple(max(due, start, window.start) - 1, every)
            slots = range(first, min(its_end, end, window.stop), every)
            before = self.missed[-1] if self.missed else range(0)
            if slots and before and before.step == every and before[-1] + every == first:
                self.missed[-1] = range(before.start, slots.stop, every)
            elif slots:
                self.missed.append(slots)

    def found(self, after: Priced | None) -> Iterator[tuple[Slot, Missed]]:
        """The missed slots before the next price; a damaged log may have one in the midst of a missed row."""
        stop = after.slot if after else _EVER
        for slots in self.missed:
            missed = Missed(slots.step, self.priced, after)
            yield from (((unix, self.name), missed) for unix in slots if unix < stop)
        self.missed.clear()


def _end_before(log: PriceLog, pair: str, begin: int | None) -> int | None:
    """The last slot that the rows of a pair before a range account for; None where it has none there."""
    last = None
    for every, rows in PriceLog(log.path, [pair], live_only=True).blocks(None, begin):
        last = times.slot_unix(rows[-1][0]) + (row.slots(rows[-1]) - 1) * every
    return last


def spans(missing: Missing, apart: float) -> list[tuple[int, int]]:
    """Where to look, in Unix time: missed slots that are less than `apart` seconds apart are one span."""
    found: list[tuple[int, int]] = []
    for (unix, _), missed in missing.items():
        end = unix + missed.every
        if found and unix - found[-1][1] < apart:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((unix, end))
    return found
