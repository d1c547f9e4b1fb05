"""The only reader of time and the only wait. Whatever wakes the recorder comes through one queue."""

import time
from datetime import UTC, datetime
from enum import Enum
from queue import Empty, SimpleQueue
from typing import Protocol

PULSE_SECONDS = 10
"""The longest wait without a sign of life: slots may be an hour apart, and a timeout nearly as long."""


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
        # put() of a SimpleQueue is re-entrant: a signal may land while this thread holds any other lock
        self._queue: SimpleQueue[object] = SimpleQueue()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def post(self, item: object) -> None:
        self._queue.put(item)

    def wait(self, until: float) -> object | None:
        try:
            return self._queue.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            return None
