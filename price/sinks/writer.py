"""Writes one log: the rows of a slot in one write, held while the disk refuses them."""

import errno
import logging
import os
from collections.abc import Callable, Sequence
from datetime import datetime

from price import host, times
from price.counters import Histogram
from price.errors import PriceError
from price.events import NOTICE, Event, log_event
from price.log.append import AppendFile, Unfit
from price.log.end import LogEnd, read_end, read_log_end
from price.log.lock import LogLock
from price.model import Quote
from price.settings import Settings
from price.sinks.backlog import MOST_BYTES, Backlog, Block, down_block
from price.sinks.kinds import keep_apart, makes_up, word
from price.wire import excerpt

_SHOWN_OF_CUT = 200
_TRIES = 2
"""A file that is removed while it is written is made again, once in a slot."""
_RECENT_SECONDS, _RECENT_SLOTS = 60, 3
"""How old a price may be that is still an anchor: the longer of the two."""
_NEVER_RIGHT = (errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG)
"""Errors that name a wrong path: they do not go away as a full or broken disk does."""

Opened = Callable[[LogEnd, Settings, bool], None]
"""Receives what the last rows of a log say, its settings, and whether slots were recorded before that."""


class LogWriter:
    """One log, locked and open. `write` brings the rows of a slot to the disk, or holds them.

    The life of a log: `start` locks it, opens it and reads its end. Where the disk refuses that, the first
    `write` that succeeds does it; until then rows are held as if the disk had failed a minute later. After
    any error the file is opened again before the next write, since nothing is known of it any more:

    - the same file as before: what the failed write left is taken back, and all that is held is written;
    - a new or empty file (the old one was rotated, removed, emptied): a header comes first;
    - another file with rows: rows of ours that it has are not written again, and it must end before the
      rest; else rows are held until it is moved away.
    """

    def __init__(
        self, settings: Settings, opened: Opened, monotonic: Callable[[], float], sync_seconds: Histogram
    ) -> None:
        self.path = path = settings.file
        self.stored: datetime | None = None
        """The last slot on stable storage."""
        self.simulated: bool | None = None
        """Whether the log's prices are made up; None while it has none and does not say so."""
        self._opened = opened
        self._monotonic = monotonic
        self._sync_seconds = sync_seconds
        self._file = AppendFile(path)
        self._begun = False
        """Whether the log was opened and its end read."""
        self._use(settings)
        self._lock = LogLock(path)
        self._header_due = False
        """Whether what is written next needs a header before it."""
        self._segment_due = False
        """Whether the next slot begins a new segment; slots that are held still belong to the one before."""
        self._backlog = Backlog()
        self._strange = False
        """Whether the path leads to a file whose end has yet to be compared with what is held."""
        self._causes: set[str | int] = set()
        """Why rows are held, as far as reported."""
        self._renamed: tuple[int, list[Block]] | None = None
        """A file that was renamed while it was written, still open, and what was written then."""
        self._end = times.EPOCH
        """The last slot that rows in the file account for."""

    @property
    def held(self) -> int:
        """How many rows wait for the disk."""
        return self._backlog.rows

    def start(self, *, patient: bool) -> None:
        """Locks and opens the log and mends its end. Raises PriceError where it cannot be recorded into.

        If `patient`, that is for what never becomes right by itself: a foreign file, a second recorder,
        prices of the other kind. What a disk refuses today is reported, and tried again with each slot.
        """
        try:
            self._opened(self._begin(), self._settings, False)
        except PriceError:
            self.close()
            raise
        except (OSError, ValueError) as error:
            never = not isinstance(error, OSError) or error.errno in _NEVER_RIGHT
            if never or not patient:
                self.close()
                raise self._unusable(error) from error
            self._complain(error)

    def configure(self, settings: Settings) -> None:
        """Goes on with other pairs or another interval: a header begins a new segment for them.

        Raises PriceError for prices of the other kind, and changes nothing then.
        """
        keep_apart(self.path, self.simulated, wanted=makes_up(settings))
        pairs, interval = settings.pairs, settings.interval
        self._segment_due |= interval != self._interval or not self._pairs.issuperset(pairs)
        self._segment_due |= self._makes_up != makes_up(settings)
        self._use(settings)

    def _use(self, settings: Settings) -> None:
        self._settings, self._pairs = settings, frozenset(settings.pairs)
        self._interval, self._makes_up = settings.interval, makes_up(settings)

    def write(self, quotes: Sequence[Quote]) -> None:
        """Writes the slot's rows, after those that are still held. Raises ValueError for no row at all."""
        if quotes:
            self._backlog.add(quotes, self._interval, self._end, begins=self._segment_due)
            self._segment_due = False
        self._look_again()
        try:
            self._bring_to_disk()
        except (OSError, ValueError, PriceError) as error:
            self._complain(error)

    def close(self) -> None:
        """Releases the file and its lock."""
        self._look_again()
        self._file.close()
        self._lock.close()

    def _begin(self) -> LogEnd:
        self._lock.hold()
        self._open()
        end = read_log_end(
            self.path, self._file.descriptor, self._file.size, self._pairs, self._recent_seconds
        )
        keep_apart(self.path, end.simulated, wanted=self._makes_up)
        absent = end.drop_absent(self._interval)
        self._end = max(end.last_slots().values(), default=times.EPOCH)
        self._header_due |= absent or end.interval != self._interval
        self._header_due |= not self._pairs.issubset(end.rows)  # it may have been here long ago
        self._header_due |= self._makes_up and end.simulated is None  # the word is still missing
        self.simulated = end.simulated
        self._begun = True
        for skipped in end.skipped:
            text = f"{skipped}; it was skipped: older prices may be missing from what the choice remembers"
            log_event(Event.TAIL_CUT, logging.WARNING, text)
        return end

    def _bring_to_disk(self) -> None:
        """Writes all that is held. Raises OSError, ValueError or PriceError where that cannot be."""
        for _ in range(_TRIES):
            if not self._backlog:
                return
            self._write_held()
        if self._backlog:
            raise OSError(errno.ENOENT, "it was removed while it was written")

    def _write_held(self) -> None:
        """Writes what is held, or as many whole slots of it as fit. Raises OSError where some do not."""
        if not self._begun:
            self._begin_late()
        elif self._strange or not self._file.in_place():
            self._reopen()
        rows, span = self.held, self._backlog.span()
        texts = list(self._backlog.texts(simulated=self._makes_up, header_due=self._header_due))
        began = self._monotonic()
        count = self._file.append(texts) if texts else 0
        self._sync_seconds.add(self._monotonic() - began)
        if self._file.links == 0:
            return  # it was removed meanwhile, and its rows with it: once more, into a new file
        self._settle(self._backlog.take(count))
        if count < len(texts):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self._causes:
            self._recovered(rows, span)

    def _settle(self, written: list[Block]) -> None:
        """Notes that blocks are on stable storage."""
        if not written:
            return
        if not self._file.in_place():  # renamed, and maybe being packed: see _look_again
            self._renamed = (os.dup(self._file.descriptor), written)
        self._header_due = False
        self.stored = self._end = written[-1].slot
        if self.simulated is None:
            priced = any(block.text.count(b"\n") > block.text.count(b" - ") for block in written)
            self.simulated = self._makes_up if priced or self._makes_up else None

    def _begin_late(self) -> None:
        """Opens the log that could not be opened at the start, and goes on as if it had been.

        Slots that it accounts for are not written again; up to the first that is held they are `down`.
        """
        end = self._begin()
        last = end.last_slots()
        while self._backlog and self._backlog.first.slot <= self._end:
            self._backlog.take(1)
        if self._backlog:
            first = self._backlog.first
            missed = []
            for pair in sorted(last, key=lambda pair: last[pair]):
                begin = times.next_slot(last[pair], first.interval)
                slots = times.slots_between(begin, first.first, first.interval)
                if slots and pair in self._pairs:
                    missed.append(Quote(begin, pair, reason="down", slots=slots))
            if missed:
                self._backlog.put_before([down_block(missed, first.interval)])
        self._opened(end, self._settings, True)

    def _reopen(self) -> None:
        """Goes on in whatever file the path now leads to, with a header where rows of ours are missing."""
        before, size = self._file.identity, self._file.size
        self._lock.hold()
        self._open()
        self._strange |= self._file.identity != before or self._file.size < size
        if self._strange:
            self._header_due = True
            self._drop_known()
            self._strange = False

    def _drop_known(self) -> None:
        """Lets go of held rows that another file has too. Raises Unfit where it ends after others."""
        descriptor, size = self._file.descriptor, self._file.size
        found = read_end(descriptor, size, self._pairs, self._recent_seconds)
        if None not in (found.simulated, self.simulated) and found.simulated != self.simulated:
            raise Unfit(f"it holds {word(simulated=bool(found.simulated))} prices")
        self._end = end = max(found.last_slots().values(), default=times.EPOCH)
        begin = max(0, size - MOST_BYTES)
        known = host.read_at(descriptor, size - begin, begin) if self._backlog.first.first <= end else b""
        while self._backlog and self._backlog.first.first <= end:
            block = self._backlog.first
            if block.rows:
                if block.text not in known:
                    raise Unfit(f"it ends at {times.iso(end)}, after rows that are still to be written")
                self.stored = block.slot
            self._backlog.take(1)

    def _look_again(self) -> None:
        """Writes once more what went into a file that was renamed meanwhile, if that file is gone by now.

        Who packs a rotated file reads it and then removes it. Rows that came after it was read are gone
        with it; a slot later that has happened or not. If it has, they may stand twice, of which readers
        count the first.
        """
        if self._renamed is None:
            return
        (descriptor, blocks), self._renamed = self._renamed, None
        if os.fstat(descriptor).st_nlink == 0:
            self._backlog.put_before(blocks)
        os.close(descriptor)

    def _open(self) -> None:
        cut = self._file.open(len(self._pairs) + 1)
        if cut:
            shown = excerpt(cut.begin, _SHOWN_OF_CUT)
            begin = f"{cut.size} bytes, {shown}" if cut.size > _SHOWN_OF_CUT else shown
            text = f"{self.path}: its end was not a whole row and was cut off: {begin}; {cut.path} keeps it"
            log_event(Event.TAIL_CUT, logging.WARNING, text)
        if self._file.size == 0:
            self._header_due = True
            if not self._causes:  # else it is opened for every slot
                log_event(Event.FILE_BEGUN, logging.INFO, f"{self.path}: a new file is begun")

    @property
    def _recent_seconds(self) -> int:
        return max(_RECENT_SECONDS, _RECENT_SLOTS * self._interval)

    def _unusable(self, error: Exception) -> PriceError:
        return PriceError(f"PRICE_FILE={self.path}: {_words(error)}; mend that or name another file")

    def _complain(self, error: Exception) -> None:
        """Reports each cause of holding rows once, until they are written."""
        cause = (isinstance(error, OSError) and error.errno) or str(error)
        if cause not in self._causes:
            text = (
                f"{self.path}: {_words(error)}; rows are held in memory and the journal has them: mend that"
            )
            log_event(Event.ROWS_HELD, logging.ERROR, text)
        self._causes.add(cause)

    def _recovered(self, rows: int, span: str) -> None:
        forgotten, self._backlog.forgotten = self._backlog.forgotten, 0
        lost = f"; {forgotten} older ones were given up" if forgotten else ""
        text = f"{self.path}: {rows} rows held for {span} are written{lost}"
        log_event(Event.ROWS_WRITTEN, NOTICE, text)
        self._causes = set()


def _words(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
