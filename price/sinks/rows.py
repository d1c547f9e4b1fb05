"""The sink of prices.txt: the first one, so that rows are on stable storage before anybody hears of them."""

import logging
from collections.abc import Sequence
from datetime import datetime

from price.clock import Clock
from price.counters import SLOT_BOUNDS, SYNC_BOUNDS, Histogram
from price.errors import PriceError
from price.events import Event, log_event
from price.model import Quote
from price.settings import Settings
from price.sinks.writer import LogWriter, Opened
from price.text import counted


class RowsSink:
    """Writes the rows of each slot into the configured log, or holds them while the disk refuses."""

    def __init__(self, opened: Opened, clock: Clock) -> None:
        self._opened = opened
        self._clock = clock
        self.slot_seconds = Histogram(SLOT_BOUNDS)
        """From each slot's instant to its rows on stable storage."""
        self.sync_seconds = Histogram(SYNC_BOUNDS)
        """Of each write and its fdatasync."""
        self._log: LogWriter | None = None

    @property
    def stored(self) -> datetime | None:
        """The last slot on stable storage."""
        return self._log.log.stored if self._log else None

    @property
    def held(self) -> int:
        """How many rows wait for the disk."""
        return self._log.held if self._log else 0

    def configure(self, settings: Settings) -> None:
        """Goes on with these settings; raises PriceError, and goes on as before, where that cannot be."""
        if self._log is None or settings.file != self._log.path:
            self._change_log(settings)
        else:
            self._log.configure(settings)

    def slot(self, slot: datetime, quotes: Sequence[Quote]) -> None:
        """Writes the rows of a slot. Raises ValueError for a quote that no row can hold."""
        if self._log:
            self._log.write(quotes)
            if self._log.log.stored == slot:
                self.slot_seconds.add((self._clock.now() - slot).total_seconds())

    def idle(self) -> None:
        """Tries again to write what is held."""
        if self._log:
            self._log.write(())

    def finish(self) -> bool:
        """Gives held rows a last chance; whether none is left. Reports those that are lost to the disk."""
        self.idle()
        if self._log and self._log.held:
            lost = counted(self._log.held, "row")
            text = f"{self._log.path}: {lost} could not be written; price repair may fill them"
            log_event(Event.ROWS_HELD, logging.ERROR, text)
        return not self.held

    @property
    def holds_real_prices(self) -> bool:
        """Whether the log holds prices that are not made up."""
        return self._log is not None and self._log.log.simulated is False

    def close(self) -> None:
        """Releases the log."""
        if self._log:
            self._log.close()

    def _change_log(self, settings: Settings) -> None:
        self.idle()
        if self._log and self._log.held:
            raise PriceError(
                f"PRICE_FILE={settings.file}: {counted(self._log.held, 'row still waits', 'rows still wait')}"
                f" for {self._log.path}"
            )
        log = LogWriter(settings, self._opened, self._clock.monotonic, self.sync_seconds)
        log.start(patient=self._log is None)
        if self._log:
            self._log.close()
        self._log = log
