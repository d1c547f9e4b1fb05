"""The only reader of time and the only wait. Whatever wakes the recorder comes through one queue."""

import time
from contextlib import suppress
from datetime import UTC, datetime
from enum import Enum
from queue import Empty, SimpleQueue
from typing import Protocol

from price.host.wakeup import Wakeup

PULSE_SECONDS = 10
"""The longest wait without a sign of life: slots may be an hour apart, and a timeout nearly as long."""
_NEAR_SECONDS = 0.01
_NEARER = 0.9
"""A wait comes near its end in steps: Linux may let it sleep some thousandths longer than told."""


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

    def wait(self, until: float) -> object | None:
        """The next item of the queue; None where nothing came before `until` (monotonic seconds)."""
        ...


class SystemClock:
    """The machine's clock."""

    def __init__(self) -> None:
        # put and set may be called while they are being called: a signal lands anywhere
        self._queue: SimpleQueue[object] = SimpleQueue()
        self.wakeup = Wakeup()
        """Ends a wait, if only to look around."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        # the same clock as monotonic(); but on Windows, before Python 3.13, that moves in steps of 15.6 ms
        return time.perf_counter()

    def post(self, item: object) -> None:
        self._queue.put(item)
        self.wakeup.set()

    def wait(self, until: float) -> object | None:
        while True:
            with suppress(Empty):
                return self._queue.get_nowait()
            left = until - self.monotonic()
            if left <= 0:
                return None
            seconds = left if left < _NEAR_SECONDS else left * _NEARER
            if self.wakeup.wait(seconds):
                self.wakeup.clear()
