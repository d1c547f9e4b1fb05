"""`price gaps`: stretches of slots without a price, by arithmetic over slots; and how complete a range is.

A slot is missed where a row marks it, or where there is no row for it: between a pair's first and last row
each slot counts once, whatever stands in the file.
"""

import sys
from argparse import Namespace
from bisect import insort
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from operator import attrgetter

from price import times
from price.log import row
from price.log.read import PriceLog
from price.report import options
from price.report.latest import last_of
from price.report.options import finish, opened, window
from price.report.tables import Value, write

NAMES = ("start", "end", "pair", "slots", "reason")
UNRECORDED = "unrecorded"
"""The reason of slots for which there is no row at all: rows were lost, or the pair was not recorded."""

_MOST_WAITING = 10_000
_NEAR_SECONDS = 3600
_start = attrgetter("start")


class Gap:
    """Neighbouring missed slots of one pair, with one reason; times are Unix seconds."""

    __slots__ = ("every", "last", "pair", "reason", "slots", "start")

    def __init__(self, start: int, pair: str, reason: str, every: int) -> None:
        self.start, self.pair, self.reason = start, pair, reason
        self.every = every
        """The seconds from slot to slot at its end."""
        self.slots = 0
        self.last = start
        """Its last slot."""

    @property
    def end(self) -> int:
        """The slot after the last one."""
        return self.last + self.every


