"""Writes one log: the rows of a slot in one write, held while the disk refuses them."""

import errno
import logging
import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from price import times
from price.counters import Histogram
from price.errors import PriceError
from price.events import NOTICE, Event, log_event
from price.log import row
from price.log.end import LogEnd
from price.model import Quote
from price.settings import Settings
from price.sinks.backlog import Backlog, Block, missed_rows, text_of
from price.sinks.kinds import keep_apart, makes_up
from price.sinks.opening import OpenLog, is_transient, segment_of
from price.text import counted

Opened = Callable[[LogEnd, Settings, bool], None]
"""Receives what the last rows of a log say, its settings, and whether slots were recorded before that."""


class LogWriter:
    """Brings the rows of slots to the disk, or holds them.

    `start` opens the log. Where the disk refuses that, the first `write` that succeeds does it; until then
    rows are held as if the disk had failed a minute later.
    """

    def __init__(
        self, settings: Settings, opened: Opened, monotonic: Callable[[], float], sync_seconds: Histogram
    ) -> None:
        self.path = settings.file
        self.log = OpenLog(settings.file)
        self._settings = settings
        self._segment = segment_of(settings)
        """That of the rows which come now; those that are held may belong to another."""
        self._opened = opened
        self._monotonic = monotonic
        self._sync_seconds = sync_seconds
        self._backlog = Backlog()
        self._down_until: datetime | None = None
        """Slots after those in the file, and before this one, had no recorder."""
        self._causes: set[str | int] = set()
        """Why rows are held, as far as reported."""
        self._renamed: tuple[int, list[Block]] | None = None
        """A file that was renamed while it was written, still open, and what was written then."""

    @property
    def held(self) -> int:
        """How many rows wait for the disk."""
        return self._backlog.rows

    def start(self, *, patient: bool) -> None:
        """Opens the log. Raises PriceError where it cannot be recorded into.

        If `patient`, that is for what never becomes right by itself: a foreign file, a second recorder,
        prices of the other kind. What a disk refuses today is reported, and tried again with each slot.
        """
        try:
            self._opened(self.log.begin(self._segment), self._settings, False)
        except PriceError:
            self.close()
            raise
        except (OSError, ValueError) as error:
            if not patient or not is_transient(error):
                self.close()
                text = f"PRICE_FILE={self.path}: {_words(error)}; mend that or name another file"
                raise PriceError(text) from error
            self._complain(error)

    def configure(self, settings: Settings) -> None:
        """Goes on with other pairs or another interval: a header begins a new segment for them.

        Raises PriceError for prices of the other kind, and changes nothing then.
        """
        keep_apart(self.path, self.log.simulated, wanted=makes_up(settings))
        self._settings, self._segment = settings, segment_of(settings)

    def write(self, quotes: Sequence[Quote]) -> None:
        """Writes the slot's rows, after those that are still held. Raises ValueError for no row at all."""
        if quotes:
            self._backlog.add(quotes, self._segment)
        self._look_again()
        if not self._backlog:
            return
        try:
            if not (self._write_held() or self._write_held()):  # the second time into a new file
                self._complain(OSError(errno.ENOENT, "it was removed while it was written"))
        except (OSError, ValueError, PriceError) as error:
            self._complain(error)

    def close(self) -> None:
        """Releases the file and its lock."""
        self._look_again()
        self.log.close()

    def _write_held(self) -> bool:
        """Writes what is held, or as many whole slots of it as fit. Raises OSError where some do not.

        Returns whether the file is still there: if not, its rows are gone with it, and held as before.
        """
        if not self.log.begun:
            self._begin_late()
        elif self.log.strange or not self.log.file.in_place():
            self.log.reopen(self._segment, self._backlog, quiet=bool(self._causes))
        rows, span, texts = self.held, self._backlog.span(), self._texts()
        began = self._monotonic()
        count = self.log.file.append(texts) if texts else 0
        self._sync_seconds.add(self._monotonic() - began)
        if self.log.file.links == 0:
            return False
        if count:
            self._settle(self._backlog.take(count))
        if count < len(texts):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._down_until = None
        if self._causes:
            self._recovered(rows, span)
        return True

    def _settle(self, written: list[Block]) -> None:
        """Notes that blocks are on stable storage."""
        log, last = self.log, written[-1]
        if not log.file.in_place():  # renamed, and maybe being packed: see _look_again
            self._renamed = (os.dup(log.file.descriptor), written)
        log.stored, log.segment = last.slot, last.segment
        log.ends = dict.fromkeys(last.segment.pairs, last.slot)
        if log.simulated is None and (last.segment.simulated or any(block.priced for block in written)):
            log.simulated = last.segment.simulated

    def _texts(self) -> list[bytes]:
        """What is to be written for each block: its rows, after a header where a segment begins."""
        texts, before, missed = [], self.log.segment, self._missed()
        for block in self._backlog:
            segment = block.segment
            begins = not segment.goes_on(before)
            header = f"{row.header(segment.interval, simulated=segment.simulated)}\n" if begins else ""
            texts.append(header.encode() + missed + block.text)
            before, missed = segment, b""
        return texts

    def _missed(self) -> bytes:
        """Rows for the slots between those in the file and the first that is held, where there are any.

        In those before the recorder started it was down; the rows of others were given up.
        """
        if not self._backlog:
            return b""
        (interval, pairs, _), missed = self._backlog.first.segment, []
        ends, until = dict(self.log.ends), self._down_until
        if until:
            missed = missed_rows(ends, pairs, until, interval, "down")
            ends |= dict.fromkeys([quote.pair for quote in missed], until - timedelta(seconds=interval))
        if self._backlog.forgotten:
            missed += missed_rows(ends, pairs, self._backlog.first.first, interval, "late")
        return text_of(missed)

    def _begin_late(self) -> None:
        """Opens the log that could not be opened at the start, and goes on as if it had been.

        Slots that it accounts for are not written again; up to the first that came they are `down`.
        """
        end = self.log.begin(self._segment)
        self._down_until = self._backlog.since
        last = max(self.log.ends.values(), default=times.EPOCH)
        while self._backlog and self._backlog.first.slot <= last:
            self._backlog.take(1)
        self._opened(end, self._settings, True)

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

    def _complain(self, error: Exception) -> None:
        """Reports each cause of holding rows once, until they are written."""
        cause = (isinstance(error, OSError) and error.errno) or str(error)
        if cause not in self._causes:
            text = f"{self.path}: {_words(error)}; rows are held in memory until that is mended"
            log_event(Event.ROWS_HELD, logging.ERROR, text)
        self._causes.add(cause)

    def _recovered(self, rows: int, span: str) -> None:
        forgotten, self._backlog.forgotten = self._backlog.forgotten, 0
        written = counted(rows, f"row held for {span} is written", f"rows held for {span} are written")
        lost = f"; {counted(forgotten, 'older one was', 'older ones were')} given up" if forgotten else ""
        text = f"{self.path}: {written}{lost}"
        log_event(Event.ROWS_WRITTEN, NOTICE, text)
        self._causes = set()


def _words(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
