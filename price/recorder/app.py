"""Which objects exist: from settings to a running recorder. The only file that knows all the others."""

import logging
import os
import random
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Protocol

from price import __version__, events, settings, times
from price.choose import Memory
from price.errors import PriceError
from price.events import NOTICE, Event, log_event
from price.fetchers import make_fetchers
from price.handlers import journal, notify
from price.handlers.console import Console
from price.model import Quote
from price.recorder.clock import Clock, Signal
from price.recorder.loop import Ledger, Loop
from price.recorder.poll import Poller, Sender
from price.recorder.source_state import SourceState
from price.recorder.workers import Workers
from price.settings import Settings
from price.sinks.base import RowsFirst
from price.sinks.changes import Changes
from price.sinks.rows import RowsSink
from price.sinks.state import State
from price.sinks.status import Facts, Status
from price.sources import SOURCES

CHANCE = random.Random()  # noqa: S311 - jitter is no secret


class Carrier(Sender, Protocol):
    """A sender that a reload may replace."""

    def close(self) -> None:
        """Nothing will be sent any more; outcomes may still come."""
        ...


def make_workers(wanted: Settings, clock: Clock) -> Mapping[str, Carrier]:
    """The workers of each configured source. Raises SettingsError for certificates that cannot be read."""
    fetchers = make_fetchers(wanted, clock.now, clock.monotonic)
    return {
        name: Workers(SOURCES[name], way.get, clock, way.hang_up, way.repeat)
        for name, way in fetchers.items()
    }


def make_poller(
    wanted: Settings,
    states: Mapping[str, SourceState],
    senders: Mapping[str, Sender],
    clock: Clock,
    chance: random.Random = CHANCE,
    pulse: Callable[[], None] = lambda: None,
) -> Poller:
    """The poller of the configured sources; one that is asked for no pair has no state."""
    pairs = {name: wanted.pairs_of(name) for name in wanted.sources}
    asked = [states[name] for name in wanted.sources if pairs[name]]
    return Poller(asked, pairs, senders, clock, chance, pulse)


