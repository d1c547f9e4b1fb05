"""`price gaps`: each missed stretch, and how complete the range is."""

import sys
from argparse import Namespace
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from price.log import row
from price.log.chunk import Chunk
from price.log.pricelog import PriceLog
from price.report.options import file_of, say_skipped, say_unseen, window
from price.report.tables import Value, write

NAMES = ("start", "end", "pair", "slots", "reason")


class Gap:
    """Neighbouring missed slots of one pair, with one reason."""

    __slots__ = ("last", "pair", "reason", "slots", "start")

    def __init__(self, start: int, pair: bytes, reason: bytes) -> None:
        self.start = start
        self.pair = pair
        self.reason = reason
        self.slots = 0
        self.last = start

    def values(self) -> tuple[Value, ...]:
        """The columns of the table."""
        start, end = row.slot_of(self.start).decode(), row.slot_of(self.last).decode()
        return start, end, self.pair.decode(), self.slots, self.reason.decode()


class Gaps:
    """Finds gaps chunk by chunk, and counts slots on the way."""

    def __init__(self) -> None:
        self.priced = 0
        self.missed = 0
        self._open: dict[bytes, Gap] = {}
        self._waiting: deque[Gap] = deque()
        """Gaps by their start, held until none that began earlier can still grow."""

    def within(self, chunks: Iterable[Chunk]) -> Iterator[Gap]:
        """The gaps in the order of their starts."""
        every = last = 0
        for chunk in chunks:
            if chunk.every != every:
                self._close(last, every)
            every, last = chunk.every, row.unix_of(row.last_slot(chunk.rows))
            rows = 0
            for line in missed_rows(chunk.rows):
                rows += 1
                yield from self._before(row.unix_of(line), every)
                self._add(line, every)
            self.priced += chunk.rows.count(b"\n") - rows
            yield from self._before(last, every)
        yield from self._waiting

    def _add(self, line: bytes, every: int) -> None:
        _, pair, _, reason, *_ = line.rstrip(b"\n").split(b" ")
        unix, slots = row.unix_of(line), row.slots_of(line)
        gap = self._open.get(pair)
        if gap is None or gap.reason != reason or row.next_multiple(gap.last, every) != unix:
            gap = self._open[pair] = Gap(unix, pair, reason)
            self._waiting.append(gap)
        gap.slots += slots
        gap.last = unix + (slots - 1) * every
        self.missed += slots

    def _close(self, last: int, every: int) -> None:
        """Ends the gaps that had a neighbour up to the slot `last`, before the interval changes."""
        for pair, gap in list(self._open.items()):
            if every and row.next_multiple(gap.last, every) <= last:
                del self._open[pair]

    def _before(self, unix: int, every: int) -> Iterator[Gap]:
        """The gaps that no row from `unix` on can add to, up to the first one that may still grow."""
        while self._waiting and row.next_multiple(self._waiting[0].last, every) < unix:
            gap = self._waiting.popleft()
            if self._open.get(gap.pair) is gap:
                del self._open[gap.pair]
            yield gap


def missed_rows(rows: bytes) -> Iterator[bytes]:
    """The rows without a price. Jumping from dash to dash spares looking at the others."""
    at = 0
    while (at := rows.find(b" - ", at)) >= 0:
        end = rows.index(b"\n", at) + 1
        yield rows[rows.rfind(b"\n", 0, at) + 1 : end]
        at = end


def completeness(priced: int, missed: int) -> str:
    """The share of slots with a price, for people; never rounded up to 100 %."""
    total = priced + missed
    if total == 0:
        return "no slots in this range\n"
    parts = priced * 1_000_000 // total
    percent = f"{parts // 10_000}.{parts % 10_000:04d}".rstrip("0").rstrip(".")
    return f"{percent} % complete: {priced} of {total} slots have a price\n"


def run(args: Namespace, environ: Mapping[str, str], now: datetime) -> int:
    """Prints the gaps of the range; as text, the last line is the completeness in percent."""
    asked = window(args, now)
    found = Gaps()
    with PriceLog(file_of(args, environ), args.pair, live_only=args.live_only) as log:
        gaps = found.within(log.chunks(asked.since, asked.until))
        if args.last:
            from price.report.latest import last_of

            gaps = iter([gap for _, gap in last_of(((gap.pair, gap) for gap in gaps), args.last)])
        write(args.format, NAMES, (gap.values() for gap in gaps))
        if args.format == "text":
            sys.stdout.write(completeness(found.priced, found.missed))
        say_skipped(log.skipped)
        say_unseen(log.unseen)
    return 0
