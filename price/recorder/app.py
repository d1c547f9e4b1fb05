"""Which objects exist: from settings to a running recorder. The only file that knows all the others."""

import logging
import random
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from price import __version__, settings, times
from price.clock import Clock, Signal
from price.errors import PriceError
from price.events import NOTICE, Event, log_event
from price.fetchers import make_fetchers
from price.handlers import notify
from price.handlers.journal import default_talker
from price.log.end import LogEnd
from price.recorder.ledger import Ledger
from price.recorder.loop import Loop
from price.recorder.poll import Poller
from price.recorder.workers import SourceWorkers, Workers
from price.safely import Failures
from price.settings import Settings
from price.sinks.alerts import AlertsSink
from price.sinks.base import Sink, Sinks
from price.sinks.changes import ChangesSink
from price.sinks.records import RecordsSink
from price.sinks.rows import RowsSink
from price.sinks.since_start import SinceStart
from price.sinks.state import StateSink
from price.sinks.status import StatusSink
from price.source_state import SourceState

if TYPE_CHECKING:
    from price.alerts.history import Seen

CHANCE = random.Random()  # noqa: S311 - jitter is no secret


MakeWorkers = Callable[[Settings, Clock], Mapping[str, Workers]]


class Running(NamedTuple):
    """What is made of one set of settings, and replaced at a reload."""

    workers: Mapping[str, Workers]
    loop: Loop


def close(workers: Mapping[str, Workers]) -> None:
    """Has workers send nothing more."""
    for one in workers.values():
        one.close()


def make_workers(wanted: Settings, clock: Clock) -> Mapping[str, Workers]:
    """The workers of each configured source. Raises SettingsError for certificates that cannot be read."""
    fetchers = make_fetchers(wanted, clock.now, clock.monotonic)
    return {name: SourceWorkers(wanted.source(name), fetcher, clock) for name, fetcher in fetchers.items()}


def make_poller(
    wanted: Settings,
    states: Mapping[str, SourceState],
    workers: Mapping[str, Workers],
    clock: Clock,
    chance: random.Random = CHANCE,
    pulse: Callable[[], None] = lambda: None,
) -> Poller:
    """The poller of the configured sources; one that is asked for no pair has no state."""
    pairs = {name: wanted.pairs_of(name) for name in wanted.sources}
    asked = [states[name] for name in wanted.sources if pairs[name]]
    return Poller(asked, pairs, workers, clock, chance, pulse)


