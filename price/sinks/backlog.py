"""The rows that wait for the disk, slot by slot, and what becomes of them when there are too many."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from price import times
from price.log import quotes as rows
from price.log import row
from price.model import Pair, Quote

MOST_BYTES = 64 * 1024 * 1024
_DAY_SECONDS = 86400


class Block(NamedTuple):
    """The rows of a slot; or those that stand for slots whose rows were given up."""

    first: datetime
    """The slot of the first row, which may be a missed one from before."""
    slot: datetime
    rows: int
    """How many of them wait to be written; none where they were given up."""
    text: bytes
    interval: int
    """In seconds."""
    begins: bool
    """Whether a new segment begins with it."""


class Backlog:
    """Blocks in the order of their slots. What is older than a day, or beyond 64 MiB, is given up."""

    def __init__(self) -> None:
        self._blocks: deque[Block] = deque()
        self.forgotten = 0
        """How many rows were given up since all was written last."""

    def __bool__(self) -> bool:
        return bool(self._blocks)

    @property
    def rows(self) -> int:
        """How many rows wait."""
        return sum(block.rows for block in self._blocks)

    @property
    def first(self) -> Block:
        """The oldest block."""
        return self._blocks[0]

    def add(self, quotes: Sequence[Quote], interval: int, end: datetime, *, begins: bool) -> None:
        """Adds a slot; `end` is the last slot that the file has. Raises ValueError for no row at all."""
        self._blocks.append(_block(quotes, interval, begins=begins))
        self._give_up_oldest(end)

    def put_before(self, blocks: Iterable[Block]) -> None:
        """Adds blocks that are older than all others."""
        self._blocks.extendleft(reversed(list(blocks)))

    def texts(self, *, simulated: bool, header_due: bool) -> Iterator[bytes]:
        """What is to be written for each block: its rows, with a header before them where one is due."""
        for block in self._blocks:
            header = f"{row.header(block.interval, simulated=simulated)}\n".encode()
            yield header + block.text if header_due or block.begins else block.text
            header_due = False

    def take(self, count: int) -> list[Block]:
        """Removes the oldest blocks, which are written."""
        return [self._blocks.popleft() for _ in range(count)]

    def span(self) -> str:
        """From the first slot that waits to the last, for people."""
        slots = [block.slot for block in self._blocks if block.rows] or [times.EPOCH]
        return times.span((slots[-1] - slots[0]).total_seconds())

    def _give_up_oldest(self, end: datetime) -> None:
        """Puts one block in the place of the oldest two while there is too much: their slots are `late`."""
        while (
            sum(block.rows > 0 for block in self._blocks) > _DAY_SECONDS // self._blocks[-1].interval
            or sum(len(block.text) for block in self._blocks) > MOST_BYTES
        ):
            oldest = [self._blocks.popleft()]
            if not oldest[0].rows:
                oldest.append(self._blocks.popleft())
            self.forgotten += oldest[-1].rows
            self._blocks.appendleft(_given_up(oldest, end))


def down_block(quotes: Sequence[Quote], interval: int) -> Block:
    """Missed rows of slots before all that wait; none of them waits itself."""
    return _block(quotes, interval, begins=False)._replace(rows=0)


def _block(quotes: Sequence[Quote], interval: int, *, begins: bool) -> Block:
    return Block(quotes[0].slot, quotes[-1].slot, len(quotes), _text(quotes), interval, begins)


def _given_up(blocks: Sequence[Block], end: datetime) -> Block:
    """One block in the place of several: for each pair a row over all its slots after `end`.

    It is in the last interval, which may have slots where those before had none.
    """
    last = blocks[-1]
    first: dict[Pair, datetime] = {}
    after: dict[Pair, datetime] = {}
    for block in blocks:
        for known in map(rows.read, block.text.decode("ascii").splitlines()):
            step = timedelta(seconds=block.interval)
            first.setdefault(known.pair, times.next_slot(max(known.slot - step, end), last.interval))
            after[known.pair] = known.slot + step * known.slots
    slots = {pair: times.slots_between(slot, after[pair], last.interval) for pair, slot in first.items()}
    late = [Quote(first[pair], pair, reason="late", slots=count) for pair, count in slots.items() if count]
    begins = any(block.begins for block in blocks)
    return last._replace(first=blocks[0].first, rows=0, text=_text(late), begins=begins)


def _text(quotes: Sequence[Quote]) -> bytes:
    return "".join(f"{row.write(quote)}\n" for quote in quotes).encode("ascii")
