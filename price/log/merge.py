"""Repairs put where they belong: into slots that the log lacks or marks missed. A live row always wins.

Within a slot, live rows and what is left of them keep their order; other repairs come after them.
"""

import heapq
from collections import defaultdict, deque
from collections.abc import Iterator
from itertools import groupby, islice
from operator import itemgetter

from price import times
from price.log import row
from price.log.order import Block
from price.log.row import Row

_BEHIND = 1 << 62
"""The place within its slot of a row that no live row has a place for: behind them all."""
_FULL = 1000
"""Rows of a block, about."""
Waiting = tuple[int, int, Row, int, Iterator[tuple[int, Row]]]
"""A piece's Unix time, the place of the row that it was cut from, its row, its interval, what follows."""


class _Repairs:
    """Repairs in order, read ahead as far as a missed stretch needs it."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self.every = 0
        """The interval in the header of repairs.txt."""
        self._rows = self._priced(blocks)
        self._read: deque[tuple[int, Row]] = deque()
        self._of: defaultdict[str, deque[tuple[int, Row]]] = defaultdict(deque)

    def first(self) -> tuple[int, Row] | None:
        """The next one, with its Unix time; None where there are no more."""
        return self._read[0] if self._read or self._more() else None

    def drop(self) -> None:
        """Goes on to the one after."""
        _, one = self._read.popleft()
        self._of[one[1]].popleft()

    def within(self, pair: str, start: int, end: int) -> Iterator[tuple[int, Row]]:
        """Those of a pair from `start` up to `end`, in Unix time; each is still there for `first`."""
        at = start
        while True:
            found = next((known for known in self._of[pair] if known[0] >= at), None)
            if found is None and (not self._read or self._read[-1][0] < end) and self._more():
                continue
            if found is None or found[0] >= end:
                return
            at = found[0] + 1
            yield found

    def _priced(self, blocks: Iterator[Block]) -> Iterator[Row]:
        for every, rows in blocks:
            self.every = every
            yield from (one for one in rows if one[2] != row.MISSED)

    def _more(self) -> bool:
        one = next(self._rows, None)
        if one:
            known = (times.slot_unix(one[0]), one)
            self._read.append(known)
            self._of[one[1]].append(known)
        return one is not None


class _Merger:
    """Merges live rows with repairs, holding one piece of each missed stretch.

    A missed row may stand for a month, and repairs cut it into pieces: missed, repaired, missed ... Its later
    pieces lie between rows of other pairs that are still to come. So only its next piece is made, which needs
    the next repair of its pair, and waits in a heap until all rows before it have passed. That keeps memory
    small however long a stretch is and however many repairs fill it.
    """

    def __init__(self, repairs: Iterator[Block]) -> None:
        self._repairs = _Repairs(repairs)
        self._waiting: list[Waiting] = []
        self._covered: dict[str, int] = {}
        """The Unix time up to which live rows account for a pair's slots."""
        self._place = 0

    def concerns(self, every: int, rows: list[Row]) -> bool:
        """Whether a repair belongs among some rows; else they may pass in one piece."""
        first = self._repairs.first()
        if self._waiting or not first:
            return bool(self._waiting)
        long = (one for one in rows if one[4] and one[2] == row.MISSED)
        ends = [times.slot_unix(one[0]) + (row.slots(one) - 1) * every for one in long]
        return max([times.slot_unix(rows[-1][0]), *ends]) >= first[0]

    def live(self, every: int, rows: list[Row]) -> Iterator[tuple[int, Row]]:
        """Live rows with what belongs among them, each with its interval."""
        for one in rows:
            yield from self._live(one, every)

    def rest(self, every: int) -> Iterator[tuple[int, Row]]:
        """What belongs behind the last live row; without any, the interval is that of the repairs."""
        self._repairs.first()
        yield from self._due(_BEHIND, _BEHIND, every or self._repairs.every)

    def _live(self, one: Row, every: int) -> Iterator[tuple[int, Row]]:
        unix, pair = times.slot_unix(one[0]), one[1]
        self._place += 1
        yield from self._due(unix, self._place, every)
        if one[2] != row.MISSED:
            self._covered[pair] = unix + 1
            yield every, one
            return
        self._covered[pair] = unix + row.slots(one) * every
        self._wait(self._place, every, self._split(one, every))
        yield from self._due(unix, self._place + 1, every)

    def _due(self, unix: int, place: int, every: int) -> Iterator[tuple[int, Row]]:
        """What belongs before the place in the slot at `unix`."""
        while True:
            first = self._repairs.first()
            repair = (first[0], _BEHIND) if first else (_BEHIND, _BEHIND)
            if self._waiting and self._waiting[0][:2] < min(repair, (unix, place)):
                _, its_place, one, its_every, rest = heapq.heappop(self._waiting)
                self._wait(its_place, its_every, rest)
                yield its_every, one
            elif first and repair < (unix, place):
                slot, one = first
                self._repairs.drop()
                if slot >= self._covered.get(one[1], slot):
                    self._covered[one[1]] = slot + 1
                    yield every, one
            else:
                return

    def _wait(self, place: int, every: int, pieces: Iterator[tuple[int, Row]]) -> None:
        piece = next(pieces, None)
        if piece:
            heapq.heappush(self._waiting, (piece[0], place, piece[1], every, pieces))

    def _split(self, one: Row, every: int) -> Iterator[tuple[int, Row]]:
        """A missed row as what is repaired of it and what stays missed, one after the other."""
        first = times.slot_unix(one[0])
        at, end = first, first + row.slots(one) * every
        for unix, repaired in self._repairs.within(one[1], first, end):
            if (unix - first) % every == 0:
                if unix > at:
                    yield at, row.cut(one, at, (unix - at) // every)
                yield unix, repaired
                at = unix + every
        if at < end:
            yield at, one if at == first else row.cut(one, at, (end - at) // every)


def merged(live: Iterator[Block], repairs: Iterator[Block]) -> Iterator[Block]:
    """Live blocks with the repairs among them, in blocks again."""
    merger = _Merger(repairs)
    every = 0
    for every, rows in live:
        if rows and merger.concerns(every, rows):
            yield from _blocks(merger.live(every, rows))
        else:
            yield every, rows
    yield from _blocks(merger.rest(every))


def _blocks(rows: Iterator[tuple[int, Row]]) -> Iterator[Block]:
    """Rows as blocks of one interval, and of a good size."""
    for every, same in groupby(rows, itemgetter(0)):
        while block := [one for _, one in islice(same, _FULL)]:
            yield every, block