class App:
    """A recorder through all reloads of its settings: what outlives them.

    `make_workers` makes what carries the requests of each source; `chance` makes the rests uneven. A service
    manager that is not systemd passes `talker`, which takes the records, and `send`, which takes the words of
    sd_notify(3).
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        clock: Clock,
        make_workers: MakeWorkers = make_workers,
        chance: random.Random = CHANCE,
        talker: logging.Handler | None = None,
        send: notify.Send | None = None,
    ) -> None:
        self._environ = environ
        self._clock = clock
        self._make_workers = make_workers
        self._chance = chance
        self._wanted = settings.load(environ)
        self._states: dict[str, SourceState] = {}
        self._ledger = Ledger()
        self._failures = Failures()
        self._rows = RowsSink(self._log_opened, clock)
        talker = talker or default_talker(environ, clock.monotonic, lambda: self._wanted.log_format)
        self._since_start = SinceStart(self._states, self._rows, lambda: getattr(talker, "dropped", 0))
        self._alerts = AlertsSink(self._history, lambda: self._status.priced)
        self._status = StatusSink(
            self._states, self._rows, self._alerts, self._since_start, self._ledger.witness, clock
        )
        self._state = StateSink(self._states, self._alerts, clock)
        self._service = notify.Notify(
            send or notify.sender(environ),
            clock.monotonic,
            lambda: self._rows.held,
            lambda: self._status.missed,
        )
        self._records = RecordsSink([talker], self._failures)
        self._sinks = self._in_order()

    def _in_order(self) -> Sinks:
        """The sinks in the order in which a slot passes them.

        The order is the promise: rows are on stable storage before their records are logged; status.json
        names a slot only after that; what alerts changed is logged before it is saved, so that a crash
        repeats a change and never loses one; and the watchdog is notified last, when all of it is done.
        """
        changes = ChangesSink(lambda: self._rows.holds_real_prices)
        sinks: list[Sink] = [
            self._rows,
            self._records,
            changes,
            self._alerts,
            self._status,
            self._state,
            self._service,
        ]
        return Sinks(sinks, self._failures)

    def run(self) -> int:
        """Records until a stop is asked for; returns the exit status. Raises PriceError where it cannot."""
        self._records.configure(self._wanted)  # before all others: they may have something to report
        try:
            running = self._start()
            while running.loop.run() is Signal.RELOAD:
                running = self._reload(running)
            return self._stop(running)
        finally:
            self._sinks.close()

    def _start(self) -> Running:
        running = self._assemble(self._wanted)
        fault = self._state.restore()
        if fault:
            text = f"{self._wanted.state}: not understood ({fault}); starting without it"
            log_event(Event.BAD_STATE, logging.WARNING, text)
        log_event(Event.STARTED, logging.INFO, f"price {__version__} started: {_summary(self._wanted)}")
        self._notify(self._service.ready)
        # after READY, what takes longer with a longer log: up to a second for hundreds of rules
        self._failures.call(self._alerts, "read the end of the log", self._alerts.begin)
        self._failures.call(self._status, "end a slot", self._status.idle)
        return running

    def _assemble(self, wanted: Settings) -> Running:
        """What runs with these settings. Raises PriceError, and has changed nothing, if it cannot.

        So all that may refuse comes first: making the workers, which are closed again then, and configuring
        the sinks, of which only the first, the rows, can refuse, before it has changed anything. Nothing
        after that fails. At a reload the old workers are closed only then: answers that are still to come
        from them arrive through the clock's queue and are received as late ones.
        """
        workers = self._make_workers(wanted, self._clock)
        before, self._wanted = self._wanted, wanted  # a log that is opened below is read with them
        try:
            self._sinks.configure(wanted)
        except PriceError:
            self._wanted = before
            close(workers)
            raise
        for name in wanted.sources:
            if name not in self._states or self._states[name].url != wanted.urls.get(name, ""):
                self._states[name] = SourceState(wanted.source(name), wanted.urls.get(name, ""))
            self._states[name].follow(wanted.source(name))
        for name in self._states.keys() - set(wanted.sources):
            self._states[name].outstanding = 0  # nobody will receive what is still to come
        poller = make_poller(wanted, self._states, workers, self._clock, self._chance, self._sinks.idle)
        loop = Loop(
            self._clock, poller, wanted.pairs, wanted.rules, wanted.timeout, self._ledger, self._sinks
        )
        return Running(workers, loop)

    def _reload(self, running: Running) -> Running:
        """The recorder of the settings as they now are; the running one where they are refused."""
        log_event(Event.RELOADING, logging.INFO, "reading the settings again")
        self._notify(self._service.reloading)
        before = self._wanted
        try:
            after = self._assemble(settings.load(self._environ))
        except PriceError as error:
            faults = "; ".join(str(error).splitlines())
            text = f"new settings refused, the old ones stay: {faults}"
            log_event(Event.RELOAD_REFUSED, logging.ERROR, text)
            after = running
        else:
            close(running.workers)
            if self._wanted.file == before.file and self._wanted.interval != before.interval:
                self._ledger.new_segment()
            log_event(Event.RELOADED, NOTICE, f"settings read again: {_summary(self._wanted)}")
        self._since_start.reloaded = after is not running
        self._notify(self._service.ready)
        return after

    def _log_opened(self, log: LogEnd, late: bool) -> None:
        """Goes on where the log that the rows go into ends."""
        self._ledger.open_log(log, self._wanted.sources_of, late=late)
        self._status.open_log(log, self._clock.now(), late=late)

    def _history(self, seconds: int) -> Iterator["Seen"]:
        """The log's live rows of so many seconds before its end."""
        from price.alerts.history import live_rows  # only alerts need to read rows
        from price.log.read import PriceLog

        log = PriceLog(str(self._wanted.file), map(str, self._wanted.pairs), live_only=True)
        end = log.last()
        return live_rows(log, end - seconds) if end is not None else iter(())

    def _stop(self, running: Running) -> int:
        after = f" after the slot {times.iso(self._ledger.end)}" if self._ledger.last else ""
        log_event(Event.STOPPING, logging.INFO, f"stopping{after}")
        self._notify(self._service.stopping)
        close(running.workers)
        return 0 if self._rows.finish() else 1

    def _notify(self, action: Callable[[], None]) -> None:
        self._failures.call(self._service, "notify systemd", action)


def _summary(wanted: Settings) -> str:
    pairs, sources = ",".join(map(str, wanted.pairs)), ",".join(wanted.sources)
    return f"{pairs} every {wanted.interval} s from {sources} into {wanted.file}"