class App:
    """A recorder, through all reloads of its settings.

    `hire` gives each configured source what carries its requests; `chance` makes the rests uneven.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        clock: Clock,
        hire: Callable[[Settings, Clock], Mapping[str, Carrier]] = make_workers,
        chance: random.Random = CHANCE,
    ) -> None:
        self._environ = environ
        self._clock = clock
        self._hire = hire
        self._chance = chance
        self._settings = settings.load(environ)
        self._states: dict[str, SourceState] = {}
        self._carriers: Mapping[str, Carrier] = {}
        self._ledger = Ledger()
        self._file = RowsSink(self._settings.file)
        self._talk = _talker(environ, clock)
        facts = Facts(
            os.getpid(), clock.now(), self._states, lambda: self._file.stored, lambda: self._file.held
        )
        self._status = Status(facts)
        self._state = State(self._settings.state, self._states, clock)
        self._front = RowsFirst(
            self._file, [Changes(), self._talk, self._status, self._state, *self._service()]
        )

    def run(self) -> int:
        """Records until a stop is asked for; gives the exit status. Raises PriceError if it cannot begin."""
        events.ROOT.addHandler(self._front)
        events.ROOT.setLevel(logging.DEBUG)  # handlers have levels of their own: no level starves prices.txt
        events.ROOT.propagate = False
        try:
            return self._record()
        finally:
            events.ROOT.removeHandler(self._front)
            self._front.close()

    def _record(self) -> int:
        wanted = self._settings
        self._talk.setLevel(wanted.log_level)
        self._begin_log(self._file, wanted)
        loop = self._assemble(wanted, self._hire(wanted, self._clock))
        fault = self._state.restore()
        if fault:
            log_event(
                Event.BAD_STATE,
                logging.WARNING,
                f"{wanted.state}: not understood ({fault}); starting without it",
            )
        log_event(Event.STARTED, logging.INFO, f"price {__version__} started: {_summary(wanted)}")
        while loop.run() is Signal.RELOAD:
            loop = self._reload(loop)
        return self._end()

    def _service(self) -> list[logging.Handler]:
        """The service manager's handler, where there is a service manager that listens."""
        if not self._environ.get("NOTIFY_SOCKET"):
            return []

        def missed() -> int:
            return sum(count.missed for count in self._status.counts.values())

        return [notify.Notify(notify.teller(), self._clock.monotonic, lambda: self._file.held, missed)]

    def _begin_log(self, file: RowsSink, wanted: Settings) -> None:
        """Goes on where a log ends. Raises PriceError where it cannot be recorded into."""
        tail = file.start(wanted.pairs, wanted.interval)
        _keep_apart(wanted, tail.priced.values())
        last = tail.last_slots()
        day = times.iso(self._clock.now())[:10]
        counts = file.counts(times.parse_iso(f"{day}T00:00:00Z"))
        before = self._ledger  # of another file before a reload: what the sources said last still binds them
        self._ledger = Ledger(max(last.values(), default=times.EPOCH))
        self._ledger.last = {pair: slot for pair, slot in last.items() if pair in wanted.pairs}
        self._ledger.memories = {pair: Memory(newest=one.newest) for pair, one in before.memories.items()}
        for pair, quote in tail.priced.items():
            known = self._ledger.memories.get(pair, Memory())
            self._ledger.memories[pair] = Memory(quote.price, quote.slot, known.newest)
        self._status.priced = dict(tail.priced)
        self._status.day, self._status.counts = day, counts

    def _assemble(self, wanted: Settings, carriers: Mapping[str, Carrier]) -> Loop:
        for name in wanted.sources:
            if name not in self._states or self._states[name].url != wanted.urls.get(name, ""):
                self._states[name] = SourceState(SOURCES[name], wanted.urls.get(name, ""))
        for name in self._states.keys() - set(wanted.sources):
            self._states[name].outstanding = 0  # nobody will hear what is still to come
        for old in self._carriers.values():
            old.close()
        self._carriers = carriers
        self._status.show(wanted.status, wanted.interval, wanted.pairs, wanted.sources)
        self._state.keep(wanted.state)
        self._talk.setLevel(wanted.log_level)
        self._settings = wanted
        poller = make_poller(wanted, self._states, carriers, self._clock, self._chance, self._front.flush)
        return Loop(
            self._clock,
            poller,
            wanted.pairs,
            wanted.rules,
            wanted.timeout,
            self._ledger,
            self._front.flush,
        )

    def _reload(self, loop: Loop) -> Loop:
        """The loop of the settings as they now are; the old one where they are bad."""
        log_event(Event.RELOADING, logging.INFO, "reading the settings again")
        try:
            wanted = settings.load(self._environ)
            _keep_apart(wanted, self._status.priced.values() if wanted.file == self._file.path else ())
            carriers = self._hire(wanted, self._clock)
            self._change_file(wanted)
        except PriceError as error:
            faults = "; ".join(str(error).splitlines())
            log_event(
                Event.RELOAD_REFUSED, logging.ERROR, f"new settings refused, the old ones stay: {faults}"
            )
            return loop
        loop = self._assemble(wanted, carriers)
        log_event(Event.RELOADED, NOTICE, f"settings read again: {_summary(wanted)}")
        return loop

    def _change_file(self, wanted: Settings) -> None:
        if wanted.file == self._file.path:
            if wanted.interval != self._settings.interval:
                self._ledger.new_segment()
            self._file.change(wanted.pairs, wanted.interval)
            return
        if self._file.held:
            raise PriceError(
                f"PRICE_FILE={wanted.file}: {self._file.held} rows still wait for {self._file.path}"
            )
        new = RowsSink(wanted.file)
        self._begin_log(new, wanted)
        old, self._file, self._front.rows = self._file, new, new
        old.close()

    def _end(self) -> int:
        after = f" after the slot {times.iso(self._ledger.end)}" if self._ledger.last else ""
        log_event(Event.STOPPING, logging.INFO, f"stopping{after}")
        self._front.flush()  # rows that are held get a last chance
        with suppress(OSError):
            self._settings.status.unlink()
        if self._file.held:
            text = f"{self._file.path}: {self._file.held} rows could not be written; the journal has them"
            log_event(Event.ROWS_HELD, logging.ERROR, text)
        return 1 if self._file.held else 0


def _talker(environ: Mapping[str, str], clock: Clock) -> logging.Handler:
    """The journal where systemd runs us, else the terminal; never both."""
    if journal.wanted(environ):
        try:
            return journal.Journal(journal.SOCKET, journal.sender(), clock.monotonic)
        except ImportError:
            return Console()  # systemd keeps what is said there, though without the fields
    return Console()


def _keep_apart(wanted: Settings, priced: Iterable[Quote]) -> None:
    """Keeps made-up prices out of a log of real ones. Raises PriceError."""
    if "simulated" in wanted.sources and any("simulated" not in quote.sources for quote in priced):
        raise PriceError(
            f"PRICE_FILE={wanted.file}: it holds real prices: simulated ones need a file of their own,"
            f" for example PRICE_FILE={wanted.file.with_name('simulated.txt')}"
        )


def _summary(wanted: Settings) -> str:
    pairs, sources = ",".join(map(str, wanted.pairs)), ",".join(wanted.sources)
    return f"{pairs} every {wanted.interval} s from {sources} into {wanted.file}"
