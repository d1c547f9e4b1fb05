"""The end of a price log, read backwards: where it stops being sound, and how far each pair's rows go."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from price import times
from price.log import line
from price.model import Pair, Quote

_BLOCK_BYTES = 64 * 1024
SEARCH_BYTES = 4 * 1024 * 1024
"""How far back the last row of a pair is looked for: days of one pair."""
_RECENT_SECONDS = 60
_FAR = times.unix(datetime(9000, 1, 1, tzinfo=UTC))
"""A row from here on would leave no slot to record."""


@dataclass(slots=True)
class Tail:
    """What the end of a log says."""

    interval: int | None = None
    """In force at the end, in seconds; None where no line tells."""
    rows: dict[Pair, Quote] = field(default_factory=dict)
    """The last row of each pair."""
    priced: dict[Pair, Quote] = field(default_factory=dict)
    """The last row with a price of each pair."""

    def last_slots(self) -> dict[Pair, datetime]:
        """The last slot that each pair's rows account for. Raises ValueError for one that no clock shows."""
        found: dict[Pair, datetime] = {}
        for pair, quote in self.rows.items():
            end = times.unix(quote.slot) + (quote.slots - 1) * (self.interval or 0)
            if not 0 <= end < _FAR:
                row = f"{times.iso(quote.slot)} {pair}"
                raise ValueError(f"its row of {row} is damaged: it reaches to a time that no clock shows")
            found[pair] = times.from_unix(end)
        return found

    def drop_absent(self, interval: int) -> bool:
        """Forgets pairs that were not recorded up to the end of the log; whether there were any.

        Their missing slots, `interval` seconds apart from now on, lie before rows of other pairs, where no
        row can be added any more. Raises ValueError as `last_slots` does.
        """
        end = max((quote.slot for quote in self.rows.values()), default=None)
        last = self.last_slots()
        absent = [pair for pair in last if end and times.next_slot(last[pair], interval) < end]
        for pair in absent:
            del self.rows[pair]
        return bool(absent)


@dataclass(slots=True)
class Count:
    """Slots of a pair: with a price, and without."""

    recorded: int = 0
    missed: int = 0


def read_tail(descriptor: int, size: int, pairs: Collection[Pair]) -> Tail:
    """What the last rows of a log of `size` bytes, ending in a line end, say. Raises OSError.

    Looks back until each of `pairs` was seen, the interval is known, and a minute was read.
    """
    tail = Tail()
    unseen = {str(pair).encode() for pair in pairs}
    recent = b""
    for text in _lines_backwards(descriptor, size, SEARCH_BYTES):
        slot, _, rest = text.partition(b" ")
        if not unseen and tail.interval and slot < recent:
            break
        if slot.startswith(b"#"):
            tail.interval = tail.interval or line.read_header(text.decode("ascii", "replace"))
        elif tail.interval is None or slot >= recent or rest.partition(b" ")[0] in unseen:
            quote = _row(text)
            if quote is not None:
                recent = recent or _before(quote.slot)
                unseen.discard(str(quote.pair).encode())
                _note(tail, quote)
    return tail


def _before(slot: datetime) -> bytes:
    """The slot from which on rows are recent."""
    return times.iso(times.from_unix(max(0, times.unix(slot) - _RECENT_SECONDS))).encode()


def _note(tail: Tail, quote: Quote) -> None:
    later = tail.rows.setdefault(quote.pair, quote)
    if tail.interval is None and later is not quote:
        # every slot has a row, so two rows in a row tell the interval
        tail.interval = int((later.slot - quote.slot).total_seconds()) // quote.slots or None
    if quote.price is not None:
        tail.priced.setdefault(quote.pair, quote)


def count_since(descriptor: int, size: int, midnight: datetime, interval: int) -> dict[str, Count]:
    """The slots from `midnight` on that the log's rows account for, by pair. Raises OSError."""
    counts: dict[str, Count] = {}
    first, edge = times.iso(midnight).encode(), b""
    for text in _lines_backwards(descriptor, size, size):
        slot, pair, price, *_ = text.split(b" ", 3) if text.count(b" ") > 2 else (b"#", b"", b"")
        if slot.startswith(b"#"):
            continue
        if slot < first and edge not in (b"", slot):
            break
        if slot >= first and price != b"-":
            counts.setdefault(pair.decode("ascii", "replace"), Count()).recorded += 1
        elif (quote := _row(text)) is not None:
            edge = slot if slot < first else b""
            # missed slots may reach over midnight
            before = times.slots_between(quote.slot, midnight, interval)
            missed = max(0, quote.slots - before) if quote.missed else 0
            counts.setdefault(str(quote.pair), Count()).missed += missed
    return counts


def sound_end(descriptor: int, size: int) -> int:
    """Where the last sound line of a log of `size` bytes ends: one that ends in a line end and parses.

    Only the last block is looked at: what a crash leaves behind is shorter. Raises OSError, and
    ValueError where that block holds no sound line.
    """
    start = max(0, size - _BLOCK_BYTES)
    block = os.pread(descriptor, size - start, start)
    end = len(block)
    while (end := block.rfind(b"\n", 0, end) + 1) > 0:
        begin = block.rfind(b"\n", 0, end - 1) + 1
        text = block[begin : end - 1]
        if text.startswith(b"#") or _row(text) is not None:
            return start + end
        end = begin
    if start:
        raise ValueError(f"its last {_BLOCK_BYTES} bytes hold no row")
    return 0


def _row(text: bytes) -> Quote | None:
    """The quote of a line, if it is a sound row."""
    try:
        return line.read(text.decode("ascii"))
    except ValueError:
        return None


def _lines_backwards(descriptor: int, end: int, most: int) -> Iterator[bytes]:
    """The lines before the offset `end`, which follows a line end, the last one first; about `most` bytes."""
    stop = max(0, end - most)
    rest = b""
    end -= 1  # the last line end separates nothing
    while end > stop:
        start = max(stop, end - _BLOCK_BYTES)
        first, *others = (os.pread(descriptor, end - start, start) + rest).split(b"\n")
        yield from reversed(others)
        rest, end = first, start
    if end == 0 and rest:
        yield rest
