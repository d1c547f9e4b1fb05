"""What the page asks: how things are now, a range as columns for a chart, and rows. Pure over the files.

Prices are texts from the row to the screen. A range that takes long to read is read in parts: each answer
says how far it is (`percent`), and the page asks again until it is whole. So a year never holds a thread for
longer than a moment, its progress can be shown, and to cancel it nobody has to do anything.
"""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from price.errors import PriceError
from price.log import row
from price.log.gaps import UNRECORDED
from price.log.read import PriceLog
from price.log.row import Row
from price.report.history import as_cells
from price.smallfile import read_small
from price.web.days import HOUR, Bar, Day, Days, Missed, Reader

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, HOUR, 7200, 10_800, 21_600, 43_200)
"""Round periods of bars, in seconds; from a day on whole days."""
SUMMED_SECONDS = 14 * row.DAY
"""Ranges longer than this are made of sums of whole days."""
PART_SECONDS = 0.25
"""How long a request may read days that are not summed yet."""
ROWS_A_PAGE = 200
_MOST_POINTS = 2000
_LATELY_SECONDS = row.DAY
_MAX_STATUS_BYTES = 4 * 1024 * 1024


class Asked(NamedTuple):
    """A range of a pair: Unix seconds, `until` not included, and how many bars there is room for."""

    pair: str
    since: int
    until: int
    points: int
    every: int = 0
    """The seconds of a bar, where it has to be that: for what follows an answer that one has."""


