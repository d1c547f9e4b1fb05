"""What wakes a waiting `select` (the self-pipe trick): a signal handler may set it, and any thread."""

import select
import socket
import sys
from contextlib import suppress

_MOST_BYTES = 4096
"""How many calls of `set` one `clear` undoes."""


class Wakeup:
    """Two sockets: not every system selects on pipes."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def __del__(self) -> None:
        self._reader.close()
        self._writer.close()

    def write_fd(self) -> int:
        """The descriptor that sets it when a byte is written there."""
        return self._writer.fileno()

    def fileno(self) -> int:
        """The descriptor that can be read once it is set."""
        return self._reader.fileno()

    def set(self) -> None:
        """Wakes whoever selects."""
        with suppress(BlockingIOError):  # full: it is set
            self._writer.send(b"!")

    def wait(self, seconds: float) -> bool:
        """Waits until it is set, at most so many seconds; whether it was.

        `select` cannot look at a descriptor above 1,023, which a process that inherits many gets; `poll` can,
        and sleeps whole milliseconds. Windows has `select` alone, without that limit.
        """
        if sys.platform == "win32":
            return bool(select.select([self._reader], [], [], seconds)[0])
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def clear(self) -> None:
        """Undoes `set`; only to be called once it is set."""
        self._reader.recv(_MOST_BYTES)
