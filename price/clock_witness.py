"""Whether the machine's clock can be believed: judged by what is known without it. No I/O.

A clock that is far off writes rows that can never be taken back, and since rows are sorted by their slot, one
row of the year 2040 would keep every later one out. So rows have three witnesses: the program was released
before now; the last row was written before now; and the servers' clocks (the `Date` of their answers) are
within a day of ours. A clock that is ahead by years makes certificates expire, so that no server answers at
all: after a day without a row, which is also what such a clock looks like, the first one waits for an answer.
"""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import Enum

from price import RELEASED, times
from price.events import NOTICE, Event, log_event

SUSPECT = timedelta(minutes=1)
"""Farther than this from most servers, the clock is reported; rows go on."""
WRONG = timedelta(days=1)
"""Farther than this from most servers, no row is written."""
_PROGRAM_LIFE = timedelta(days=5 * 365)
"""A clock so long after the release needs a witness where the log has no row."""


class Trouble(Enum):
    """Why no row may be written."""

    UNSET = "before the release of the program"
    BEHIND = "before the last row"
    OFF = "far from the servers' clocks"
    UNPROVEN = "long after the last row, and no server answers"


class ClockWitness:
    """What the witnesses showed last; reports each change once. It outlives reloads."""

    def __init__(self, released: datetime = RELEASED) -> None:
        self._released = released
        self._trouble: Trouble | None = None
        self.waiting = ""
        """Why no row is written, for people; empty where rows are written."""
        self.ahead: timedelta | None = None
        """How far the clock is ahead of most servers (negative: behind); None within a minute, or unknown."""

    def look(self, now: datetime, end: datetime, slot: datetime) -> bool:
        """Whether it is worth asking the sources: `end` is the last row's slot, `slot` the next one."""
        # A clock may be set back at any time, by an operator or by NTP after a boot with a wrong one. The
        # rows up to `end` stand in the log and can neither be written again nor moved; rows of a time before
        # them would be out of order for every reader. So nothing is written until the clock has passed them:
        # the slots in between are recorded already, and if the clock was ahead before, they are what a wrong
        # clock costs. Nor is anybody asked: an answer could belong to no slot.
        if now < self._released:
            why = f"before the release of this program, {times.iso(self._released)}"
            self._wait(Trouble.UNSET, now, why, "until it is set; check what sets the machine's clock")
        elif now < end:
            left = times.span((slot - now).total_seconds())
            how_long = f"for {left}; check the machine's clock"
            self._wait(Trouble.BEHIND, now, f"before the last row, {times.iso(end)}", how_long)
        elif self._trouble in (Trouble.UNSET, Trouble.BEHIND):
            self._go_on(now, ", past the last row" if self._trouble is Trouble.BEHIND else "")
        return self._trouble not in (Trouble.UNSET, Trouble.BEHIND)

    def judge(self, now: datetime, end: datetime, servers: Collection[datetime], *, answered: bool) -> bool:
        """Whether the rows of the slot that was just asked for may be written.

        `servers` holds what the servers' clocks show now; `answered` is whether any source gave a price whose
        own time, if it has one, is near ours.
        """
        if servers:
            self._compare(now, servers)
        elif self._trouble is Trouble.OFF:
            pass  # only servers can show that it is right
        elif not answered and now - (end if end > times.EPOCH else self._released + _PROGRAM_LIFE) > WRONG:
            since = times.span((now - max(end, self._released)).total_seconds())
            what = "the last row" if end > times.EPOCH else "the release of this program"
            why = f"{since} after {what}, and no source answers with a time near it"
            self._wait(Trouble.UNPROVEN, now, why, "until one does")
        elif self._trouble is Trouble.UNPROVEN:
            self._go_on(now)
        return self._trouble is None

    def _compare(self, now: datetime, servers: Collection[datetime]) -> None:
        ahead = sorted(now - server for server in servers)
        middle = ahead[len(ahead) // 2]
        if _most(ahead, WRONG):
            how_long = "until it is right; check the machine's clock"
            self._wait(Trouble.OFF, now, f"{_offset(middle)} the servers of most sources", how_long)
            self.ahead = middle
            return
        if self._trouble:
            self._go_on(now)
            self.ahead = None
        if not _most(ahead, SUSPECT):
            if self.ahead is not None:
                _report(NOTICE, now, ", as do the servers of most sources again")
            self.ahead = None
            return
        if self.ahead is None:
            by = _offset(middle)
            text = f", {by} the servers of most sources: rows are in wrong slots; check the machine's clock"
            _report(logging.WARNING, now, text)
        self.ahead = middle

    def _wait(self, trouble: Trouble, now: datetime, why: str, how_long: str) -> None:
        if trouble is not self._trouble:
            event = Event.CLOCK_BEHIND if trouble is Trouble.BEHIND else Event.CLOCK_WRONG
            _report(logging.WARNING, now, f", {why}: no row {how_long}", event)
        self._trouble, self.waiting = trouble, f"the clock stands {why}"

    def _go_on(self, now: datetime, how: str = "") -> None:
        event = Event.CLOCK_BEHIND if self._trouble is Trouble.BEHIND else Event.CLOCK_WRONG
        _report(NOTICE, now, f"{how}: rows go on", event)
        self._trouble, self.waiting = None, ""


def _most(ahead: Collection[timedelta], limit: timedelta) -> bool:
    """Whether most servers' clocks are farther than that from ours."""
    return 2 * sum(abs(one) > limit for one in ahead) > len(ahead)


def _offset(ahead: timedelta) -> str:
    """How far our clock is off, in words that go before whose clock it is compared with."""
    return f"{times.span(abs(ahead).total_seconds())} {'ahead of' if ahead > timedelta() else 'behind'}"


def _report(level: int, now: datetime, text: str, event: Event = Event.CLOCK_WRONG) -> None:
    log_event(event, level, f"the clock says {times.iso(now)}{text}")
