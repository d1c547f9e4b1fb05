"""Missed slots in a row, and which slots of several such stretches are still open. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

Slot = tuple[int, bytes]
"""A slot of a pair: its Unix time, and the pair as it stands in rows. Sorts as rows do."""


class Stretch(NamedTuple):
    """So many missed slots of a pair, `every` seconds apart, from the Unix time `start` on."""

    start: int
    pair: bytes
    slots: int
    every: int
    before: int = 0
    """How many missed slots it lost at its start where it was cut, of which it is still a part."""
    after: int = 0
    """The same at its end."""

    @property
    def whole(self) -> int:
        """How many slots are missed in a row, wherever it was cut."""
        return self.before + self.slots + self.after

    @property
    def end(self) -> int:
        """The slot after the last."""
        return self.start + self.slots * self.every

    def between(self, since: int | None, until: int | None) -> "Stretch":
        """The part of it from `since` up to, not including, `until`; perhaps of no slots."""
        first = 0 if since is None else max(0, self._until(since))
        last = self.slots if until is None else min(self.slots, self._until(until))
        return self._replace(
            start=self.start + first * self.every,
            slots=max(0, last - first),
            before=self.before + first,
            after=self.after + self.slots - last,
        )

    def _until(self, unix: int) -> int:
        """How many of its slots, were it without end, lie before a time; below 0 for one before it."""
        return -((self.start - unix) // self.every)

    def parts(self, most: int) -> Iterator["Stretch"]:
        """The stretch in pieces of at most twice `most` slots, none of them small unless it is itself."""
        rest = self
        while rest.slots > 2 * most:
            yield rest._replace(slots=most, after=rest.after + rest.slots - most)
            rest = rest._replace(
                start=rest.start + most * rest.every, slots=rest.slots - most, before=rest.before + most
            )
        yield rest

    def without(self, known: AbstractSet[Slot]) -> Iterator["Stretch"]:
        """What is left of it where some slots are known."""
        start, before = self.start, self.before
        for slot in range(self.start, self.end, self.every):
            if (slot, self.pair) in known:
                if slot > start:
                    slots = (slot - start) // self.every
                    yield self._replace(start=start, slots=slots, before=before, after=0)
                start, before = slot + self.every, 0
        if start < self.end:
            yield self._replace(start=start, slots=(self.end - start) // self.every, before=before)


class Missing:
    """Stretches, sorted, of which none overlaps another of its pair; `every` tells what a slot belongs to."""

    def __init__(self, stretches: Iterable[Stretch]) -> None:
        self.stretches: Sequence[Stretch] = sorted(stretches)
        self._of: dict[bytes, list[Stretch]] = {}
        for stretch in self.stretches:
            self._of.setdefault(stretch.pair, []).append(stretch)

    def every(self, slot: Slot) -> int:
        """The interval of the stretch that a slot lies in; 0 for a slot that is not missing."""
        unix, pair = slot
        mine = self._of.get(pair, [])
        at = bisect_right(mine, unix, key=lambda stretch: stretch.start)
        if at and unix < mine[at - 1].end and (unix - mine[at - 1].start) % mine[at - 1].every == 0:
            return mine[at - 1].every
        return 0

    def of(self, pair: bytes) -> Sequence[Stretch]:
        """The stretches of a pair."""
        return self._of.get(pair, [])

    def pairs(self) -> Iterable[bytes]:
        """The pairs that miss slots."""
        return self._of

    def spans(self, gap: int) -> Iterator[tuple[int, int]]:
        """Where to look, in Unix time: stretches less than `gap` seconds apart are one span."""
        begin = end = None
        for stretch in self.stretches:
            if begin is None or end is None:
                begin, end = stretch.start, stretch.end
            elif stretch.start - end >= gap:
                yield begin, end
                begin, end = stretch.start, stretch.end
            else:
                end = max(end, stretch.end)
        if begin is not None and end is not None:
            yield begin, end
