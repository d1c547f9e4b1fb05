"""The rows that wait for the disk, slot by slot. What is older than a day, or beyond 64 MiB, is given up."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from price import times
from price.log import row
from price.model import Pair, Quote

MOST_BYTES = 64 * 1024 * 1024
_DAY_SECONDS = 86400


class Segment(NamedTuple):
    """What the rows after a header have in common."""

    interval: int
    """In seconds."""
    pairs: Collection[Pair]
    simulated: bool

    def goes_on(self, before: "Segment") -> bool:
        """Whether its rows may follow those of another segment without a header between them."""
        same = (self.interval, self.simulated) == (before.interval, before.simulated)
        return self == before or (same and set(self.pairs).issubset(before.pairs))


class Block(NamedTuple):
    """The rows of a slot."""

    first: datetime
    """The slot of the first row, which may be a missed one from before."""
    slot: datetime
    rows: int
    text: bytes
    priced: bool
    """Whether a row has a price."""
    segment: Segment


class Backlog:
    """Blocks in the order of their slots."""

    def __init__(self) -> None:
        self._blocks: deque[Block] = deque()
        self.since = times.EPOCH
        """The first slot that came since nothing waited."""
        self.forgotten = 0
        """How many rows were given up since all was written last."""

    def __bool__(self) -> bool:
        return bool(self._blocks)

    def __iter__(self) -> Iterator[Block]:
        return iter(self._blocks)

    @property
    def rows(self) -> int:
        """How many rows wait."""
        return sum(block.rows for block in self._blocks)

    @property
    def first(self) -> Block:
        """The oldest block."""
        return self._blocks[0]

    def add(self, quotes: Sequence[Quote], segment: Segment) -> None:
        """Adds a slot, and gives up the oldest ones. Raises ValueError for no row at all."""
        priced = any(quote.price is not None for quote in quotes)
        block = Block(quotes[0].slot, quotes[-1].slot, len(quotes), text_of(quotes), priced, segment)
        if not self._blocks:
            self.since = block.first
        self._blocks.append(block)
        while len(self._blocks) > _DAY_SECONDS // segment.interval or (
            sum(len(block.text) for block in self._blocks) > MOST_BYTES and len(self._blocks) > 1
        ):
            self.forgotten += self._blocks.popleft().rows

    def put_before(self, blocks: Sequence[Block]) -> None:
        """Adds blocks that are older than all others."""
        self._blocks.extendleft(reversed(blocks))

    def take(self, count: int) -> list[Block]:
        """Removes the oldest blocks, which are written."""
        return [self._blocks.popleft() for _ in range(count)]

    def span(self) -> str:
        """From the first slot that waits to the last, for people."""
        length = self._blocks[-1].slot - self._blocks[0].slot if self._blocks else timedelta()
        return times.span(length.total_seconds())


def text_of(quotes: Sequence[Quote]) -> bytes:
    """Quotes as rows. Raises ValueError for one that no row can hold."""
    return "".join(f"{row.write(quote)}\n" for quote in quotes).encode("ascii")


def missed_rows(
    last: Mapping[Pair, datetime], pairs: Collection[Pair], before: datetime, interval: int, reason: str
) -> list[Quote]:
    """A row for each pair's slots from the one after its `last` slot up to `before`, the earliest first."""
    missed = []
    for pair in pairs:
        if pair in last:
            first = times.next_slot(last[pair], interval)
            slots = times.slots_between(first, before, interval)
            if slots:
                missed.append(Quote(first, pair, reason=reason, slots=slots))
    return sorted(missed, key=lambda quote: quote.slot)
