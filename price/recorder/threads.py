"""The threads that wait for answers of one source: a stuck one costs that source and no other."""

import threading
from collections.abc import Callable
from queue import SimpleQueue

from price.safely import safely
from price.wire import MOST_THREADS


class Threads:
    """At most `MOST_THREADS`, started when first needed; each calls `ended` when it ends.

    They are daemon threads because a look-up of a name cannot be interrupted: a stop must not wait for it.
    """

    def __init__(self, ended: Callable[[], None]) -> None:
        self._ended = ended
        self._actions: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._started = 0
        self._closed = False

    def submit(self, action: Callable[[], None], wanted: int) -> bool:
        """Has a thread run an action: a new one if fewer than `wanted` run. False where there is none."""
        if self._started < min(wanted, MOST_THREADS):
            _, failure = safely(threading.Thread(target=self._work, daemon=True).start)
            self._started += failure is None
        accepted = self._started > 0
        if accepted:
            self._actions.put(action)
        if self._closed:
            self.close()
        return accepted

    def close(self) -> None:
        """Has the threads end after what was submitted; one that is started later ends after its action."""
        for _ in range(self._started):
            self._actions.put(None)
        self._started, self._closed = 0, True

    def _work(self) -> None:
        while (action := self._actions.get()) is not None:
            action()
        safely(self._ended)
