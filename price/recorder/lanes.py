"""Threads for what has to be waited for; a stuck one costs its source and nothing else."""

import threading
from collections.abc import Callable
from queue import SimpleQueue

from price.safely import safely
from price.wire import LANES


class Lanes:
    """The threads of one source: started when first needed, at most `LANES`; each calls `ended` at its end.

    Daemon threads because a look-up of a name cannot be interrupted: the stop must not wait for it.
    """

    def __init__(self, ended: Callable[[], None]) -> None:
        self._ended = ended
        self._actions: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads = 0
        self._closed = False

    def take(self, action: Callable[[], None], wanted: int) -> bool:
        """Has a thread run an action; a new one, if there are fewer than wanted. False without any thread."""
        if self._threads < min(wanted, LANES):
            _, failure = safely(threading.Thread(target=self._work, daemon=True).start)
            self._threads += failure is None
        taken = self._threads > 0
        if taken:
            self._actions.put(action)
        if self._closed:
            self.close()
        return taken

    def close(self) -> None:
        """Has the threads end after what they have taken, and one that is needed later as well."""
        for _ in range(self._threads):
            self._actions.put(None)
        self._threads, self._closed = 0, True

    def _work(self) -> None:
        while (action := self._actions.get()) is not None:
            action()
        safely(self._ended)
