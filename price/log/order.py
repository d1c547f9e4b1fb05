"""Rows in order, each slot and pair once: within a file, and of several files whose rows overlap."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice, takewhile
from operator import itemgetter

from price.log import row
from price.log.row import Row

Block = tuple[int, list[Row]]
"""Rows in order, and the seconds from slot to slot among them."""
END = "~"
"""Later than any slot."""
_slot = itemgetter(0)


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
    """Lets each slot and pair pass once. Blocks come in order, and have none twice themselves."""

    def __init__(self) -> None:
        self._slot = ""
        self._pairs: set[str] = set()
        """The last slot that passed, and its pairs."""

    def only(self, rows: list[Row]) -> list[Row]:
        """The rows whose slot and pair did not pass before."""
        if rows[0][0] == self._slot:  # only there may one of them have been before
            stop = bisect_right(rows, self._slot, key=_slot)
            new = [one for one in rows[:stop] if one[1] not in self._pairs]
            rows = rows if len(new) == stop else new + rows[stop:]
        if rows:
            slot = rows[-1][0]
            pairs = {one[1] for one in takewhile(lambda one: one[0] == slot, reversed(rows))}
            self._pairs = pairs | self._pairs if slot == self._slot else pairs
            self._slot = slot
        return rows


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
