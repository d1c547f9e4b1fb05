"""The rows of a slot as one block of text; the backlog, which waits for the disk, is a list of blocks."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from price.log import row
from price.log.row import header_line
from price.model import Pair, Quote


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
    """The rows of a slot; or missed rows in the place of slots that were given up."""

    first: datetime
    """The slot of the first row, which may be a missed one from before."""
    slot: datetime
    """The last slot that its rows account for."""
    rows: int
    """How many rows wait in it; 0 where they were given up."""
    text: bytes
    priced: bool
    """Whether a row has a price."""
    segment: Segment


def block_of(quotes: Sequence[Quote], segment: Segment) -> Block:
    """The block of a slot's quotes. Raises ValueError for none, and for a quote that no row can hold."""
    if not quotes:
        raise ValueError("a slot has no quotes")
    priced = any(quote.price is not None for quote in quotes)
    return Block(quotes[0].slot, quotes[-1].slot, len(quotes), text_of(quotes), priced, segment)


def text_of(quotes: Iterable[Quote]) -> bytes:
    """Quotes as rows. Raises ValueError for one that no row can hold."""
    return "".join(f"{row.write(quote)}\n" for quote in quotes).encode("ascii")


def texts_after(before: Segment, blocks: Iterable[Block]) -> list[bytes]:
    """What is to be written for each block after a segment: its rows, after a header where one begins."""
    texts = []
    for block in blocks:
        segment, header = block.segment, ""
        if not segment.goes_on(before):
            header = f"{header_line(segment.interval, simulated=segment.simulated)}\n"
        texts.append(header.encode() + block.text)
        before = segment
    return texts


def is_simulated(blocks: Iterable[Block]) -> bool | None:
    """Whether the prices of blocks are made up; None where there are none."""
    return next((one.segment.simulated for one in blocks if one.priced or one.segment.simulated), None)
