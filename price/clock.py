"""The only reader of time and the only wait. Whatever wakes the recorder comes through one queue."""

import selectors
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from queue import SimpleQueue
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

    def watch(self, fileno: int, until: float, look: Callable[[], object | None]) -> None:
        """Has `wait` call `look` once a descriptor can be read, or at `until` (monotonic seconds).

        What it returns goes into the queue, unless that is None. Only for the thread that waits.
        """
        ...

    def wait(self, until: float) -> object | None:
        """The next item of the queue; None where nothing came before `until` (monotonic seconds)."""
        ...


class SystemClock:
    """The machine's clock.

    While the queue is empty it waits for a byte on a pair of sockets (the self-pipe trick): each `post` sends
    one, and so does Python for each signal. It waits for the descriptors that are watched, too.
    """

    def __init__(self) -> None:
        # put and send may be called while they are being called: a signal lands anywhere
        self._queue: SimpleQueue[object] = SimpleQueue()
        self._reader, self._writer = socket.socketpair()  # not every system selects on pipes
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        # not `select`, where there is another: it cannot look at descriptors above 1,023, of which a process
        # may inherit many; nor `epoll`, which takes a system call for each that is watched only for a while
        self._selector = getattr(selectors, "PollSelector", selectors.SelectSelector)()
        self._selector.register(self._reader, selectors.EVENT_READ)
        self._watched: dict[int, tuple[float, Callable[[], object | None]]] = {}
        self.wakeup_fd = self._writer.fileno()
        """A byte written there ends a wait, if only to look around."""

    def __del__(self) -> None:
        self._selector.close()
        self._reader.close()
        self._writer.close()

    def heed_signals(self) -> None:
        """Has the signals that stop or reload this process posted to the queue."""
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

    def watch(self, fileno: int, until: float, look: Callable[[], object | None]) -> None:
        self._watched[fileno] = until, look
        self._selector.register(fileno, selectors.EVENT_READ)

    def wait(self, until: float) -> object | None:
        while True:
            if not self._queue.empty():  # nobody else takes from it
                return self._queue.get_nowait()
            now = self.monotonic()
            left = min([until, *(end for end, _ in self._watched.values())]) - now
            if left > 0:
                seconds = left if left < _NEAR_SECONDS else left * _NEARER
                due = [key.fd for key, _ in self._selector.select(seconds)]
            else:
                due = [fileno for fileno, (end, _) in self._watched.items() if end <= now]
                if not due:
                    return None
            for fileno in due:
                self._look(fileno)

    def _look(self, fileno: int) -> None:
        if fileno == self._reader.fileno():
            self._reader.recv(_WAKEUPS_BYTES)
            return
        self._selector.unregister(fileno)
        _, look = self._watched.pop(fileno)
        item = look()
        if item is not None:
            self._queue.put(item)
