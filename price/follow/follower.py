"""The loop of a follower: what the log has from the engine's own cursor on goes there, nothing is skipped.

The cursor is a slot. The log is sorted by slot, so "all rows from this slot on, this slot included" survives
rotation, packing, truncation and restored backups; and the engine keeps it, so that it is never newer or
older than the rows there. Nothing is kept here: whatever fails, the next try begins with the engine's cursor.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random

from price import times
from price.clock import Clock
from price.errors import PriceError
from price.follow.report import Report
from price.follow.target import Batch, Refused, Target
from price.log import row
from price.log.files import REPAIRS
from price.log.follow import LogReader, Position, at_slot
from price.log.read import PriceLog
from price.log.row import Row

POLL_SECONDS = 0.02
"""From look to look while a slot is due: a look is two stats."""
_SLOW_POLL_SECONDS = 1.0
_OVERDUE_SECONDS = 30
RETRY_SECONDS = (1.0, 60.0)
_CONFLICTS_SECONDS = 60.0

_Seen = tuple[int, int, int, int]
_NOTHING: _Seen = (0, 0, 0, 0)


class Follower:
    """Brings a log into a target, in steps."""

    def __init__(
        self,
        path: str,
        target: Target,
        clock: Clock,
        report: Report,
        chance: Random,
        since: int | None = None,
    ) -> None:
        """`since`: send all from this Unix time on again, and leave the engine's cursor where it is."""
        self._path = path
        self._repairs = os.path.join(os.path.dirname(path), REPAIRS)  # noqa: PTH118, PTH120
        self._target = target
        self._clock = clock
        self._report = report
        self._chance = chance
        self._since = since
        self._reader: LogReader | None = None
        self._seen, self._seen_repairs = _NOTHING, _NOTHING
        self._retry_seconds = 0.0
        self._last = ""
        """The slot sent last."""
        self._every = 0
        self._conflicts_due = 0.0

    def step(self) -> float:
        """Sends what waits; returns the seconds after which to look again."""
        try:
            self.catch_up()
        except PriceError as error:
            self._reader = None
            least, most = RETRY_SECONDS
            self._retry_seconds = min(most, max(least, 2 * self._retry_seconds))
            self._report.lost(str(error))
            return self._retry_seconds * self._chance.uniform(0.8, 1.2)
        self._retry_seconds = 0.0
        return self._until_next()

    @property
    def caught_up(self) -> bool:
        """Whether the last step came to the end of the log."""
        return self._reader is not None

    def catch_up(self) -> None:
        """Sends everything up to the end of the log. Raises PriceError; then the next call begins afresh."""
        if self._reader is None:
            self._connect()
        self._send_repairs()
        self._send_rows()
        now = self._clock.monotonic()
        if now >= self._conflicts_due:
            self._conflicts_due = now + _CONFLICTS_SECONDS
            self._report.conflicts(self._target.conflicts())
        self._report.works()
        self._report.alive(caught_up=True)

    def _connect(self) -> None:
        self._seen = self._seen_repairs = _NOTHING
        cursor = self._target.connect()
        if self._since is not None:
            cursor = times.slot_text(self._since)
        last = PriceLog(self._path, live_only=True).last()
        end = "" if last is None else times.slot_text(last)
        if cursor > end and self._since is None:
            self._report.ahead(cursor, end)
        self._last = self._last or cursor
        self._reader = LogReader(self._path, at_slot(times.slot_unix(cursor)) if cursor else Position())
        self._report.begin(cursor, end)

    def _send_rows(self) -> None:
        seen = _look(self._path)
        if seen == self._seen or self._reader is None:
            return
        for every, rows in self._batches(self._reader):
            self._send(rows, partial(self._send_batch, every))
            self._last, self._every = rows[-1][0], every
            self._report.sent(self._last, len(rows))
        self._report.left_out(self._reader.left)
        self._seen = seen  # as it was before the reading: what came meanwhile is looked at again

    def _batches(self, reader: LogReader) -> Iterator[tuple[int, Sequence[Row]]]:
        """What has come, in lists of one interval that are as long as the target takes."""
        held: list[Row] = []
        interval, most = 0, self._target.most_rows
        for every, rows in reader.read():
            if held and every != interval:
                yield interval, held
                held = []
            interval, held = every, held + rows
            while len(held) >= most:
                yield interval, held[:most]
                held = held[most:]
        if held:
            yield interval, held

    def _send_batch(self, every: int, rows: Sequence[Row]) -> None:
        self._target.send(Batch(rows, every, cursor="" if self._since is not None else rows[-1][0]))

    def _send(self, rows: Sequence[Row], send: Callable[[Sequence[Row]], None]) -> None:
        """Sends rows; where some are refused, by halves, so that only those are left out."""
        try:
            send(rows)
        except Refused as error:
            if len(rows) == 1:
                self._report.refused(rows[0], str(error))
                return
            middle = len(rows) // 2
            self._send(rows[:middle], send)
            self._send(rows[middle:], send)

    def _send_repairs(self) -> None:
        """Sends all of repairs.txt where it was replaced: it is small, and what is there already stays."""
        seen = _look(self._repairs)
        if seen != self._seen_repairs:
            rows = PriceLog(self._repairs).rows() if any(seen) else ()
            self._send([one for one in rows if one[2] != row.MISSED], self._target.send_repairs)
            self._seen_repairs = seen

    def _until_next(self) -> float:
        """The seconds to wait: to the next slot, then short steps until its row is there."""
        if not self._every or not self._last:
            return _SLOW_POLL_SECONDS
        age = (self._clock.now() - times.parse_iso(self._last)).total_seconds()
        if age > self._every + _OVERDUE_SECONDS:
            return _SLOW_POLL_SECONDS
        return min(_SLOW_POLL_SECONDS, max(POLL_SECONDS, self._every - age))


def _look(path: str) -> _Seen:
    """What tells that a file was appended to or replaced; zeros where there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - fifty times a second
    except OSError:
        return _NOTHING
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
