"""What a follower says of itself: log records, STATUS= and signs of life, a small file for `price status`."""

import json
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

from price import __version__, times
from price.clock import Clock
from price.events import NOTICE, Event, log_event
from price.follow.status import line
from price.follow.target import Conflicts, Target
from price.log import row
from price.log.order import LeftOut
from price.log.row import Row
from price.progress import Progress
from price.smallfile import AtomicFile
from price.text import one_line

_EVERYONE = 0o644
_AGAIN_SECONDS = 60.0
"""A trouble that changes its words is logged again, but not more often than this."""
_SHOW_SECONDS = 1.0
_MOST_NAMED = 10
"""Rows that are logged one by one, of those that were refused; all are counted."""


class Report:
    """Says each change once: lost, back, rows that were left out, recorders that disagree."""

    def __init__(
        self,
        target: Target,
        recorder: str,
        clock: Clock,
        notify: Callable[[str], object],
        path: Path,
        progress: Progress,
        max_spread: Decimal,
    ) -> None:
        self._target, self._recorder, self._clock = target, recorder, clock
        self._notify = notify
        self._file = AtomicFile(path, _EVERYONE, durable=False)
        self._progress = progress
        self._limit_bp = float(max_spread) * 100
        self._since = times.iso(clock.now())
        self._slot, self._rows, self._refused, self._connections = "", 0, 0, 0
        self._left_out = ""
        self._trouble, self._tries = "", 0
        self._lost_at = self._told_at = 0.0
        self._conflicts = Conflicts()
        self._shown_at = float("-inf")
        self._ready = False

    def works(self) -> None:
        """The target took what there was; that it is back is logged where it was lost."""
        if self._trouble:
            lasted = times.span(self._clock.monotonic() - self._lost_at)
            log_event(Event.TARGET_BACK, NOTICE, f"{self._name}: back after {lasted}, {self._tries} tries")
        self._trouble, self._tries = "", 0

    def lost(self, trouble: str) -> None:
        """It cannot be used; logged once, and again where it is for another reason a minute later."""
        now = self._clock.monotonic()
        if not self._trouble:
            self._lost_at, self._told_at = now, float("-inf")
        if self._trouble != trouble and now - self._told_at >= _AGAIN_SECONDS:
            log_event(
                Event.TARGET_LOST, logging.WARNING, f"{self._name}: {trouble}; trying again until it works"
            )
            self._told_at = now
        self._trouble = trouble
        self._tries += 1
        self.alive(caught_up=False, now=True)

    def begin(self, cursor: str, end: str) -> None:
        """A connection is made, and a catch-up begins: from a slot to the end of the log."""
        self._connections += 1
        if cursor or end:
            self._progress.begin(times.slot_unix(cursor or end), times.slot_unix(end or cursor))

    def ahead(self, cursor: str, end: str) -> None:
        """The target has more than the log: the log is another one, or an older copy of it."""
        text = (
            f"{self._name}: it is at {cursor}, and the log ends at {end or 'nothing'}: nothing is sent until"
            " the log is past that; to send a part of it again: --again --since TIME"
        )
        log_event(Event.TARGET_AHEAD, logging.WARNING, text)

    def sent(self, slot: str, rows: int) -> None:
        """So many rows up to a slot are there."""
        self.works()
        self._slot = slot
        self._rows += rows
        self._progress.counted = self._rows
        self._progress.show(times.slot_unix(slot))
        self.alive(caught_up=False)

    def refused(self, one: Row, why: str) -> None:
        """The target takes everything but this row."""
        self._refused += 1
        if self._refused <= _MOST_NAMED:
            more = "; more are only counted" if self._refused == _MOST_NAMED else ""
            text = f"{self._name} refuses a row, left out: {row.text(one)}: {why}{more}"
            log_event(Event.ROW_LEFT_OUT, logging.WARNING, text)

    def left_out(self, left: LeftOut) -> None:
        """Lines of the log that are no rows, and files that cannot be read."""
        said = left.report()
        if said and said != self._left_out:
            log_event(Event.ROW_LEFT_OUT, logging.WARNING, "; ".join(said.splitlines()))
        self._left_out = said

    def conflicts(self, found: Conflicts) -> None:
        """How much recorders disagree; logged where that is more than sources may, and grew."""
        if found.worst_bp > max(self._limit_bp, self._conflicts.worst_bp):
            text = f"{self._name}: recorders differ by {found.worst_bp:.1f} bp: see the view price.conflict"
            log_event(Event.RECORDERS_DIFFER, logging.WARNING, text)
        self._conflicts = found

    def alive(self, *, caught_up: bool, now: bool = False) -> None:
        """Shows how it is, at most once a second."""
        moment = self._clock.monotonic()
        if caught_up:
            self._progress.clear()
        if moment - self._shown_at < _SHOW_SECONDS and not now:
            return
        self._shown_at = moment
        state = "lost" if self._trouble else "caught up" if caught_up else "catching up"
        known = {
            "version": __version__,
            "pid": os.getpid(),
            "target": self._target.name,
            "recorder": self._recorder,
            "state": state,
            "at": times.iso(self._clock.now()),
            "slot": self._slot or None,
            "rows": self._rows,
            "refused": self._refused,
            "reconnects": max(0, self._connections - 1),
            "conflicts": self._conflicts.slots,
            "worst_bp": round(self._conflicts.worst_bp, 2),
            "last_error": self._trouble or None,
            "since": self._since,
        }
        with suppress(OSError, ValueError):  # nothing may depend on them
            self._file.write(f"{json.dumps(known)}\n")
        ready = "" if self._ready else "READY=1\n"
        with suppress(OSError, ValueError):
            self._notify(f"{ready}WATCHDOG=1\nSTATUS={one_line(line(known, self._clock.now()))}")
            self._ready = True

    @property
    def _name(self) -> str:
        return f"{self._target.name} at {self._target.where}"
