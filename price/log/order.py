"""Rows in order, each slot and pair once, within a file and of files whose rows overlap; what is left out."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import itemgetter, lt

from price import times
from price.log.row import Row
from price.text import counted, escaped

Block = tuple[int, list[Row]]
"""Rows in order, and the seconds from slot to slot among them."""
END = "~"
"""Later than any slot."""
_slot = itemgetter(0)


class LeftOut:
    """What a question did not use, so far."""

    def __init__(self) -> None:
        self.lines = 0
        """Lines that are no rows."""
        self.place = ""
        """FILE:LINE of the first of them, where it is known."""
        self.doubles = 0
        """Rows of a slot and pair that had one already."""
        self.disordered = 0
        """Rows that are earlier than one before them."""
        self.files: dict[str, str] = {}
        """Files that could not be read (by path, why), whatever the range."""
        self.damaged: dict[str, str] = {}
        """Files of which a part that the question needed could not be read."""

    def forget(self) -> None:
        """Begins again, for a question that is asked again of a longer range."""
        self.lines = self.doubles = self.disordered = 0
        self.damaged.clear()

    def report(self) -> str:
        """The text for stderr: a line for each kind, nothing where nothing was left out."""
        first = f", the first at {escaped(self.place)}" if self.place else ""
        lines = f"line is no row and was left out{first}", f"lines are no rows and were left out{first}"
        counts = (
            (self.lines, *lines),
            (
                self.doubles,
                "row stands twice; the first one counts, the other was left out",
                "rows stand twice; the first of each counts, the others were left out",
            ),
            (
                self.disordered,
                "row is earlier than one before it and was left out",
                "rows are earlier than one before them and were left out",
            ),
        )
        said = [
            f"{counted(count, one, several)}: price verify names {'it' if count == 1 else 'them'}\n"
            for count, one, several in counts
            if count
        ]
        files = {**self.files, **self.damaged}
        said += [
            f"{escaped(path)}: {why}: price verify names what is left out\n" for path, why in files.items()
        ]
        return "".join(said)


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
        unix = -times.slot_unix(rows[number][0])
        at = bisect_right(heads, unix)
        after[number] = begins[at - 1] if at else -1
        heads[at : at + 1], begins[at : at + 1] = [unix], [number]
    kept, number = [], begins[-1]
    while number >= 0:
        kept.append(rows[number])
        number = after[number]
    return kept


def sorted_blocks(blocks: Iterable[Block], end: str, left: LeftOut) -> Iterator[Block]:
    """The rows of a file without those that are out of order, up to the slot `end` at least.

    A list is held until the next is known: else a wrong, late time in its last row would hide all rows
    that follow. Where two lists are not in order, the rows of both are judged together.
    """
    held: Block | None = None
    last = ""
    for every, found in blocks:
        rows = _in_order(found, left)
        if rows[0][0] < last:
            count = len(rows)
            rows = rows[bisect_left(rows, last, key=_slot) :]
            left.disordered += count - len(rows)
        if held and rows:
            if rows[0][0] < held[1][-1][0]:
                kept = _in_order(held[1] + rows, left)
                of_held = {id(one) for one in held[1]}
                count = sum(id(one) in of_held for one in kept)
                held, rows = (held[0], kept[:count]), kept[count:]
            if held[1]:
                last = held[1][-1][0]
                yield held
        if rows:
            held = every, rows
            if rows[-2:][0][0] >= end:  # one such row may be a wrong one, two end the range
                break
    if held and held[1]:
        yield held


def _in_order(rows: list[Row], left: LeftOut) -> list[Row]:
    if rows == sorted(rows, key=_slot):
        return rows
    kept = longest_sorted(rows)
    left.disordered += len(rows) - len(kept)
    return kept


def once(blocks: Iterable[Block], left: LeftOut) -> Iterator[Block]:
    """The rows of sorted blocks, each slot and pair once: the first of equal ones."""
    last, known = "", set[str]()
    """The last slot that passed, and its pairs."""
    for every, rows in blocks:
        slots, end, new = [one[0] for one in rows], rows[-1][0], rows
        # where each is later than the one before, it is of one pair; a set of them takes twice the time
        if slots[0] == last or not all(map(lt, slots, islice(slots, 1, None))):
            first: dict[tuple[str, ...], Row] = {}
            for one in rows:
                if one[0] != last or one[1] not in known:
                    first.setdefault(one[:2], one)
            new = [*first.values()]
            left.doubles += len(rows) - len(new)
        pairs = {one[1] for one in rows[bisect_left(rows, end, key=_slot) :]}
        last, known = end, pairs | known if end == last else pairs
        if new:
            yield every, new


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
