"""What others may look at: status.json, replaced after each slot, once its rows are safe."""

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Any

from price import __version__, host, times
from price.clock import Clock
from price.clock_witness import ClockWitness
from price.log.end import Count, LogEnd, count_day
from price.log.row import plain
from price.model import Pair, Quote, Reading
from price.settings import Settings
from price.sinks.alerts import AlertsSink
from price.sinks.rows import RowsSink
from price.sinks.since_start import SinceStart
from price.smallfile import SCHEMA, AtomicFile
from price.source_state import SourceState

_MODE = 0o644
_BLOCKS_AT_ONCE = 16
"""A megabyte of rows: some hundredths of a second."""


class StatusSink:
    """Keeps each pair's last price and the day's counts, and shows them with what the sources know."""

    def __init__(
        self,
        sources: Mapping[str, SourceState],
        rows: RowsSink,
        alerts: AlertsSink,
        since_start: SinceStart,
        witness: ClockWitness,
        clock: Clock,
    ) -> None:
        self._states = sources
        self._rows = rows
        self._alerts = alerts
        self._since_start = since_start
        self._witness = witness
        self._clock = clock
        self._head = {
            "version": __version__,
            "pid": os.getpid(),
            "schema": SCHEMA,  # third: older versions know their file by the first two keys
            "started": times.iso(clock.now()),
            "place": host.place(),
        }
        self._file: AtomicFile | None = None
        self._interval = 0
        self._pairs: Sequence[Pair] = ()
        self._sources: Sequence[str] = ()
        self._midnight = times.EPOCH
        self._counts: defaultdict[str, Count] = defaultdict(Count)
        """The slots of each pair since midnight UTC."""
        self._catch_up: Iterator[None] = iter(())
        """Adds the slots of the day from before the start, a part at each step."""
        self.priced: dict[Pair, Quote] = {}
        """The last row with a price of each pair."""
        self._quotes: Sequence[Quote] = ()
        """Those of the last slot."""

    @property
    def missed(self) -> int:
        """How many slots of all pairs were missed today."""
        return sum(count.missed for count in self._counts.values())

    def configure(self, settings: Settings) -> None:
        """Shows the configured pairs and sources, in the file that the settings name."""
        if self._file is None or self._file.path != settings.status:
            self.close()
            self._file = AtomicFile(settings.status, _MODE, durable=False)
        self._interval, self._pairs, self._sources = settings.interval, settings.pairs, settings.sources

    def open_log(self, log: LogEnd, now: datetime, *, late: bool) -> None:
        """Shows the last prices of a log that was just opened, and begins to count its slots of today.

        That is done in small steps while recording: a day of hundreds of pairs takes seconds to read.
        """
        self.priced = {**log.priced, **self.priced} if late else log.priced
        if not late:
            self._midnight, self._counts = times.slot_of(now, times.DAY), defaultdict(Count)
        self._catch_up = count_day(log.path, log.size, self._midnight, log.interval or 1, self._counts)

    def _count_on(self) -> None:
        with suppress(OSError):  # a count is no reason to disturb anybody
            for _ in islice(self._catch_up, _BLOCKS_AT_ONCE):
                pass

    def slot(self, slot: datetime, quotes: Sequence[Quote]) -> None:
        """Counts the quotes and writes the status. Raises OSError."""
        self._count_on()
        midnight = times.slot_of(slot, times.DAY)
        if midnight > self._midnight:
            self._midnight, self._counts, self._catch_up = midnight, defaultdict(Count), iter(())
        for quote in quotes:
            count = self._counts[str(quote.pair)]
            if quote.price is None:
                count.missed += self._of_today(quote)
            else:
                count.recorded += 1
                self.priced[quote.pair] = quote
        self._since_start.count(quotes)
        self._quotes = [quote for quote in quotes if quote.slot == slot]
        self._write()

    def idle(self) -> None:
        """Goes on counting, and shows what the recorder waits for now. Raises OSError."""
        self._count_on()
        self._write()

    def _write(self) -> None:
        if self._file is not None:
            self._file.write(json.dumps(self.view(self._quotes)))

    def close(self) -> None:
        """Removes the file: nobody records any more."""
        if self._file is not None:
            with suppress(OSError):
                self._file.remove()

    def view(self, quotes: Sequence[Quote]) -> dict[str, Any]:
        """The status as a JSON object, given the quotes of the slot that has ended."""
        stored = self._rows.stored
        return {
            **self._head,
            "interval": self._interval,
            "slot": times.iso(stored) if stored else None,
            "waiting": self._witness.waiting or None,
            "clock_ahead_seconds": self._clock_ahead(),
            "held": self._rows.held,
            "pairs": {str(pair): self._pair(pair) for pair in self._pairs},
            "sources": {name: self._source(name, quotes) for name in self._sources},
            "alerts": self._alerts.view(),
            "since_start": self._since_start.view(self._pairs, self._sources),
        }

    def _clock_ahead(self) -> float | None:
        ahead = self._witness.ahead
        return None if ahead is None else round(ahead.total_seconds(), 1)

    def _of_today(self, quote: Quote) -> int:
        """How many of a missed row's slots are today's: it may reach over midnight."""
        before = times.slots_between(quote.slot, self._midnight, self._interval)
        return max(0, quote.slots - before)

    def _pair(self, pair: Pair) -> dict[str, Any]:
        last, count = self.priced.get(pair), self._counts[str(pair)]
        return {
            "price": plain(last.price) if last and last.price is not None else None,
            "slot": times.iso(last.slot) if last else None,
            "sources": list(last.sources) if last else [],
            "recorded": count.recorded,
            "missed": count.missed,
        }

    def _source(self, name: str, quotes: Sequence[Quote]) -> dict[str, Any]:
        source = self._states[name]
        given = [(quote, one) for quote in quotes for one in quote.readings if one.source == name]
        offset, reading = _farthest(given)
        until = source.rests_until(self._clock.monotonic(), self._clock.now())
        age = (quotes[-1].slot - reading.time).total_seconds() if reading and reading.time else None
        return {
            "state": "retired" if source.backoff.retired else _standing(name, given),
            "until": times.iso(until) if until else None,
            "reach": f"{source.tally.reach:08b}",
            "offset_bp": offset,
            "age_seconds": None if age is None else round(max(0.0, age), 3),
            "milliseconds": round(source.tally.seconds * 1000),
            "requests": source.tally.requests,
            "failures": source.tally.failures,
        }


_Given = Sequence[tuple[Quote, Reading]]
"""What one source gave in a slot, with the quotes that came of it."""


def _standing(name: str, given: _Given) -> str:
    """The word for a source in a slot: selected where a price rests on it, else why it was not used."""
    if any(name in quote.sources for quote, _ in given):
        return "selected"
    whys = [reading.why for _, reading in given if reading.why]
    return "outlier" if "outlier" in whys else next(iter(whys), "unused")


def _farthest(given: _Given) -> tuple[float | None, Reading | None]:
    """The reading that is farthest from the recorded price, and how far, in basis points.

    Where no price was recorded, it is the first that has one, and there is no offset.
    """
    recorded = [
        (0.0 if one.price == quote.price else float((one.price - quote.price) / quote.price), one)
        for quote, one in given
        if one.price is not None and quote.price is not None
    ]
    if recorded:
        offset, reading = max(recorded, key=lambda known: abs(known[0]))
        return round(offset * 10000, 2), reading
    return None, next((one for _, one in given if one.price is not None), None)
