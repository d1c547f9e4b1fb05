"""The only reader of time and the only wait. Whatever wakes the recorder comes through one queue."""

import selectors
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from queue import Empty, SimpleQueue
from typing import Protocol

from price import host

PULSE_SECONDS = 10
"""The longest wait without a sign of life: slots may be an hour apart, and a timeout nearly as long."""
_NEAR_SECONDS = 0.01
_NEARER = 0.9
"""A wait comes near its end in steps: Linux may let it sleep some thousandths longer than told."""
_WAKEUPS_BYTES = 4096
"""As many wake-ups as one look undoes."""


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
    """The machine's clock.

    While the queue is empty it waits for a byte on a pair of sockets (the self-pipe trick): each `post` sends
    one, and so does Python for each signal.
    """

    def __init__(self) -> None:
        # put and send may be called while they are being called: a signal lands anywhere
        self._queue: SimpleQueue[object] = SimpleQueue()
        self._reader, self._writer = socket.socketpair()  # not every system selects on pipes
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        # not `select` itself: it cannot look at descriptors above 1,023, of which a process may inherit many
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._reader, selectors.EVENT_READ)
        self.wakeup_fd = self._writer.fileno()
        """A byte written there ends a wait, if only to look around."""

    def __del__(self) -> None:
        self._selector.close()
        self._reader.close()
        self._writer.close()

    def heed_signals(self) -> None:
        """Has what stops or reloads this process be posted to it."""
        host.on_signals(partial(self.post, Signal.STOP), partial(self.post, Signal.RELOAD), self.wakeup_fd)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        # the same clock as monotonic(); but on Windows, before Python 3.13, that moves in steps of 15.6 ms
        return time.perf_counter()

    def post(self, item: object) -> None:
        self._queue.put(item)
        with suppress(BlockingIOError):  # full of bytes that will wake it
            self._writer.send(b"!")

    def wait(self, until: float) -> object | None:
        while True:
            with suppress(Empty):
                return self._queue.get_nowait()
            left = until - self.monotonic()
            if left <= 0:
                return None
            seconds = left if left < _NEAR_SECONDS else left * _NEARER
            if self._selector.select(seconds):
                self._reader.recv(_WAKEUPS_BYTES)
