"""Asks all sources at once, inside one budget of time. Failures come back as readings."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from price import times
from price.errors import NoSuchName, SourceError, Unreachable
from price.events import NOTICE, Event, log_source_event
from price.model import Pair, Reading
from price.recorder.backoff import RETIRED_SECONDS, TROUBLE_SECONDS
from price.recorder.clock import PULSE_SECONDS, Clock, Signal
from price.recorder.source_state import ASIDE_SECONDS, SourceState
from price.recorder.workers import Outcome
from price.wire import Request, retry_after_seconds

STOP_GRACE_SECONDS = 0.5
"""How long a round that is under way may go on after a stop was asked for."""


class Sender(Protocol):
    """Whatever carries a request to a source and posts its outcome to the clock."""

    def send(self, slot: datetime, request: Request, deadline: float, under_way: int) -> None:
        """Returns at once; `under_way` counts this request and those of the source that are outstanding."""
        ...


class Poller:
    """The states of the configured sources, the pairs that each is asked for, and its workers."""

    def __init__(
        self,
        states: Sequence[SourceState],
        pairs: Mapping[str, Sequence[Pair]],
        senders: Mapping[str, Sender],
        clock: Clock,
        chance: random.Random,
        pulse: Callable[[], None] = lambda: None,
    ) -> None:
        self.states = states
        self._named = {state.name: state for state in states}
        self._pairs = pairs
        self._senders = senders
        self._clock = clock
        self._chance = chance
        self._pulse = pulse
        """Shows whoever watches that a long round is still alive."""
        self._slot = times.EPOCH
        self._signals: list[Signal] = []

    def ask(self, slot: datetime, timeout: float) -> dict[Pair, list[Reading]] | None:
        """What each source says of its pairs in a slot, after at most `timeout` seconds.

        None if a stop was asked for and the round could not be finished in time for it.
        """
        began = self._clock.monotonic()
        self._slot = slot
        for state in self.states:
            state.open(slot, self._pairs[state.name], began)
        finished = self._gather(began + timeout)
        for signal in self._signals:
            self._clock.post(signal)
        stopping, self._signals = Signal.STOP in self._signals, []
        if stopping and not finished:
            return None
        self._close(timeout)
        return self._readings()

    def hear_late(self, outcome: Outcome) -> None:
        """Takes the outcome of a round that is over."""
        state = self._named.get(outcome.source)  # none where a reload took the source out
        plea = state.hear_late(outcome) if state else None
        if state and plea:
            self._rest(state, plea)

    def _gather(self, deadline: float) -> bool:
        """Sends what is due and hears what comes, until all have answered or the deadline."""
        while True:
            now = self._clock.monotonic()
            wake = min(self._send_due(state, now, deadline) for state in self.states)
            if all(state.done for state in self.states) or now >= deadline:
                return all(state.done for state in self.states)
            item = self._clock.wait(min(wake, deadline, now + PULSE_SECONDS))
            if isinstance(item, Signal):
                self._signals.append(item)
                if item is Signal.STOP:
                    deadline = min(deadline, self._clock.monotonic() + STOP_GRACE_SECONDS)
            elif isinstance(item, Outcome):
                self._hear(item)
            elif self._clock.monotonic() >= now + PULSE_SECONDS:
                self._pulse()

    def _send_due(self, state: SourceState, now: float, deadline: float) -> float:
        """Sends what a state may send now; gives when the next is due."""
        while (due := state.due(now)) is not None and due <= now < deadline:
            request = state.take(now)
            self._senders[state.name].send(self._slot, request, deadline, state.outstanding)
        return deadline if due is None else due

    def _hear(self, outcome: Outcome) -> None:
        state = self._named.get(outcome.source)
        if state is None or outcome.slot != self._slot:
            self.hear_late(outcome)
            return
        stranger = state.hear(outcome, self._clock.monotonic())
        if stranger:
            text = f"does not know {stranger}: set aside, asked again in {times.span(ASIDE_SECONDS)}"
            log_source_event(Event.PAIR_ASIDE, NOTICE, state.name, text)

    def _close(self, timeout: float) -> None:
        failures = {state: state.close(timeout) for state in self.states}
        # where nobody can be reached it is this machine's trouble: no name is to be retired for that
        ours = len(failures) > 1 and all(state.unreached for state in failures)
        for state, failure in failures.items():
            if isinstance(failure, NoSuchName) and ours:
                self._rest(state, Unreachable(str(failure)))
            elif failure:
                self._rest(state, failure)
            elif state.good:
                state.changed |= state.rests.good()

    def _rest(self, state: SourceState, failure: SourceError) -> None:
        asked_for = retry_after_seconds(failure.retry_after, self._clock.now())
        jitter = self._chance.uniform(0.8, 1.2)
        state.changed = True
        if state.rests.failed(failure, self._clock.monotonic(), asked_for, jitter):
            since, again = times.span(TROUBLE_SECONDS), times.span(RETIRED_SECONDS)
            text = f"retired: no good answer for {since} ({failure}); asked again every {again}"
            log_source_event(Event.SOURCE_RETIRED, NOTICE, state.name, text)

    def _readings(self) -> dict[Pair, list[Reading]]:
        said: dict[Pair, list[Reading]] = {}
        for state in self.states:
            for pair in self._pairs[state.name]:
                said.setdefault(pair, []).append(state.reading(pair))
        return said
