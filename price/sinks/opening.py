"""Which file the path of a log leads to, now and after whatever was done to it, and what its rows say."""

import errno
import logging
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from price import host, times
from price.errors import PriceError
from price.events import Event, log_event
from price.log.append import AppendFile
from price.log.end import LogEnd, read_end, read_log_end
from price.log.lock import LogLock, Unfit
from price.model import Pair
from price.settings import Settings
from price.sinks.backlog import MOST_BYTES, Backlog, Segment
from price.sinks.held_reports import words
from price.sinks.kinds import keep_apart, makes_up, word
from price.wire import excerpt

_SHOWN_OF_CUT = 200
_RECENT_SECONDS, _RECENT_SLOTS = 60, 3
"""How old a price may be that is still an anchor: the longer of the two."""
_NEVER_RIGHT = (errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG)
"""Errors that name a wrong path: they do not go away as a full or broken disk does."""
_NOTHING = Segment(0, (), simulated=False)


class OpenLog:
    """A log, locked and open. After any error the file is opened again before the next write.

    Nothing is known of it then, and it is one of these:

    - the same file as before: what the failed write left is taken back, and all that is held is written;
    - a new or empty file (the old one was rotated, removed, emptied): a header comes first;
    - another file with rows: rows of ours that it has are not written again, and it must end before the
      rest; else rows are held until it is moved away.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = AppendFile(path)
        self.begun = False
        """Whether it was opened and its end read."""
        self.segment = _NOTHING
        """That of the last rows in the file."""
        self.ends: dict[Pair, datetime] = {}
        """The last slot that each pair's rows in the file account for."""
        self.stored: datetime | None = None
        """The last slot that was written and is on stable storage."""
        self.simulated: bool | None = None
        """Whether the log's prices are made up; None while it has none and does not say so."""
        self._lock = LogLock(path)
        self.strange = False
        """Whether the path leads to a file whose end has yet to be compared with what is held."""

    def begin(self, wanted: Segment) -> LogEnd:
        """Locks and opens the log, mends its end and returns what it says.

        Raises PriceError where it may not be recorded into, OSError and ValueError where it cannot.
        """
        self._lock.hold()
        is_new = not self.path.exists()
        self._open(wanted.pairs)
        descriptor, size = self.file.descriptor, self.file.size
        end = read_log_end(self.path, descriptor, size, wanted.pairs, _recent_seconds(wanted))
        try:
            keep_apart(self.path, end.simulated, wanted=wanted.simulated)
        except PriceError:
            if is_new:  # the rows that speak against it are in a file rotated away
                self.file.close()
                self.path.resolve().unlink()
            raise
        self._report_new()
        absent = end.drop_absent(wanted.interval)
        self.ends, self.simulated = end.last_slots(), end.simulated
        if size and not absent:  # a pair that has no row at the end may have been here long ago
            self.segment = Segment(end.interval or 0, end.rows.keys(), bool(end.simulated))
        self.begun = True
        for skipped in end.skipped:
            text = f"{skipped}; it was skipped: older prices may be missing from what the choice remembers"
            log_event(Event.TAIL_CUT, logging.WARNING, text)
        return end

    def reopen(self, wanted: Segment, held: Backlog, *, quiet: bool) -> None:
        """Goes on in whatever file the path now leads to. Raises OSError, Unfit and PriceError if it cannot.

        If `quiet`, a new file is not reported: it is opened for every slot while the disk refuses.
        """
        before, size = self.file.identity, self.file.size
        self._lock.hold()
        self._open(wanted.pairs)
        if not quiet:
            self._report_new()
        self.strange |= self.file.identity != before or self.file.size < size
        if self.strange:
            self.segment = _NOTHING
            self._drop_known(wanted, held)
            self.strange = False

    def close(self) -> None:
        """Releases the file and its lock."""
        self.file.close()
        self._lock.close()

    def _drop_known(self, wanted: Segment, held: Backlog) -> None:
        """Drops held rows that the file has too. Raises Unfit where it ends after others."""
        descriptor, size = self.file.descriptor, self.file.size
        found = read_end(descriptor, size, wanted.pairs, _recent_seconds(wanted))
        if None not in (found.simulated, self.simulated) and found.simulated != self.simulated:
            raise Unfit(f"it holds {word(simulated=bool(found.simulated))} prices")
        ends = found.last_slots()
        self.ends = ends or self.ends
        end = max(ends.values(), default=times.EPOCH)
        begin = max(0, size - MOST_BYTES)
        known = host.read_at(descriptor, size - begin, begin) if held[0].first <= end else b""
        while held and held[0].first <= end:
            if held[0].text not in known:
                raise Unfit(f"it ends at {times.iso(end)}, after rows that are still to be written")
            self.stored = held.popleft().slot

    def _open(self, pairs: Collection[Pair]) -> None:
        cut = self.file.open(len(pairs) + 1)
        if cut:
            shown = excerpt(cut.begin, _SHOWN_OF_CUT)
            begin = f"{cut.size} bytes, {shown}" if cut.size > _SHOWN_OF_CUT else shown
            text = f"{self.path}: its end was not a whole row and was cut off: {begin}; {cut.path} keeps it"
            log_event(Event.TAIL_CUT, logging.WARNING, text)

    def _report_new(self) -> None:
        if self.file.size == 0:
            log_event(Event.FILE_BEGUN, logging.INFO, f"{self.path}: a new file is begun")


def segment_of(settings: Settings) -> Segment:
    """What rows have in common that are made with these settings."""
    return Segment(settings.interval, settings.pairs, makes_up(settings))


def open_log(settings: Settings, *, patient: bool) -> tuple[OpenLog, LogEnd | None, Exception | None]:
    """The log of these settings with what its end says, or with the fault that keeps it from being opened.

    Raises PriceError where it cannot be recorded into. If `patient`, that is for what never becomes right by
    itself: a foreign file, a second recorder, prices of the other kind. What a disk refuses today is a
    fault, to be tried again with each slot.
    """
    log = OpenLog(settings.file)
    try:
        return log, log.begin(segment_of(settings)), None
    except PriceError:
        log.close()
        raise
    except (OSError, ValueError) as error:
        if not patient or not _is_transient(error):
            log.close()
            text = f"PRICE_FILE={settings.file}: {words(error)}; mend that or name another file"
            raise PriceError(text) from error
        return log, None, error


def _is_transient(error: Exception) -> bool:
    """Whether an error may go away by itself, as that of a full disk does: no wrong path, no foreign file."""
    return isinstance(error, OSError) and error.errno not in _NEVER_RIGHT


def _recent_seconds(segment: Segment) -> int:
    return max(_RECENT_SECONDS, _RECENT_SLOTS * segment.interval)
