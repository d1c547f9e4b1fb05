"""Asks all sources at the same time, inside one budget of time. Failures come back as readings."""

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from price.backoff import asked_for_seconds, is_throttle
from price.clock import PULSE_SECONDS, Clock, Signal
from price.errors import NoSuchName, SourceError, Timeout, UnknownPair, Unreachable
from price.model import Pair, Reading, Request
from price.recorder.workers import Outcome, Workers
from price.source_state import SourceState

STOP_GRACE_SECONDS = 0.5
"""How long a round that is under way may go on after a stop was asked for."""
_NO_NETWORK = (Unreachable, Timeout)


class Round:
    """One source in one slot: what is still to be asked, what is awaited, and what came of it.

    Times called `now` are monotonic seconds.
    """

    def __init__(
        self, state: SourceState, workers: Workers, slot: datetime, pairs: Sequence[Pair], now: float
    ) -> None:
        """Begins a slot: what is not asked has its reading now, the rest is queued."""
        self.state = state
        self.slot = slot
        self.readings: dict[Pair, Reading] = {}
        self.waiting = set(pairs)
        """What is still to come in this slot."""
        self.good = False
        """Whether it gave a price."""
        self.server_time: tuple[datetime, float] | None = None
        """The `Date` of its last answer, and when it came."""
        self._workers = workers
        self._errors: list[SourceError] = []
        silent = state.silent(slot, now)
        for pair in pairs:
            if silent:
                self._settle(pair, Reading(state.name, why=silent))
            elif state.unknown.is_aside(pair, now):
                self._settle(pair, self._failed(UnknownPair("set aside: the source does not know it")))
        asked = [pair for pair in pairs if pair in self.waiting]
        self._queue: deque[Request] = deque(state.requests(asked) if asked else ())
        if asked:
            state.begin(slot)

    def send_due(self, now: float, deadline: float) -> float:
        """Sends what the source may be sent now; returns when the next request is due."""
        while self._queue:
            due = self.state.bucket.due(now)
            if due > now or now >= deadline:
                return due
            request = self._queue.popleft()
            self.state.sent(now)
            self._workers.send(self.slot, request, deadline, self.state.outstanding)
        return deadline

    def receive(self, outcome: Outcome, now: float) -> None:
        """Receives an outcome of this slot."""
        state, pairs, error = self.state, outcome.request.pairs, outcome.error
        state.answered()
        if outcome.server_time:
            self.server_time = outcome.server_time, now
        state.tally.seconds = outcome.seconds
        state.tally.failures += error is not None
        if error is None:
            state.tally.answers.add(outcome.seconds)
        if isinstance(error, UnknownPair) and state.unknown.probes(pairs):
            self._queue.extend(state.requests(pairs))
            return
        if isinstance(error, UnknownPair) and len(pairs) == 1:
            state.set_aside(pairs[0], now)
            self._settle(pairs[0], self._failed(error))
            return
        for pair in pairs:
            found = error or outcome.readings[pair]
            if isinstance(found, SourceError):
                self._errors.append(found)
                found = self._failed(found)
            self._settle(pair, found._replace(seconds=outcome.seconds))
        if error is None:
            state.unknown.answered(pairs)

    def close(self, timeout: float, wall: datetime) -> SourceError | None:
        """Ends the slot; returns the failure that the source is to back off for, if there is one."""
        self._queue.clear()
        if self.waiting:
            self.state.tally.failures += self.state.outstanding
            self._errors.append(Timeout(f"no complete answer in {timeout:g} s"))
        for pair in list(self.waiting):
            self._settle(pair, self._failed(self._errors[-1])._replace(seconds=timeout))
        self.state.end(good=self.good)
        if self.good or self._errors:
            self.state.unreached = not self.good and all(isinstance(one, _NO_NETWORK) for one in self._errors)
        failure = None if self.good else next(iter(self._errors), None)
        throttles = [error for error in self._errors if is_throttle(error)]  # the longest rest binds
        return max(throttles, key=lambda error: asked_for_seconds(error, wall) or 0.0, default=failure)

    def _failed(self, error: SourceError) -> Reading:
        return Reading(self.state.name, why=error.why, detail=str(error))

    def _settle(self, pair: Pair, reading: Reading) -> None:
        self.readings[pair] = reading
        self.good |= not reading.why
        self.waiting.discard(pair)


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
        """Shows the watchdog that the recorder is alive during a long round."""
        self._rounds: dict[str, Round] = {}
        self._signals: list[Signal] = []

    def ask(self, slot: datetime, timeout: float) -> dict[Pair, list[Reading]] | None:
        """What each source gave for its pairs in a slot, after at most `timeout` seconds.

        None if a stop was asked for and the round could not be finished in time for it.
        """
        began = self._clock.monotonic()
        self._rounds = {
            name: Round(state, self._workers[name], slot, self._pairs[name], began)
            for name, state in self._named.items()
        }
        finished = self._gather(began + timeout)
        for signal in self._signals:
            self._clock.post(signal)
        stopping, self._signals = Signal.STOP in self._signals, []
        if stopping and not finished:
            return None
        self._close(timeout)
        return self._readings()

    def server_times(self) -> list[datetime]:
        """What the servers' clocks show now, by the `Date` of each one's last answer in this slot: aware UTC.

        Sources that did not answer, or sent no usable `Date`, are left out. A `Date` has whole seconds.
        """
        now = self._clock.monotonic()
        known = [one.server_time for one in self._rounds.values() if one.server_time]
        return [moment + timedelta(seconds=now - came) for moment, came in known]

    def wait(self, until: float) -> Signal | None:
        """Waits between two rounds for a signal; None where none came before `until` (monotonic seconds)."""
        while isinstance(item := self._clock.wait(until), Outcome):
            self._receive_late(item)  # and back to waiting: a stop may stand behind it
        return item if isinstance(item, Signal) else None

    def _receive_late(self, outcome: Outcome) -> None:
        """Receives the outcome of a round that is over: it frees the source; only a throttle counts."""
        state = self._named.get(outcome.source)
        if state is None or not state.was_asked_in(outcome.slot):
            return  # a reload took the source out, or has another host asked
        state.answered()
        if outcome.error and is_throttle(outcome.error):
            self._back_off(state, outcome.error)

    def _gather(self, deadline: float) -> bool:
        """Sends what is due and receives what comes, until all have answered or the deadline."""
        while True:
            now = self._clock.monotonic()
            unfinished = [one for one in self._rounds.values() if one.waiting]
            if not unfinished:
                return True
            due = [one.send_due(now, deadline) for one in unfinished]
            if now >= deadline:
                return False
            item = self._clock.wait(min(*due, deadline, now + PULSE_SECONDS))
            if isinstance(item, Signal):
                self._signals.append(item)
                if item is Signal.STOP:
                    deadline = min(deadline, self._clock.monotonic() + STOP_GRACE_SECONDS)
            elif isinstance(item, Outcome):
                self._receive(item)
            elif self._clock.monotonic() >= now + PULSE_SECONDS:
                self._pulse()

    def _receive(self, outcome: Outcome) -> None:
        round_ = self._rounds.get(outcome.source)
        if round_ and outcome.slot == round_.slot:
            round_.receive(outcome, self._clock.monotonic())
        else:
            self._receive_late(outcome)

    def _close(self, timeout: float) -> None:
        wall = self._clock.now()
        failures = {one: one.close(timeout, wall) for one in self._rounds.values()}
        # where nobody can be reached it is this machine's trouble: no name is to be retired for that
        ours = len(failures) > 1 and all(one.state.unreached for one in failures)
        for one, failure in failures.items():
            if isinstance(failure, NoSuchName) and ours:
                self._back_off(one.state, Unreachable(str(failure)))
            elif failure:
                self._back_off(one.state, failure)
            elif one.good:
                one.state.good()

    def _back_off(self, state: SourceState, failure: SourceError) -> None:
        state.failed(failure, self._clock.monotonic(), self._clock.now(), self._chance.uniform(0.8, 1.2))

    def _readings(self) -> dict[Pair, list[Reading]]:
        found: dict[Pair, list[Reading]] = {}
        for one in self._rounds.values():
            for pair, reading in one.readings.items():
                found.setdefault(pair, []).append(reading)
        return found
