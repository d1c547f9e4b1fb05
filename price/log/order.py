"""Rows in order, each slot and pair once: within a file, and of several files whose rows overlap."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice, takewhile
from operator import itemgetter, lt

from price.log import row
from price.log.row import Row

Block = tuple[int, list[Row]]
"""Rows in order, and the seconds from slot to slot among them."""
END = "~"
"""Later than any slot."""
_slot = itemgetter(0)
_key = itemgetter(0, 1)


def longest_sorted(rows: list[Row]) -> list[Row]:
    """The most rows that are in order if the others are left out; the earlier ones, where there is a choice.

    Going by the row before would let one row of a wrong, late time hide all that follow it. This is the
    usual search for a longest run, from the end: `heads[n]` is the latest slot with which a run of n + 1
    rows can begin, negated, so that the list ascends; `after[i]` is the row that follows row i in its run.
    """
    heads: list[int] = []
    begins: list[int] = []
    after = [-1] * len(rows)
    for number in range(len(rows) - 1, -1, -1):
        unix = -row.unix(rows[number][0])
        at = bisect_right(heads, unix)
        after[number] = begins[at - 1] if at else -1
        heads[at : at + 1], begins[at : at + 1] = [unix], [number]
    kept, number = [], begins[-1]
    while number >= 0:
        kept.append(rows[number])
        number = after[number]
    return kept


class Once:
    """Lets each slot and pair pass once; slots come in order."""

    def __init__(self) -> None:
        self._last: set[tuple[str, str]] = set()
        """The keys of the last slot that passed."""

    def only(self, rows: list[Row]) -> list[Row]:
        """The rows whose slot and pair did not pass before."""
        slots = [one[0] for one in rows]
        rising = all(map(lt, slots, islice(slots, 1, None)))  # as in a log of one pair
        keys = [*map(_key, rows[:1] if rising else rows)]
        if len(set(keys)) != len(keys) or not self._last.isdisjoint(keys):
            rows = self._without_doubles(rows)
        if rows:
            slot = rows[-1][0]
            last = {_key(one) for one in takewhile(lambda one: one[0] == slot, reversed(rows))}
            self._last = last | {key for key in self._last if key[0] == slot}
        return rows

    def _without_doubles(self, rows: list[Row]) -> list[Row]:
        seen = set(self._last)
        kept = []
        for one in rows:
            if _key(one) not in seen:
                seen.add(_key(one))
                kept.append(one)
        return kept


def in_order(files: Iterable[tuple[str, Iterator[Block]]]) -> Iterator[Block]:
    """The blocks of files, which are sorted by their first slots, merged where their rows overlap.

    A file is opened once all that comes before its first row was given: mostly one is open at a time.
    """
    waiting = deque(files)
    running: list[tuple[Block, Iterator[Block]]] = []
    while waiting or running:
        nearest = min((block[1][0][0] for block, _ in running), default=END)
        if waiting and waiting[0][0] <= nearest:
            _go_on(running, len(running), waiting.popleft()[1])
            continue
        number = next(at for at, (block, _) in enumerate(running) if block[1][0][0] == nearest)
        (every, rows), blocks = running.pop(number)
        heads = [*(block[1][0][0] for block, _ in running), *(first for first, _ in islice(waiting, 1))]
        limit = min(heads, default=END)
        stop = len(rows) if rows[-1][0] < limit else bisect_left(rows, limit, key=_slot)
        stop = stop or bisect_right(rows, limit, key=_slot)  # of one slot, the older file's rows come first
        yield every, rows[:stop]
        if stop < len(rows):
            running.insert(number, ((every, rows[stop:]), blocks))
        else:
            _go_on(running, number, blocks)


def _go_on(running: list[tuple[Block, Iterator[Block]]], number: int, blocks: Iterator[Block]) -> None:
    """Puts the next rows of a file into its place; nothing where it has no more."""
    for every, rows in blocks:
        if rows:
            running.insert(number, ((every, rows), blocks))
            return