class Gaps:
    """Finds gaps block by block, and counts slots on the way.

    Of each pair only the last slot is kept, in Unix time: the next one is the first multiple of the interval
    after it, also where the interval has changed meanwhile.
    """

    def __init__(self) -> None:
        self.priced = 0
        self.missed = 0
        self._every = 0
        self._last: dict[str, int] = {}
        """The last slot of each pair that is accounted for."""
        self._open: dict[str, Gap] = {}
        """The last gap of each pair; it grows as long as nothing else comes after it."""
        self._waiting: list[Gap] = []
        """Gaps by their start, held until none that begins earlier can be found any more."""

    def add(self, every: int, rows: list[row.Row]) -> Iterator[Gap]:
        """The gaps that are settled after the next block of rows."""
        self._every = every
        last, priced = self._last, 0
        for one, unix in zip(rows, times.slots_unix([one[0] for one in rows]), strict=True):
            _, pair, price, _, _ = one
            if price != row.MISSED and last.get(pair) == unix - every:
                priced += 1
                last[pair] = unix
            else:
                self._odd(one, unix)
        self.priced += priced
        if self._waiting:
            yield from self._settled()

    def expect(self, pair: str, slot: int) -> None:
        """Has a pair count from a Unix time on, as if it was recorded up to there."""
        self._last.setdefault(pair, slot - 1)

    def end(self, pair: str, until: int, every: int) -> None:
        """Counts what a pair lacks up to the Unix time `until`: it has a row after it, of this interval."""
        self._every = every
        self._miss(pair, UNRECORDED, self._due(pair, until), until)

    def rest(self) -> Iterator[Gap]:
        """The gaps that could still have grown."""
        yield from self._waiting
        self._waiting.clear()

    def _due(self, pair: str, unix: int) -> int:
        """The slot that a pair's next row should be for; `unix` where it had none yet."""
        return times.next_multiple(self._last[pair], self._every) if pair in self._last else unix

    def _odd(self, one: row.Row, unix: int) -> None:
        """Counts a row that is missed, or is not for the slot that was due."""
        pair = one[1]
        due, end = self._due(pair, unix), unix + row.slots(one) * self._every
        self._miss(pair, UNRECORDED, due, unix)
        if due >= end:
            return  # its slots were accounted for already
        if one[2] == row.MISSED:
            self._miss(pair, one[3], max(due, unix), end)
        else:
            self.priced += 1
            self._last[pair] = unix

    def _miss(self, pair: str, reason: str, start: int, end: int) -> None:
        """Counts the slots from `start` up to `end`, if there are any."""
        slots = -((start - end) // self._every)
        if slots <= 0:
            return
        gap = self._open.get(pair)
        if gap is None or gap.reason != reason or gap.last != self._last[pair]:
            gap = self._open[pair] = Gap(start, pair, reason, self._every)
            insort(self._waiting, gap, key=_start)
        gap.slots += slots
        gap.every = self._every
        gap.last = self._last[pair] = start + (slots - 1) * self._every
        self.missed += slots

    def _settled(self) -> Iterator[Gap]:
        """The gaps before which no other can be found any more, nor can they grow.

        A pair that is gone for good keeps those after its last row waiting, in case it comes back: of
        these there are not more than _MOST_WAITING.
        """
        first = times.next_multiple(min(self._last.values()), self._every)
        settled = 0
        for gap in self._waiting:
            grows = self._open[gap.pair] is gap and self._last[gap.pair] == gap.last
            if (grows or gap.start >= first) and len(self._waiting) - settled <= _MOST_WAITING:
                break
            settled += 1
        yield from self._waiting[:settled]
        del self._waiting[:settled]


def gaps_between(log: PriceLog, since: int | None, until: int | None, found: Gaps) -> Iterator[Gap]:
    """The gaps of a range, in the order of their starts; `found` counts the slots.

    A hole that reaches over an edge is counted as far as it is in the range: a pair counts from the edge
    on, or up to it, if it has a row among the rows nearest to that edge on the other side.
    """
    outside = PriceLog(log.path, log.pairs, live_only=log.live_only)  # what it leaves out is not asked about
    if since is not None:
        for pair in _nearest(outside, since, -1):
            found.expect(pair, since)
    for every, rows in log.blocks(since, until):
        yield from found.add(every, rows)
    if until is not None:
        for pair, every in _nearest(outside, until, 1).items():
            found.end(pair, until, every)
    yield from found.rest()


def _nearest(log: PriceLog, edge: int, side: int) -> dict[str, int]:
    """The pairs that have rows within an hour of an edge, each with the interval of its first one there.

    Where no pair has, within sixteen hours, and so on. `side` is 1 for the rows after the edge, -1 for those
    before it.
    """
    first, last = log.first(), log.last()
    span = _NEAR_SECONDS
    while first is not None and last is not None:
        start, end = (edge, edge + span) if side > 0 else (edge - span, edge)
        near: dict[str, int] = {}
        for every, rows in log.blocks(max(start, 0), min(end, last + 1)):
            for one in rows:
                near.setdefault(one[1], every)
        if near or (end > last if side > 0 else start <= first):
            return near
        span *= 16
    return {}


run_options = options.add_all


def run(args: Namespace, environ: Mapping[str, str], now: datetime) -> int:
    """Prints the gaps of the range; as text, the last line is the completeness in percent."""
    asked = window(args, now)
    log = opened(args, environ)
    found = Gaps()
    gaps: Iterable[Gap] = gaps_between(log, asked.since, asked.until, found)
    if args.last:
        gaps = last_of(gaps, args.last, attrgetter("pair"))
    write(args.format, NAMES, map(_values, gaps))
    if args.format == "text":
        sys.stdout.write(completeness(found.priced, found.missed))
    return finish(log)


def _values(gap: Gap) -> tuple[Value, ...]:
    return times.slot_text(gap.start), times.slot_text(gap.last), gap.pair, gap.slots, gap.reason


def completeness(priced: int, missed: int) -> str:
    """The share of slots with a price, for people; never rounded up to 100 %."""
    total = priced + missed
    if total == 0:
        return "no slots in this range\n"
    parts = priced * 1_000_000 // total
    percent = f"{parts // 10_000}.{parts % 10_000:04d}".rstrip("0").rstrip(".")
    return f"{percent} % complete: {priced} of {total} slots have a price\n"
