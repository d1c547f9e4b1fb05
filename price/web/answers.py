"""What the page asks of the log: a range as columns for a chart, and rows. Pure over the files.

Prices are texts from the row to the screen. A range that takes long to read is read in parts: each answer
says how far it is (`percent`), and the page asks again until it is whole. So a year never holds a thread for
longer than a moment, its progress can be shown, and to cancel it nobody has to do anything.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from price import times
from price.errors import PriceError
from price.log.read import PriceLog
from price.log.row import Row
from price.report.history import as_cells
from price.report.summary import NOTHING, Missed, Sum, hole, joined, source_names, sum_up
from price.web.days import HOUR, Days

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, HOUR, 7200, 10_800, 21_600, 43_200)
"""Round periods of bars, in seconds; from a day on whole days."""
SUMMED_SECONDS = 14 * times.DAY
"""Ranges longer than this are made of sums of whole days."""
PART_SECONDS = 0.25
"""How long a request may read days that are not summed yet."""
ROWS_A_PAGE = 200
_MOST_POINTS = 2000


class Asked(NamedTuple):
    """A range of a pair: Unix seconds, `until` not included, and how many bars there is room for."""

    pair: str
    since: int
    until: int
    points: int
    every: int = 0
    """The seconds of a bar, where it has to be that: for what follows an answer that one has."""
    whole: bool = False
    """Whether only whole bars are wanted, so that what follows can be asked for by itself."""
    interval: int = 1
    """The seconds from slot to slot: no bar is shorter."""


class Answers:
    """Reads one log. Not for several threads at once."""

    def __init__(self, log: str, days: Days, monotonic: Callable[[], float]) -> None:
        self.log = log
        self._days = days
        self._monotonic = monotonic

    def series(self, asked: Asked) -> dict[str, Any]:
        """A range as columns: t, o, h, l, c, n and r (repaired), and what was missed in it.

        `until` in the answer is where it ends: of whole bars that is before the end of what was asked for.

        Raises PriceError where the log cannot be read, or has nothing of the pair.
        """
        log = PriceLog(self.log, [asked.pair])
        first, last = log.first(), log.last()
        if first is None or last is None:
            raise PriceError(f"{self.log}: no rows yet")
        asked = asked._replace(since=max(asked.since, first), until=max(asked.until, first))
        summed, follows = asked.until - asked.since > SUMMED_SECONDS, asked.every
        asked = asked._replace(every=max(HOUR if summed else 1, _every(asked)))
        wanted = asked
        if asked.whole:
            asked = _whole(asked)
        if summed:
            parts, percent = self._days_of(log, asked, last)
            if percent < 100:
                return {"percent": percent}
        else:
            blocks = log.blocks(asked.since, asked.until)
            parts = [sum_up(blocks, asked.every).get(asked.pair, NOTHING)]
        found = joined(parts, asked.every)
        missed = edged(log, asked, found)
        nothing = not (found.intervals or missed or follows or summed)
        if nothing and not _interval(log, wanted.since, wanted.until):
            since, until = times.slot_text(wanted.since), times.slot_text(wanted.until)
            raise PriceError(f"{asked.pair} has no rows from {since} to {until}: choose another range")
        return {**_columns(asked, found, missed), "repairs": _mark(log)}

    def _days_of(self, log: PriceLog, asked: Asked, last: int) -> tuple[list[Sum], int]:
        """The sums of the days of a range, and how many percent of those that are kept are there by now."""
        starts = range(asked.since // times.DAY * times.DAY, asked.until, times.DAY)
        over = [day for day in starts if day >= asked.since and day + times.DAY <= min(asked.until, last)]
        sums = self._sums(over, asked.pair)
        if len(sums) < len(over):
            return [], 100 * len(sums) // len(over)
        found = []
        for day in starts:  # a part of a day, and one that goes on, are not kept
            blocks = log.blocks(max(day, asked.since), min(day + times.DAY, asked.until))
            found.append(sums[day] if day in sums else sum_up(blocks, HOUR).get(asked.pair, NOTHING))
        return found, 100

    def _sums(self, days: list[int], pair: str) -> dict[int, Sum]:
        """The sums of closed days. Those that lack are made, one at least, until the time is up."""
        log = PriceLog(self.log)  # a sum is of all pairs
        end = self._monotonic() + PART_SECONDS
        sums: dict[int, Sum] = {}
        made = False
        for day in days:
            known = self._days.find(log, day, pair)
            if known is None and (not made or self._monotonic() < end):
                known, made = self._days.make(log, day, pair), True
            if known is not None:
                sums[day] = known
        return sums

    def rows(self, asked: Asked, after: str, most: int = ROWS_A_PAGE) -> dict[str, Any]:
        """The newest rows of a range, at most so many, those before the slot `after` where that is given.

        `more` is the slot to go on from, None where there are no older ones. A search that takes long
        ends early, with fewer rows or none.
        """
        until = min(asked.until, times.slot_unix(after)) if after else asked.until
        end = self._monotonic() + PART_SECONDS
        found: list[Row] = []
        log = PriceLog(self.log, [asked.pair])
        since = max(asked.since, log.first() or 0)
        until = max(since, min(until, (log.last() or 0) + times.DAY))
        span = most * 10
        while until > since and len(found) < most and self._monotonic() < end:
            start = max(since, until - span)
            found[:0] = log.rows(start, until)
            until, span = start, min(4 * span, SUMMED_SECONDS)
        rows = found[-most:]
        older = len(found) > most or until > since
        more = (rows[0][0] if len(found) > most else times.slot_text(until)) if older else None
        return {"rows": [as_cells(one) for one in reversed(rows)], "more": more}

    def all_rows(self, asked: Asked) -> Iterator[Row]:
        """All rows of a range, in order, as they are read."""
        log = PriceLog(self.log, [asked.pair])
        yield from log.rows(asked.since, asked.until)


def _every(asked: Asked) -> int:
    """The seconds of a bar: as asked for, but never so few that an answer grows without bound."""
    seconds = asked.until - asked.since
    if asked.every:
        return max(asked.every, period(seconds, _MOST_POINTS))
    return period(seconds, asked.points, asked.interval)


def period(seconds: int, points: int, interval: int = 1) -> int:
    """The shortest round period, of whole slots, of which a range has at most so many."""
    points = max(10, min(points, _MOST_POINTS))
    for step in STEPS:
        if seconds <= step * points and not step % interval:
            return step
    return -(-seconds // (points * times.DAY)) * times.DAY


def _whole(asked: Asked) -> Asked:
    """The bars that are over, from the first that begins in the range."""
    every = asked.every
    since = -(-asked.since // every) * every
    return asked._replace(since=since, until=max(since, asked.until // every * every))


def _interval(log: PriceLog, since: int, until: int) -> int:
    """The seconds from slot to slot at the first row between two Unix times; 0 where there is none."""
    return next(log.blocks(since, until), (0, []))[0]


def _mark(log: PriceLog) -> str:
    """What changes where repairs do: an answer that was made before holds them no longer."""
    return f"{log.repairs.identity} {log.repairs.size}" if log.repairs else ""


def _gone(missed: list[Missed], every: int) -> list[tuple[int, int]]:
    """The seconds that were missed in each period, by its start, however short the stretches are."""
    found: dict[int, int] = {}
    for one in missed:
        at = one.start
        while at < one.end:
            period = at // every * every
            found[period] = found.get(period, 0) + min(one.end, period + every) - at
            at = period + every
    return sorted(found.items())


def edged(log: PriceLog, asked: Asked, found: Sum) -> list[Missed]:
    """What was missed, slots at the edges of the range included that no row is for, but has rows around.

    They count as in `price gaps`, but for this: that looks for rows around as far as the log reaches, which
    may be years where a pair is new or gone. A page cannot wait for it, so here they are those of a day.
    """
    # after the last row nothing is missed yet: a recorder that is silent may still tell what it was
    following = _interval(log, asked.until, asked.until + times.DAY)
    begin, every = (found.begin, found.intervals[0]) if found.intervals else (asked.until, following)
    first = hole(asked.since - 1, begin, every) if every else []
    if first and not _interval(log, asked.since - times.DAY, asked.since):
        first = []
    last = hole(found.last, asked.until, following) if found.intervals and following else []
    return [*first, *found.missed, *last]


def _columns(asked: Asked, found: Sum, missed: list[Missed]) -> dict[str, Any]:
    """The answer to a question about a range; missed stretches below half a period are left to the count."""
    every = asked.every
    bars = found.bars
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
        "r": [(number, bar.by) for number, bar in enumerate(bars) if bar.by],
        "missed": [list(one) for one in shown],
        "gone": _gone(missed, every),
        "missed_slots": sum(one.slots for one in missed),
        "priced_slots": sum(bar.slots for bar in bars),
        "lately": [list(one) for one in missed[-10:]],
        "sources": source_names(found.sources),
    }
