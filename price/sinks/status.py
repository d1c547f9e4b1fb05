"""What others may look at: status.json, replaced after each slot, once its rows are safe."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from price import __version__, host, times
from price.clock import Clock
from price.clock_witness import ClockWitness
from price.log.day import Count, count_day
from price.log.end import LogEnd
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
        self._started = times.iso(clock.now())
        self._file: AtomicFile | None = None
        self._interval = 0
        self._pairs: Sequence[Pair] = ()
        self._sources: Sequence[str] = ()
        self._day = ""
        self._counts: dict[str, Count] = {}
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
            self._day, self._counts = times.iso(now)[:10], {}
        midnight = times.parse_iso(f"{self._day}T00:00:00Z")
        self._catch_up = count_day(log.path, log.size, midnight, log.interval or 1, self._counts)

    def _count_on(self) -> None:
        with suppress(OSError):  # a count is no reason to disturb anybody
            for _ in islice(self._catch_up, _BLOCKS_AT_ONCE):
                pass

    def slot(self, slot: datetime, quotes: Sequence[Quote]) -> None:
        """Counts the quotes and writes the status. Raises OSError."""
        self._count_on()
        for quote in quotes:
            self._count(quote)
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

    def _count(self, quote: Quote) -> None:
        self._begin_day(quote.slot + timedelta(seconds=self._interval) * (quote.slots - 1))
        count = self._counts.setdefault(str(quote.pair), Count())
        if quote.price is None:
            count.missed += self._of_today(quote)
        else:
            count.recorded += 1
            self.priced[quote.pair] = quote

    def view(self, quotes: Sequence[Quote]) -> dict[str, Any]:
        """The status as a JSON object, given the quotes of the slot that has ended."""
        stored = self._rows.stored
        return {
            "version": __version__,
            "pid": os.getpid(),
            "schema": SCHEMA,  # third: older versions know their file by the first two keys
            "started": self._started,
            "interval": self._interval,
            "place": host.place(),
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

    def _begin_day(self, slot: datetime) -> None:
        day = times.iso(slot)[:10]
        if day > self._day:
            self._day, self._counts, self._catch_up = day, {}, iter(())

    def _of_today(self, quote: Quote) -> int:
        """How many of a missed row's slots are today's: it may reach over midnight."""
        midnight = times.parse_iso(f"{self._day}T00:00:00Z")
        return quote.slots - min(quote.slots, times.slots_between(quote.slot, midnight, self._interval))

    def _pair(self, pair: Pair) -> dict[str, Any]:
        last = self.priced.get(pair)
        count = self._counts.get(str(pair), Count())
        return {
            "price": plain(last.price) if last and last.price is not None else None,
            "slot": times.iso(last.slot) if last else None,
            "sources": list(last.sources) if last else [],
            "recorded": count.recorded,
            "missed": count.missed,
        }

    def _source(self, name: str, quotes: Sequence[Quote]) -> dict[str, Any]:
        source = self._states[name]
        offset, reading = _farthest(name, quotes)
        until = source.rests_until(self._clock.monotonic(), self._clock.now())
        age = (quotes[-1].slot - reading.time).total_seconds() if reading and reading.time else None
        return {
            "state": "retired" if source.backoff.retired else _standing(name, quotes),
            "until": times.iso(until) if until else None,
            "reach": f"{source.tally.reach:08b}",
            "offset_bp": offset,
            "age_seconds": None if age is None else round(max(0.0, age), 3),
            "milliseconds": round(source.tally.seconds * 1000),
            "requests": source.tally.requests,
            "failures": source.tally.failures,
        }


def _standing(name: str, quotes: Sequence[Quote]) -> str:
    """The word for a source in a slot: selected where a price rests on it, else why it was not used."""
    if any(name in quote.sources for quote in quotes):
        return "selected"
    whys = [one.why for quote in quotes for one in quote.readings if one.source == name and one.why]
    return "outlier" if "outlier" in whys else next(iter(whys), "unused")


def _farthest(name: str, quotes: Sequence[Quote]) -> tuple[float | None, Reading | None]:
    """A source's reading that is farthest from the recorded price, and how far, in basis points."""
    worst: tuple[float | None, Reading | None] = (None, None)
    for quote in quotes:
        for reading in quote.readings:
            if reading.source != name or reading.price is None:
                continue
            if quote.price is None:
                worst = worst if worst[1] else (None, reading)
                continue
            offset = round(float((reading.price - quote.price) / quote.price) * 10000, 2)
            if worst[0] is None or abs(offset) > abs(worst[0]):
                worst = (offset, reading)
    return worst
