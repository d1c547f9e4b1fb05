"""The rows that wait for the disk, slot by slot. What is older than a day, or beyond 64 MiB, is given up."""

from collections import deque
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from price import times
from price.log import row
from price.model import Pair, Quote

MOST_BYTES = 64 * 1024 * 1024


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


class Backlog(deque[Block]):
    """Blocks in the order of their slots."""

    since = times.EPOCH
    """The first slot that came since nothing waited."""
    forgotten = 0
    """How many rows were given up since all was written last."""

    def __init__(self) -> None:
        super().__init__()
        self.given_up: dict[Pair, tuple[datetime, datetime]] = {}
        """The first and the last slot of each pair that were given up, and that no row accounts for yet."""

    @property
    def simulated(self) -> bool | None:
        """Whether the prices that wait are made up; None where there are none."""
        return next((one.segment.simulated for one in self if one.priced or one.segment.simulated), None)

    @property
    def rows(self) -> int:
        """How many rows wait."""
        return sum(block.rows for block in self)

    def add(self, quotes: Sequence[Quote], segment: Segment) -> None:
        """Adds a slot, and gives up the oldest ones. Raises ValueError for no row at all."""
        priced = any(quote.price is not None for quote in quotes)
        block = Block(quotes[0].slot, quotes[-1].slot, len(quotes), text_of(quotes), priced, segment)
        if not self:
            self.since = block.first
        self.append(block)
        while len(self) > times.DAY // segment.interval or (
            sum(len(block.text) for block in self) > MOST_BYTES and len(self) > 1
        ):
            self._give_up(self.popleft())

    def _give_up(self, block: Block) -> None:
        self.forgotten += block.rows
        for slot, name, *_ in map(row.read, block.text.decode("ascii").splitlines()):
            pair = Pair(*name.split("-"))
            first, _ = self.given_up.get(pair, (times.parse_iso(slot), None))
            self.given_up[pair] = first, block.slot

    def span(self) -> str:
        """From the first slot that waits to the last, for people."""
        length = self[-1].slot - self[0].slot if self else timedelta()
        return times.span(length.total_seconds())


def text_of(quotes: Sequence[Quote]) -> bytes:
    """Quotes as rows. Raises ValueError for one that no row can hold."""
    return "".join(f"{row.write(quote)}\n" for quote in quotes).encode("ascii")
