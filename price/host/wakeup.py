"""What wakes a waiting `select` (the self-pipe trick): a signal handler may set it, and any thread."""

import selectors
import socket
from contextlib import suppress

_MOST_BYTES = 4096
"""How many calls of `set` one `clear` undoes."""


class Wakeup:
    """Two sockets: not every system selects on pipes."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        # not `select` itself: it cannot look at descriptors above 1,023, of which a process may inherit many
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._reader, selectors.EVENT_READ)

    def __del__(self) -> None:
        self._selector.close()
        self._reader.close()
        self._writer.close()

    def write_fd(self) -> int:
        """The descriptor that sets it when a byte is written there."""
        return self._writer.fileno()

    def set(self) -> None:
        """Wakes whoever waits."""
        with suppress(BlockingIOError):  # full: it is set
            self._writer.send(b"!")

    def wait(self, seconds: float) -> bool:
        """Waits until it is set, at most so many seconds; whether it was."""
        return bool(self._selector.select(seconds))

    def clear(self) -> None:
        """Undoes `set`; only to be called once it is set."""
        self._reader.recv(_MOST_BYTES)
