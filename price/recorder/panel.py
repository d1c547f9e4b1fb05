"""Asks all sources at once, inside one budget of time. Failures come back as readings."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from price import times
from price.errors import NoSuchName, SourceError, Unreachable
from price.quote import Pair, Reading
from price.record import NOTICE, Event, say_of_source
from price.recorder.clock import PULSE_SECONDS, Clock, Signal
from price.recorder.couriers import Outcome
from price.recorder.desk import ASIDE_SECONDS, Desk
from price.recorder.rests import RETIRED_SECONDS, TROUBLE_SECONDS
from price.wire import Request, retry_after_seconds

STOP_GRACE_SECONDS = 0.5
"""How long a round that is under way may go on after a stop was asked for."""


class Sender(Protocol):
    """Whatever carries a request to a source and posts its outcome to the clock."""

    def send(self, slot: datetime, request: Request, deadline: float, under_way: int) -> None:
        """Returns at once; `under_way` counts this request and those of the source that are outstanding."""
        ...


class Panel:
    """The desks of the configured sources, the pairs that each is asked for, and its couriers."""

    def __init__(
        self,
        desks: Sequence[Desk],
        pairs: Mapping[str, Sequence[Pair]],
        senders: Mapping[str, Sender],
        clock: Clock,
        chance: random.Random,
        pulse: Callable[[], None] = lambda: None,
    ) -> None:
        self.desks = desks
        self._named = {desk.name: desk for desk in desks}
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
        for desk in self.desks:
            desk.open(slot, self._pairs[desk.name], began)
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
        desk = self._named.get(outcome.source)  # none where a reload took the source out
        plea = desk.hear_late(outcome) if desk else None
        if desk and plea:
            self._rest(desk, plea)

    def _gather(self, deadline: float) -> bool:
        """Sends what is due and hears what comes, until all have answered or the deadline."""
        while True:
            now = self._clock.monotonic()
            wake = min(self._send_due(desk, now, deadline) for desk in self.desks)
            if all(desk.done for desk in self.desks) or now >= deadline:
                return all(desk.done for desk in self.desks)
            item = self._clock.wait(min(wake, deadline, now + PULSE_SECONDS))
            if isinstance(item, Signal):
                self._signals.append(item)
                if item is Signal.STOP:
                    deadline = min(deadline, self._clock.monotonic() + STOP_GRACE_SECONDS)
            elif isinstance(item, Outcome):
                self._hear(item)
            elif self._clock.monotonic() >= now + PULSE_SECONDS:
                self._pulse()

    def _send_due(self, desk: Desk, now: float, deadline: float) -> float:
        """Sends what a desk may send now; gives when the next is due."""
        while (due := desk.due(now)) is not None and due <= now < deadline:
            request = desk.take(now)
            self._senders[desk.name].send(self._slot, request, deadline, desk.outstanding)
        return deadline if due is None else due

    def _hear(self, outcome: Outcome) -> None:
        desk = self._named.get(outcome.source)
        if desk is None or outcome.slot != self._slot:
            self.hear_late(outcome)
            return
        stranger = desk.hear(outcome, self._clock.monotonic())
        if stranger:
            text = f"does not know {stranger}: set aside, asked again in {times.span(ASIDE_SECONDS)}"
            say_of_source(Event.PAIR_ASIDE, NOTICE, desk.name, text)

    def _close(self, timeout: float) -> None:
        failures = {desk: desk.close(timeout) for desk in self.desks}
        # where nobody can be reached it is this machine's trouble: no name is to be retired for that
        ours = len(failures) > 1 and all(desk.unreached for desk in failures)
        for desk, failure in failures.items():
            if isinstance(failure, NoSuchName) and ours:
                self._rest(desk, Unreachable(str(failure)))
            elif failure:
                self._rest(desk, failure)
            elif desk.good:
                desk.changed |= desk.rests.good()

    def _rest(self, desk: Desk, failure: SourceError) -> None:
        asked_for = retry_after_seconds(failure.retry_after, self._clock.now())
        jitter = self._chance.uniform(0.8, 1.2)
        desk.changed = True
        if desk.rests.failed(failure, self._clock.monotonic(), asked_for, jitter):
            since, again = times.span(TROUBLE_SECONDS), times.span(RETIRED_SECONDS)
            text = f"retired: no good answer for {since} ({failure}); asked again every {again}"
            say_of_source(Event.SOURCE_RETIRED, NOTICE, desk.name, text)

    def _readings(self) -> dict[Pair, list[Reading]]:
        said: dict[Pair, list[Reading]] = {}
        for desk in self.desks:
            for pair in self._pairs[desk.name]:
                said.setdefault(pair, []).append(desk.reading(pair))
        return said