class Answers:
    """Reads one log and one status. Not for several threads at once, but for `now`."""

    def __init__(self, log: str, status: Path, days: Days, monotonic: Callable[[], float]) -> None:
        self.log = log
        self._status = status
        self._days = days
        self._monotonic = monotonic
        self._mark: tuple[int, ...] | None = None
        self._known = b""

    def status(self) -> tuple[bytes, float] | None:
        """The recorder's status as JSON, and when it was written (Unix seconds); None where there is none.

        It is read once for each time that it is written, however many ask.
        """
        try:
            written = self._status.stat()
            mark = (written.st_ino, written.st_size, written.st_mtime_ns)
            if mark != self._mark:
                known = json.loads(read_small(self._status, _MAX_STATUS_BYTES))
                self._known = json.dumps(known, separators=(",", ":"), allow_nan=False).encode()
                self._mark = mark if _is_status(known) else None
        except (OSError, ValueError, RecursionError):
            self._mark = None
        return (self._known, written.st_mtime) if self._mark else None

    def overview(self) -> dict[str, Any]:
        """Where the log begins and ends, the pairs of its last day, and its fault, where it has one."""
        try:
            with PriceLog(self.log) as log:
                first, last = log.first(), log.last()
                if first is None or last is None:
                    return {"first": None, "last": None, "pairs": [], "every": 0}
                return {"first": first, "last": last, **_pairs(log, last)}
        except (PriceError, OSError) as error:
            return {"first": None, "last": None, "pairs": [], "every": 0, "fault": str(error)}

    def series(self, asked: Asked) -> dict[str, Any]:
        """A range as columns: t, o, h, l, c, n and r (repaired), and what was missed in it.

        Raises PriceError where the log cannot be read, or has nothing of the pair.
        """
        with PriceLog(self.log, [asked.pair]) as log:
            first, last = log.first(), log.last()
            if first is None or last is None:
                raise PriceError(f"{self.log}: no rows yet")
            asked = asked._replace(since=max(asked.since, first), until=max(asked.until, first))
            if asked.until - asked.since > SUMMED_SECONDS:
                return self._summed(asked, last)
            reader = Reader(_every(asked))
            bars = [bar for _, bar in reader.bars(log.blocks(asked.since, asked.until))]
            missed, sources = reader.missed.get(asked.pair, []), reader.sources.get(asked.pair, {})
            if not bars and not missed and not asked.every:
                since, until = row.slot(asked.since), row.slot(asked.until)
                raise PriceError(f"{asked.pair} has no rows from {since} to {until}: choose another range")
            return _columns(asked, reader.every, bars, missed, sources)

    def _summed(self, asked: Asked, last: int) -> dict[str, Any]:
        """The same of many days, from their sums; those that lack one are summed until the time is over."""
        whole = PriceLog(self.log)  # a sum is of all pairs
        end = self._monotonic() + PART_SECONDS
        starts = range(asked.since // row.DAY * row.DAY, asked.until, row.DAY)
        found: list[Day] = []
        lacking = 0
        for day in starts:
            over = day + row.DAY <= last
            sums = self._days.known(whole, day, asked.pair) if over else None
            if sums is None and (self._monotonic() < end or not over):
                days = self._days if over else Days(None)  # a day that goes on is not kept
                sums = days.make(whole, day, asked.pair)
            if sums is None:
                lacking += 1
            elif sums.every:
                found.append(sums)
        every = max(HOUR, _every(asked))
        sources = dict.fromkeys(text for day in found for text in day.sources)
        bars = joined((bar for day in found for bar in day.hours), every)
        answer = _columns(asked, every, bars, [*joined_missed(found)], sources)
        if lacking:
            answer["percent"] = 100 * (len(starts) - lacking) // len(starts)
        return answer

    def rows(self, asked: Asked, after: str, most: int = ROWS_A_PAGE) -> dict[str, Any]:
        """The newest rows of a range, at most so many, those before the slot `after` where that is given.

        `more` is the slot to go on from, None where there are no older ones. A search that takes long
        ends early, with fewer rows or none.
        """
        until = min(asked.until, row.unix(after)) if after else asked.until
        end = self._monotonic() + PART_SECONDS
        found: list[Row] = []
        with PriceLog(self.log, [asked.pair]) as log:
            since = max(asked.since, log.first() or 0)
            until = max(since, min(until, (log.last() or 0) + row.DAY))
            span = most * 10
            while until > since and len(found) < most and self._monotonic() < end:
                start = max(since, until - span)
                found[:0] = log.rows(start, until)
                until, span = start, min(4 * span, SUMMED_SECONDS)
        rows = found[-most:]
        older = len(found) > most or until > since
        more = (rows[0][0] if len(found) > most else row.slot(until)) if older else None
        return {"rows": [as_cells(one) for one in reversed(rows)], "more": more}

    def all_rows(self, asked: Asked) -> Iterator[Row]:
        """All rows of a range, in order, as they are read."""
        with PriceLog(self.log, [asked.pair]) as log:
            yield from log.rows(asked.since, asked.until)


def _is_status(known: Any) -> bool:
    """Whether the page can show it: what it looks into has the form that it expects."""
    if not isinstance(known, dict) or not {"slot", "interval", "pairs", "sources"} <= known.keys():
        return False
    parts = [known["pairs"], known["sources"]]
    return all(
        isinstance(part, dict) and all(isinstance(one, dict) for one in part.values()) for part in parts
    )


def _every(asked: Asked) -> int:
    """The seconds of a bar: as asked for, but never so few that an answer grows without bound."""
    seconds = asked.until - asked.since
    return max(asked.every, period(seconds, _MOST_POINTS)) if asked.every else period(seconds, asked.points)


def period(seconds: int, points: int) -> int:
    """The shortest round period of which a range has at most so many."""
    points = max(10, min(points, _MOST_POINTS))
    for step in STEPS:
        if seconds <= step * points:
            return step
    return -(-seconds // (points * row.DAY)) * row.DAY


def joined(bars: Iterator[Bar], every: int) -> list[Bar]:
    """Bars made into those of a longer period."""
    found: list[Bar] = []
    for bar in bars:
        start = bar.start // every * every
        if not found or found[-1].start != start:
            found.append(bar._replace(start=start))
            continue
        last = found[-1]
        found[-1] = Bar(
            start,
            last.open,
            max(last.high, bar.high, key=Decimal),
            min(last.low, bar.low, key=Decimal),
            bar.close,
            last.slots + bar.slots,
            last.repaired or bar.repaired,
        )
    return found


def joined_missed(days: list[Day]) -> Iterator[Missed]:
    """What was missed in the days, and in the holes between their rows; neighbours are one."""
    before: Missed | None = None
    end = 0
    for day in days:
        hole = []
        if end and day.begin > end:
            hole = [Missed(end, day.begin, -((end - day.begin) // day.every), UNRECORDED)]
        for one in [*hole, *day.missed]:
            if before and before.end == one.start and before.reason == one.reason:
                before = before._replace(end=one.end, slots=before.slots + one.slots)
            else:
                if before:
                    yield before
                before = one
        end = day.end
    if before:
        yield before


def _columns(
    asked: Asked, every: int, bars: list[Bar], missed: list[Missed], sources: dict[str, None]
) -> dict[str, Any]:
    """The answer to a question about a range; missed stretches below half a period are left to the count."""
    shown = [one for one in missed if 2 * (one.end - one.start) >= every]
    return {
        "pair": asked.pair,
        "since": asked.since,
        "until": asked.until,
        "every": every,
        "t": [bar.start for bar in bars],
        "o": [bar.open for bar in bars],
        "h": [bar.high for bar in bars],
        "l": [bar.low for bar in bars],
        "c": [bar.close for bar in bars],
        "n": [bar.slots for bar in bars],
        "r": [number for number, bar in enumerate(bars) if bar.repaired],
        "missed": [list(one) for one in shown],
        "missed_slots": sum(one.slots for one in missed),
        "priced_slots": sum(bar.slots for bar in bars),
        "lately": [list(one) for one in missed[-10:]],
        "sources": _names(sources),
    }


def _names(bases: dict[str, None]) -> list[str]:
    """The sources that prices rest on; the row that names most of them settles their order."""
    ordered = sorted(bases, key=lambda basis: (-basis.count(","), basis))
    return [*dict.fromkeys(name for basis in ordered for name in basis.split(","))]


def _pairs(log: PriceLog, last: int) -> dict[str, Any]:
    """The pairs of the log's last day with the newest price of each, and the interval at its end."""
    newest: dict[str, Row] = {}
    every = 0
    for seconds in (600, HOUR, _LATELY_SECONDS):
        pairs = log.pairs_between(last - seconds, last + 1)
        newest = {}
        for interval, rows in log.blocks(last - seconds, last + 1):
            every = interval
            newest.update({one[1]: one for one in rows if one[2] != row.MISSED})
        if pairs <= newest.keys():
            break
    known: list[dict[str, Any]] = []
    for pair in sorted(pairs):
        _, _, price, basis, _ = newest.get(pair, ("", pair, None, "", ""))
        slot = newest[pair][0] if pair in newest else None
        known.append(
            {"pair": pair, "price": price, "slot": slot, "sources": basis.split(",") if basis else []}
        )
    return {"pairs": known, "every": every}
