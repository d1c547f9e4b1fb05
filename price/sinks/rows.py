"""The sink of prices.txt: the first one, so that rows are on stable storage before anything shows them."""

import errno
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from price import times
from price.clock import Clock
from price.counters import SLOT_BOUNDS, SYNC_BOUNDS, Histogram
from price.errors import PriceError
from price.log.end import LogEnd
from price.log.header import header_line
from price.model import Quote
from price.settings import Settings
from price.sinks.backlog import Backlog, Block, Segment, text_of
from price.sinks.held_reports import HeldReports
from price.sinks.kinds import keep_apart, makes_up
from price.sinks.missed import missed_before
from price.sinks.opening import OpenLog, open_log, segment_of
from price.sinks.renamed import Renamed
from price.text import counted

Opened = Callable[[LogEnd, Settings, bool], None]
"""Receives what the last rows of a log say, its settings, and whether slots were recorded before that."""


class RowsSink:
    """Writes the rows of each slot into the configured log, or holds them while the disk refuses.

    Where the disk refuses the log at the start, the first write that succeeds opens it; until then rows are
    held as if the disk had failed a minute later.
    """

    _segment: Segment
    """That of the rows which come now; those that are held may belong to another."""

    def __init__(self, opened: Opened, clock: Clock) -> None:
        self._opened = opened
        self._clock = clock
        self.slot_seconds = Histogram(SLOT_BOUNDS)
        """From each slot's instant to its rows on stable storage."""
        self.sync_seconds = Histogram(SYNC_BOUNDS)
        """Of each write and its fdatasync."""
        self._settings: Settings | None = None
        self._log = OpenLog(Path("prices.txt"))
        self._backlog = Backlog()
        self._down_until: datetime | None = None
        """Slots after those in the file, and before this one, had no recorder."""
        self._reports = HeldReports()
        self._renamed = Renamed()

    @property
    def stored(self) -> datetime | None:
        """The last slot on stable storage."""
        return self._log.stored

    @property
    def held(self) -> int:
        """How many rows wait for the disk."""
        return self._backlog.rows

    @property
    def holds_real_prices(self) -> bool:
        """Whether the log holds prices that are not made up."""
        return self._log.simulated is False

    def configure(self, settings: Settings) -> None:
        """Goes on with these settings; raises PriceError, and goes on as before, where that cannot be.

        Other pairs or another interval begin a new segment of the same log.
        """
        if self._settings is None or settings.file != self._log.path:
            self._change_log(settings, patient=self._settings is None)
        else:
            held = self._backlog.simulated if self._log.simulated is None else self._log.simulated
            keep_apart(self._log.path, held, wanted=makes_up(settings))
        self._settings, self._segment = settings, segment_of(settings)

    def slot(self, slot: datetime, quotes: Sequence[Quote]) -> None:
        """Writes the rows of a slot. Raises ValueError for a quote that no row can hold, or for none."""
        self._backlog.add(quotes, self._segment)
        self.idle()
        if self.stored == slot:
            self.slot_seconds.add((self._clock.now() - slot).total_seconds())

    def idle(self) -> None:
        """Writes what is held, if the disk takes it."""
        self._backlog.extendleft(reversed(self._renamed.lost()))
        if not self._backlog:
            return
        try:
            if not (self._write_held() or self._write_held()):  # the second time into a new file
                raise FileNotFoundError(errno.ENOENT, "it was removed while it was written")
        except (OSError, ValueError, PriceError) as error:
            self._reports.refused(self._log.path, error)

    def finish(self) -> bool:
        """Gives held rows a last chance; whether none is left. Reports those that are lost to the disk."""
        self.idle()
        if self._backlog:
            self._reports.lost(self._log.path, self.held)
        return not self._backlog

    def close(self) -> None:
        """Releases the log and its lock."""
        self._backlog.extendleft(reversed(self._renamed.lost()))
        self._log.close()

    def _change_log(self, settings: Settings, *, patient: bool) -> None:
        """Opens another log. Raises PriceError where that cannot be: see `open_log`."""
        self.idle()
        if self._backlog:
            wait = counted(self.held, "row still waits", "rows still wait")
            raise PriceError(f"PRICE_FILE={settings.file}: {wait} for {self._log.path}")
        log, end, fault = open_log(settings, patient=patient)
        if end is not None:
            self._opened(end, settings, False)
        self.close()
        self._log = log
        if fault:
            self._reports.refused(log.path, fault)

    def _write_held(self) -> bool:
        """Writes what is held, or as many whole slots of it as fit. Raises OSError where some do not.

        Returns whether the file is still there: if not, its rows are gone with it, and held as before.
        """
        if not self._log.begun:
            self._begin_late()
        elif self._log.strange or not self._log.file.in_place():
            self._log.reopen(self._segment, self._backlog, quiet=self._reports.held)
        rows, span, texts = self.held, self._backlog.span(), self._texts()
        began = self._clock.monotonic()
        count = self._log.file.append(texts) if texts else 0
        self.sync_seconds.add(self._clock.monotonic() - began)
        if self._log.file.links == 0:
            return False
        if count:
            self._settle([self._backlog.popleft() for _ in range(count)])
        if count < len(texts):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._down_until = None
        if self._reports.held:
            forgotten, self._backlog.forgotten = self._backlog.forgotten, 0
            self._reports.written(self._log.path, rows, span, forgotten)
        return True

    def _settle(self, written: list[Block]) -> None:
        """Notes that blocks are on stable storage."""
        log, last = self._log, written[-1]
        self._backlog.given_up.clear()
        if not log.file.in_place():
            self._renamed.keep(log.file.descriptor, written)
        log.stored, log.segment = last.slot, last.segment
        log.ends = dict.fromkeys(last.segment.pairs, last.slot)
        if log.simulated is None and (last.segment.simulated or any(block.priced for block in written)):
            log.simulated = last.segment.simulated

    def _texts(self) -> list[bytes]:
        """What is to be written for each block: its rows, after a header where a segment begins."""
        texts, before, missed = [], self._log.segment, self._missed()
        for block in self._backlog:
            segment = block.segment
            begins = not segment.goes_on(before)
            header = f"{header_line(segment.interval, simulated=segment.simulated)}\n" if begins else ""
            texts.append(header.encode() + missed + block.text)
            before, missed = segment, b""
        return texts

    def _missed(self) -> bytes:
        """Rows of slots before the first that is held, where the recorder was down or gave some up."""
        down_until, given_up = self._down_until, self._backlog.given_up
        if not self._backlog or not (down_until or given_up):
            return b""
        return text_of(missed_before(self._backlog[0], self._log.ends, down_until, given_up))

    def _begin_late(self) -> None:
        """Opens the log that could not be opened at the start, and goes on as if it had been.

        Slots that it accounts for are not written again; up to the first that came they are `down`.
        """
        end = self._log.begin(self._segment)
        self._down_until = self._backlog.since
        last = max(self._log.ends.values(), default=times.EPOCH)
        while self._backlog and self._backlog[0].slot <= last:
            self._backlog.popleft()
        if self._settings is not None:
            self._opened(end, self._settings, True)
