"""The sink of prices.txt: the first one, so that rows are on stable storage before anything shows them."""

import errno
import logging
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from price.clock import Clock
from price.counters import SLOT_BOUNDS, SYNC_BOUNDS, Histogram
from price.errors import PriceError
from price.events import Event, log_event
from price.log.end import LogEnd
from price.model import Quote
from price.settings import Settings
from price.sinks.backlog import Block, Segment, block_of, is_simulated, texts_after
from price.sinks.missed import begin_after, give_up_old
from price.sinks.opening import NO_ROWS, Known, OpenLog, keep_apart, open_log
from price.text import counted


class RowsSink:
    """Writes the rows of each slot into the configured log, or holds them while the disk refuses.

    Each slot is treated in the same way, whether the disk works or not: its rows are added to the backlog,
    and the whole backlog is written. After an error the backlog stays, and the next slot opens the log again
    before it writes (see OpenLog). A log that could not be opened at the start is no special case: the slot
    that opens it reads its end, as the start would have.
    """

    def __init__(self, opened: Callable[[LogEnd, bool], None], clock: Clock) -> None:
        """`opened` receives what a log's last rows say, and whether slots were recorded before that."""
        self._opened = opened
        self._clock = clock
        self.slot_seconds = Histogram(SLOT_BOUNDS)
        """From each slot's instant to its rows on stable storage."""
        self.sync_seconds = Histogram(SYNC_BOUNDS)
        """Of each write and its fdatasync."""
        self._log = OpenLog(Path("prices.txt"))
        self._segment = NO_ROWS
        """That of the rows which come now; those that are held may belong to another."""
        self._backlog: list[Block] = []
        """In the order of their slots; first those that were given up, one for each segment."""
        self._given_up = 0
        """How many rows were given up since all was written last."""

    @property
    def stored(self) -> datetime | None:
        """The last slot on stable storage."""
        return self._log.stored

    @property
    def held(self) -> int:
        """How many rows wait for the disk."""
        return sum(block.rows for block in self._backlog)

    @property
    def holds_real_prices(self) -> bool:
        """Whether the log holds prices that are not made up."""
        return self._log.simulated is False

    def configure(self, settings: Settings) -> None:
        """Goes on with these settings; raises PriceError, and goes on as before, where that cannot be.

        Other pairs or another interval begin a new segment of the same log.
        """
        segment = Segment(settings.interval, settings.pairs, settings.simulated)
        if self._segment is NO_ROWS or settings.file != self._log.path:
            self._change_log(settings.file, segment)
        else:
            held = is_simulated(self._backlog) if self._log.simulated is None else self._log.simulated
            keep_apart(self._log.path, held, wanted=segment.simulated)
        self._segment = segment

    def slot(self, slot: datetime, quotes: Sequence[Quote]) -> None:
        """Writes the rows of a slot. Raises ValueError for a quote that no row can hold, or for none."""
        self._backlog.append(block_of(quotes, self._segment))
        self._given_up += give_up_old(self._backlog)
        self.idle()
        if self.stored == slot:
            self.slot_seconds.add((self._clock.now() - slot).total_seconds())

    def idle(self) -> None:
        """Writes what is held, if the disk takes it."""
        self._backlog[:0] = self._log.lost()
        if not self._backlog:
            return
        try:
            if not (self._write_held() or self._write_held()):  # the second time into a new file
                raise FileNotFoundError(errno.ENOENT, "it was removed while it was written")
        except (OSError, ValueError, PriceError) as error:
            self._log.refused(error)

    def finish(self) -> bool:
        """Tries once more to write what is held; whether nothing is left. Reports rows that are lost."""
        self.idle()
        if self._backlog:
            rows = counted(self.held, "row")
            text = f"{self._log.path}: {rows} could not be written; price repair may fill them"
            log_event(Event.ROWS_HELD, logging.ERROR, text)
        return not self._backlog

    def close(self) -> None:
        """Releases the log and its lock."""
        self._log.close()

    def _change_log(self, path: Path, segment: Segment) -> None:
        """Opens the first log, or another one. Raises PriceError where that cannot be: see `open_log`."""
        self.idle()
        if self._backlog:
            wait = counted(self.held, "row still waits", "rows still wait")
            raise PriceError(f"PRICE_FILE={path}: {wait} for {self._log.path}")
        log, end, fault = open_log(path, segment, patient=self._segment is NO_ROWS)
        if end is not None:
            self._opened(end, False)
        self.close()
        self._log = log
        if fault:
            self._log.refused(fault)

    def _write_held(self) -> bool:
        """Writes what is held, or as many whole slots of it as fit. Raises OSError where some do not.

        Returns whether the file is still there: if not, its rows are gone with it, and held as before.
        """
        log = self._log
        if log.known is Known.NOTHING:
            end = log.begin(self._segment)
            begin_after(self._backlog, end.last_slots())
            self._opened(end, True)
        log.go_on(self._segment, self._backlog)
        held, texts = self._backlog[:], texts_after(log.segment, self._backlog)
        if texts:
            is_new = log.file.size == 0
            began = self._clock.monotonic()
            count = log.file.append(texts)
            self.sync_seconds.add(self._clock.monotonic() - began)
            if log.file.links == 0:
                return False
            if is_new:
                log_event(Event.FILE_BEGUN, logging.INFO, f"{log.path}: a new file is begun")
            log.wrote(self._backlog[:count])
            del self._backlog[:count]
            if count < len(texts):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        log.accepted(held, self._given_up)
        self._given_up = 0
        return True
