"""Asks all sources at the same time, inside one budget of time. Failures come back as readings."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from price import times
from price.backoff import HOUR_SECONDS, TROUBLE_SECONDS, Change, asked_for_seconds
from price.errors import NoSuchName, SourceError, Unreachable
from price.events import NOTICE, Event, log_source_event
from price.model import Pair, Reading
from price.recorder.clock import PULSE_SECONDS, Clock, Signal
from price.recorder.round import Round, throttles
from price.recorder.source_state import ASIDE_SECONDS, SourceState
from price.recorder.workers import Outcome, Workers
from price.wire import excerpt

STOP_GRACE_SECONDS = 0.5
"""How long a round that is under way may go on after a stop was asked for."""


class Poller:
    """The states of the configured sources, the pairs that each is asked for, and its workers."""

    def __init__(
        self,
        states: Sequence[SourceState],
        pairs: Mapping[str, Sequence[Pair]],
        workers: Mapping[str, Workers],
        clock: Clock,
        chance: random.Random,
        pulse: Callable[[], None] = lambda: None,
    ) -> None:
        self._named = {state.name: state for state in states}
        self._pairs = pairs
        self._workers = workers
        self._clock = clock
        self._chance = chance
        self._pulse = pulse
        """Shows whoever watches that a long round is still alive."""
        self._rounds: dict[str, Round] = {}
        self._signals: list[Signal] = []
        self._server_times: dict[str, tuple[datetime, float]] = {}

    def ask(self, slot: datetime, timeout: float) -> dict[Pair, list[Reading]] | None:
        """What each source says of its pairs in a slot, after at most `timeout` seconds.

        None if a stop was asked for and the round could not be finished in time for it.
        """
        began = self._clock.monotonic()
        self._server_times.clear()
        self._rounds = {
            state.name: Round(state, slot, self._pairs[state.name], began) for state in self._named.values()
        }
        finished = self._gather(began + timeout)
        for signal in self._signals:
            self._clock.post(signal)
        stopping, self._signals = Signal.STOP in self._signals, []
        if stopping and not finished:
            return None
        self._close(timeout)
        return self._readings()

    def server_times(self) -> dict[str, datetime]:
        """What each server's clock shows now, by the `Date` of its last answer in this slot: aware UTC.

        Sources that did not answer, or sent no usable `Date`, are left out. A `Date` has whole seconds.
        """
        now = self._clock.monotonic()
        return {
            name: moment + timedelta(seconds=now - received)
            for name, (moment, received) in self._server_times.items()
        }

    def receive_late(self, outcome: Outcome) -> None:
        """Receives the outcome of a round that is over: it frees the source; only a throttle counts."""
        state = self._named.get(outcome.source)
        if state is None:
            return  # a reload took the source out
        state.answered()
        throttle = next(throttles([outcome.error]), None)
        if throttle:
            self._back_off(state, throttle)

    def _gather(self, deadline: float) -> bool:
        """Sends what is due and receives what comes, until all have answered or the deadline."""
        while True:
            now = self._clock.monotonic()
            wake = min(self._send_due(one, now, deadline) for one in self._rounds.values())
            done = all(one.done for one in self._rounds.values())
            if done or now >= deadline:
                return done
            item = self._clock.wait(min(wake, deadline, now + PULSE_SECONDS))
            if isinstance(item, Signal):
                self._signals.append(item)
                if item is Signal.STOP:
                    deadline = min(deadline, self._clock.monotonic() + STOP_GRACE_SECONDS)
            elif isinstance(item, Outcome):
                self._receive(item)
            elif self._clock.monotonic() >= now + PULSE_SECONDS:
                self._pulse()

    def _send_due(self, round_: Round, now: float, deadline: float) -> float:
        """Sends what a source may be sent now; returns when the next is due."""
        while (due := round_.due(now)) is not None and due <= now < deadline:
            request = round_.take(now)
            name, under_way = round_.state.name, round_.state.outstanding
            self._workers[name].send(round_.slot, request, deadline, under_way)
        return deadline if due is None else due

    def _receive(self, outcome: Outcome) -> None:
        round_ = self._rounds.get(outcome.source)
        if round_ is None or outcome.slot != round_.slot:
            self.receive_late(outcome)
            return
        now = self._clock.monotonic()
        if outcome.server_time:
            self._server_times[outcome.source] = outcome.server_time, now
        unknown = round_.receive(outcome, now)
        if unknown:
            text = f"does not know {unknown}: set aside, asked again in {times.span(ASIDE_SECONDS)}"
            log_source_event(Event.PAIR_ASIDE, NOTICE, outcome.source, text)

    def _close(self, timeout: float) -> None:
        failures = {one: one.close(timeout) for one in self._rounds.values()}
        # where nobody can be reached it is this machine's trouble: no name is to be retired for that
        ours = len(failures) > 1 and all(one.state.unreached for one in failures)
        for one, failure in failures.items():
            if isinstance(failure, NoSuchName) and ours:
                self._back_off(one.state, Unreachable(str(failure)))
            elif failure:
                self._back_off(one.state, failure)
            elif one.good:
                one.state.changed |= one.state.backoff.good()

    def _back_off(self, state: SourceState, failure: SourceError) -> None:
        asked_for = asked_for_seconds(failure, self._clock.now())
        jitter = self._chance.uniform(0.8, 1.2)
        state.changed = True
        change = state.backoff.failed(failure, self._clock.monotonic(), asked_for, jitter)
        again = f"asked again every {times.span(HOUR_SECONDS)}"
        if change is Change.RETIRED:
            text = f"retired: no good answer for {times.span(TROUBLE_SECONDS)} ({failure}); {again}"
            log_source_event(Event.SOURCE_RETIRED, NOTICE, state.name, text)
        elif change is Change.ASKED_FOR_LONG:
            asked = f"Retry-After: {excerpt(failure.retry_after)}"
            text = f"asks for a rest of over an hour ({asked}); {again}"
            log_source_event(Event.LONG_REST, NOTICE, state.name, text)

    def _readings(self) -> dict[Pair, list[Reading]]:
        found: dict[Pair, list[Reading]] = {}
        for one in self._rounds.values():
            for pair, reading in one.readings.items():
                found.setdefault(pair, []).append(reading)
        return found
