"""The only reader of time and the only wait. Whatever wakes the recorder comes through one queue."""

import select
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from enum import Enum
from queue import Empty, SimpleQueue
from typing import NamedTuple, Protocol

from price.host.wakeup import Wakeup

PULSE_SECONDS = 10
"""The longest wait without a sign of life: slots may be an hour apart, and a timeout nearly as long."""
_NEAR_SECONDS = 0.01
_NEARER = 0.9
"""A wait comes near its end in steps: Linux may let `select` sleep some thousandths longer than told."""


class Signal(Enum):
    """What the operator asks of a running recorder."""

    STOP = "stop"
    RELOAD = "reload"


class Clock(Protocol):
    """Time, and waiting for what happens."""

    def now(self) -> datetime:
        """The wall clock: aware UTC. It may step in either direction."""
        ...

    def monotonic(self) -> float:
        """Seconds that never step back; their zero means nothing."""
        ...

    def post(self, item: object) -> None:
        """Puts a signal or an answer into the queue; may be called by a signal handler and by any thread."""
        ...

    def watch(self, descriptor: int, until: float, hear: Callable[[], object | None]) -> None:
        """Has `wait` call `hear`, once: when there is something to read, at the latest at `until`.

        What it gives, unless None, is an item of the queue. Only for the thread that waits.
        """
        ...

    def wait(self, until: float) -> object | None:
        """The next item of the queue; None where nothing came before `until` (monotonic seconds)."""
        ...


class _Watch(NamedTuple):
    until: float
    hear: Callable[[], object | None]


class SystemClock:
    """The machine's clock."""

    def __init__(self) -> None:
        # put and ring may be called while they are being called: a signal lands anywhere
        self._queue: SimpleQueue[object] = SimpleQueue()
        self.bell = Wakeup()
        """Ends a wait, if only to look around."""
        self._watched: dict[int, _Watch] = {}

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def post(self, item: object) -> None:
        self._queue.put(item)
        self.bell.ring()

    def watch(self, descriptor: int, until: float, hear: Callable[[], object | None]) -> None:
        self._watched[descriptor] = _Watch(until, hear)

    def wait(self, until: float) -> object | None:
        while True:
            with suppress(Empty):
                return self._queue.get_nowait()
            if self.monotonic() >= until:
                return None
            self._attend(until)

    def _attend(self, until: float) -> None:
        """Waits until something happens, and hears what is watched."""
        soonest = min([until, *(watch.until for watch in self._watched.values())])
        left = max(0.0, soonest - self.monotonic())
        seconds = left if left < _NEAR_SECONDS else left * _NEARER
        bell = self.bell.fileno()
        ready, _, _ = select.select([bell, *self._watched], [], [], seconds)
        if bell in ready:
            ready.remove(bell)
            self.bell.hush()
        now = self.monotonic()
        overdue = [one for one, watch in self._watched.items() if watch.until <= now]
        for descriptor in {*ready, *overdue}:
            item = self._watched.pop(descriptor).hear()
            if item is not None:
                self._queue.put(item)
