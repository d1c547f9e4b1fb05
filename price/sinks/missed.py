"""Missed rows for slots in which no recorder was there, or of which there was no room to hold the prices."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from price import times
from price.log import row
from price.model import Pair, Quote
from price.sinks.backlog import Block, block_of, text_of

MOST_BYTES = 64 * 1024 * 1024
_MOST_SECONDS = times.DAY


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


def give_up_old(held: list[Block]) -> int:
    """Gives up the oldest prices where a day of slots, or 64 MiB, is exceeded; returns how many rows.

    `late` rows stand in their place, a block for each segment: so the slots stay accounted for, whatever
    becomes of the settings or of the file until they are written. The newest slot always stays.
    """
    given_up = 0
    while True:
        oldest = next(at for at, block in enumerate(held) if block.rows)
        # by their number, not by their age: a machine that slept for a day need not lose what it holds
        seconds = sum(block.segment.interval for block in held[oldest:])
        size = sum(len(block.text) for block in held)
        if oldest == len(held) - 1 or (seconds <= _MOST_SECONDS and size <= MOST_BYTES):
            return given_up
        block = held[oldest]
        given_up += block.rows
        begin = oldest - 1 if oldest and held[oldest - 1].segment == block.segment else oldest
        held[begin : oldest + 1] = late_after(_before(held[begin : oldest + 1]), block)


def _before(blocks: list[Block]) -> dict[Pair, datetime]:
    """A moment just before the first row of each pair."""
    before: dict[Pair, datetime] = {}
    for line in b"".join(block.text for block in blocks).decode("ascii").splitlines():
        first, pair, *_ = row.read(line)
        before.setdefault(Pair(*pair.split("-")), times.parse_iso(first) - timedelta.resolution)
    return before


def late_after(ends: Mapping[Pair, datetime], block: Block) -> list[Block]:
    """`late` rows for each pair's slots after these up to the last one of a block; none if there are none."""
    segment, end = block.segment, times.next_slot(block.slot, block.segment.interval)
    late = missed_rows(ends, segment.pairs, end, segment.interval, "late")
    return [block_of(late, segment)._replace(slot=block.slot, rows=0)] if late else []


def begin_after(held: list[Block], ends: Mapping[Pair, datetime]) -> None:
    """Fits held rows to a log that could not be opened before, and that ends with these slots of pairs.

    Slots that it accounts for are held no more; up to the first that is, they are `down`. A block that begins
    before the end and reaches beyond it cannot be written as it is: what lies beyond is `late`.
    """
    end = max(ends.values(), default=times.EPOCH)
    held[:] = [block for block in held if block.slot > end]
    if held and held[0].first <= end:
        held[:1] = late_after(ends, held[0])
    if held:
        first, segment = held[0], held[0].segment
        down = missed_rows(ends, segment.pairs, first.first, segment.interval, "down")
        if down:
            held[0] = first._replace(first=down[0].slot, text=text_of(down) + first.text)


def span(held: Sequence[Block]) -> str:
    """From the first slot whose rows wait to the last, for people."""
    waiting = [block.slot for block in held if block.rows]
    return times.span((waiting[-1] - waiting[0]).total_seconds() if waiting else 0)
