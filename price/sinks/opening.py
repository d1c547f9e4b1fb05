"""Which file the path of a log leads to, now and after whatever was done to it, and what its rows say."""

import errno
import logging
import os
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path

from price import host, times
from price.confirm import anchor_age
from price.errors import PriceError
from price.events import NOTICE, Event, log_event
from price.log.append import AppendFile
from price.log.cut import keep, sound_end
from price.log.end import LogEnd, read_end, read_log_end
from price.log.lock import LOG_MODE, LogLock, Unfit, open_exclusively
from price.model import Pair
from price.sinks.backlog import Block, Segment, is_simulated
from price.sinks.missed import MOST_BYTES, late_after, span
from price.text import counted
from price.wire import excerpt

_SHOWN_OF_CUT = 200
NO_ROWS = Segment(0, (), simulated=False)
"""No row may follow it without a header."""
_NEVER_RIGHT = (errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG)
"""Errors that name a wrong path: they do not go away as a full or broken disk does."""


class Known(Enum):
    """What is known of the file that a log's path leads to."""

    NOTHING = "it has not been opened yet"
    END = "its rows end with the last ones that were written here, or with those it had when it was opened"
    STRANGE = "it was opened in the place of another, and its end has yet to be compared with what is held"


class OpenLog:
    """A log, locked and open, and what is known of it.

    Before each write the path is looked at. Where it no longer leads to the file as it was left, or the last
    write failed, it is opened again, and the file is one of these:

    - the same as before: what the failed write left is taken back, and all that is held is written;
    - a new or empty one (the old one was rotated, removed, emptied): a header comes first;
    - another one with rows (an editor's copy; or what a failed sync brought to the disk after all): rows of
      ours that it has are not written again, and it must end before the rest. Else it is another
      recorder's, and rows are held until it is moved away.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = AppendFile(path)
        self.known = Known.NOTHING
        self.segment = NO_ROWS
        """That of the last rows in the file."""
        self.stored: datetime | None = None
        """The last slot that was written and is on stable storage."""
        self.simulated: bool | None = None
        """Whether the log's prices are made up; None while it has none and does not say so."""
        self._lock = LogLock(path)
        self._renamed: Sequence[Block] = ()
        """What was written last, if the file was renamed meanwhile: see `lost`."""
        self._causes: set[str | int] = set()
        """Why rows are held, each reported once; empty once they are written."""

    def begin(self, wanted: Segment) -> LogEnd:
        """Locks and opens the log for the first time, mends its end and returns what it says.

        Raises PriceError where it may not be recorded into, OSError and ValueError where it cannot.
        """
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
        absent = end.drop_absent(wanted.interval)
        self.simulated = end.simulated
        if size and not absent:  # a pair that has no row at the end may have been here long ago
            self.segment = Segment(end.interval or 0, end.rows.keys(), bool(end.simulated))
        self.known = Known.END
        for skipped in end.skipped:
            text = f"{skipped}; it was skipped: older prices may be missing from what the choice remembers"
            log_event(Event.TAIL_CUT, logging.WARNING, text)
        return end

    def go_on(self, wanted: Segment, held: list[Block]) -> None:
        """Goes on in whatever file the path leads to now; what is held there already is held no more.

        Raises OSError, Unfit and PriceError if it cannot.
        """
        if self.known is Known.END and self.file.in_place():
            return
        before = self.file
        self._open(wanted.pairs)
        if self.file.identity != before.identity or self.file.size < before.size:
            self.known = Known.STRANGE
        if self.known is Known.STRANGE:
            self.segment = NO_ROWS
            self._drop_known(wanted, held)
            self.known = Known.END

    def wrote(self, blocks: Sequence[Block]) -> None:
        """Notes that blocks are in the file and on stable storage."""
        self._renamed = () if self.file.in_place() else blocks
        self.stored, self.segment = blocks[-1].slot, blocks[-1].segment
        if self.simulated is None:
            self.simulated = is_simulated(blocks)

    def lost(self) -> Sequence[Block]:
        """The last blocks that were written, if they are gone with their file: to be written once more.

        A log is rotated by a rename, and then perhaps packed: somebody reads the old file to its end and
        removes it. Rows that a write brings there after it was read are on stable storage and yet gone with
        it. A look before the write cannot exclude that, and right after it the packer may still be reading.
        So the old file stays open until the next slot; if it has no name by then, its last rows may be lost
        and are written again. If the packed file has them too, they stand twice: readers count the first.
        """
        blocks, self._renamed = self._renamed, ()
        return blocks if blocks and self.file.links == 0 else ()

    def refused(self, error: Exception) -> None:
        """Reports what keeps rows from the log, each cause once."""
        cause = (isinstance(error, OSError) and error.errno) or str(error)
        if cause not in self._causes:
            text = f"{self.path}: {_words(error)}; rows are held in memory until that is mended"
            log_event(Event.ROWS_HELD, logging.ERROR, text)
        self._causes.add(cause)

    def accepted(self, held: Sequence[Block], given_up: int) -> None:
        """Reports that all rows are written, if it was reported that they are held."""
        if self._causes:
            written = "rows go on; it has all slots that were held"
            if rows := sum(block.rows for block in held):
                how_long = f"held for {span(held)}"
                written = counted(rows, f"row {how_long} is written", f"rows {how_long} are written")
            older = counted(given_up, "older one was", "older ones were")
            lost = f"; {older} given up" if given_up else ""
            log_event(Event.ROWS_WRITTEN, NOTICE, f"{self.path}: {written}{lost}")
        self._causes.clear()

    def close(self) -> None:
        """Releases the file and its lock."""
        self.file.close()
        self._lock.close()

    def _drop_known(self, wanted: Segment, held: list[Block]) -> None:
        """Drops held rows that the file has too. Raises Unfit where it ends after others."""
        descriptor, size = self.file.descriptor, self.file.size
        found = read_end(descriptor, size, wanted.pairs, _recent_seconds(wanted))
        if None not in (found.simulated, self.simulated) and found.simulated != self.simulated:
            raise Unfit(f"it holds {_word(simulated=bool(found.simulated))} prices")
        ends = found.last_slots()
        end = max(ends.values(), default=times.EPOCH)
        begin = max(0, size - MOST_BYTES)
        there = host.read_at(descriptor, size - begin, begin) if held and held[0].first <= end else b""
        while held and held[0].first <= end:
            if not held[0].rows:
                held[:1] = late = late_after(ends, held[0])
                if late:
                    break
            elif held[0].text in there:
                self.stored = held.pop(0).slot
            else:
                raise Unfit(f"it ends at {times.iso(end)}, after rows that are still to be written")

    def _open(self, pairs: Collection[Pair]) -> None:
        """Opens or makes the file, and cuts off what a crash left at its end.

        The file that was open before stays so until the new one is: its lock is never given up in between.
        Raises OSError, Unfit for what is no price log, PriceError for one that another process records into.
        """
        self._lock.hold()
        old = self.file
        if old.descriptor >= 0 and (host.LOG_IS_EXCLUSIVE or old.links == 0):
            old.close()  # it keeps us out as well; or it is gone, and takes room on a disk that may be full
        host.make_folder(self.path.parent)
        descriptor = open_exclusively(self.path)
        try:
            end = self._cut_end(descriptor, len(pairs) + 1)
            if end == 0:
                host.set_mode(descriptor, LOG_MODE)  # whatever the umask: everyone may read prices
                host.sync_folder(self.path.resolve().parent)  # where the file is, not a link to it
            host.sync(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        old.close()
        host.claim(descriptor)  # now that the old descriptor no longer holds the lock
        self.file = AppendFile(self.path, descriptor, end)

    def _cut_end(self, descriptor: int, most_lines: int) -> int:
        """Cuts off what is no whole row at the end of an open file; returns where it ends then.

        What a failed write of ours left there is cut off without a report: it is written again.
        """
        size = os.fstat(descriptor).st_size
        if self.file.left_bytes_in(descriptor, size):
            os.ftruncate(descriptor, self.file.size)
            return self.file.size
        end = sound_end(descriptor, size, most_lines)
        if end < size:
            cut = keep(descriptor, end, self.path.with_name(f"{self.path.name}.cut"))
            os.ftruncate(descriptor, end)
            shown = excerpt(cut.begin, _SHOWN_OF_CUT)
            begin = f"{cut.size} bytes, {shown}" if cut.size > _SHOWN_OF_CUT else shown
            text = f"{self.path}: its end was not a whole row and was cut off: {begin}; {cut.path} keeps it"
            log_event(Event.TAIL_CUT, logging.WARNING, text)
        return end


def open_log(
    path: Path, wanted: Segment, *, patient: bool
) -> tuple[OpenLog, LogEnd | None, Exception | None]:
    """The log of a path with what its end says, or with the fault that keeps it from being opened.

    Raises PriceError where it cannot be recorded into. If `patient`, that is for what never becomes right by
    itself: a wrong path, a foreign file, a second recorder, prices of the other kind. What a disk refuses
    today is a fault, to be tried again with each slot.
    """
    log = OpenLog(path)
    try:
        return log, log.begin(wanted), None
    except PriceError:
        log.close()
        raise
    except (OSError, ValueError) as error:
        if patient and isinstance(error, OSError) and error.errno not in _NEVER_RIGHT:
            return log, None, error
        log.close()
        raise PriceError(f"PRICE_FILE={path}: {_words(error)}; mend that or name another file") from error


def _words(error: Exception) -> str:
    """The reason of an error, without the name of a file."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _recent_seconds(segment: Segment) -> int:
    """How old a price may be that is still an anchor."""
    return int(anchor_age(timedelta(seconds=segment.interval)).total_seconds())


def keep_apart(path: Path, simulated: bool | None, *, wanted: bool) -> None:
    """Raises PriceError where a log would mix real prices and made-up ones: it never does.

    `simulated` is what the log holds, None if it has no price yet; `wanted` is what it is to get.
    """
    if simulated is None or simulated is wanted:
        return
    name = "simulated.txt" if wanted else "real.txt" if path.name == "prices.txt" else "prices.txt"
    held, new = _word(simulated=simulated), _word(simulated=wanted)
    raise PriceError(
        f"PRICE_FILE={path}: it holds {held} prices: {new} ones need a file of their own,"
        f" for example PRICE_FILE={path.with_name(name)}"
    )


def _word(*, simulated: bool) -> str:
    return "simulated" if simulated else "real"
