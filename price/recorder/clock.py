"""The only reader of time and the only wait. Whatever wakes the recorder comes through one queue."""

import select
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import NamedTuple, Protocol

from price.host.bell import Bell

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
        # append and ring may be called while they are being called: a signal lands anywhere
        self._items: deque[object] = deque()
        self._bell = Bell()
        self._watched: dict[int, _Watch] = {}

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def post(self, item: object) -> None:
        self._items.append(item)
        self._bell.ring()

    def watch(self, descriptor: int, until: float, hear: Callable[[], object | None]) -> None:
        self._watched[descriptor] = _Watch(until, hear)

    def wait(self, until: float) -> object | None:
        while not self._items:
            soonest = min([until, *(watch.until for watch in self._watched.values())])
            heard = self._hear(self._ready(max(0.0, soonest - self.monotonic())))
            if not heard and not self._items and self.monotonic() >= until:
                return None
        return self._items.popleft()

    def _ready(self, seconds: float) -> set[int]:
        """What can be read, or is overdue, after at most so many seconds."""
        bell = self._bell.fileno()
        ready, _, _ = select.select([bell, *self._watched], [], [], seconds)
        if bell in ready:
            ready.remove(bell)
            self._bell.hush()
        now = self.monotonic()
        return {*ready, *(one for one, watch in self._watched.items() if watch.until <= now)}

    def _hear(self, descriptors: set[int]) -> int:
        """Hears those; gives how many they were."""
        for descriptor in descriptors:
            item = self._watched.pop(descriptor).hear()
            if item is not None:
                self._items.append(item)
        return len(descriptors)
