"""What wakes a waiting `select` (the self-pipe trick): a signal handler may ring it, and any thread."""

import socket
from contextlib import suppress

_RINGS = 4096
"""How many are heard as one."""


class Wakeup:
    """Two sockets: not every system selects on pipes."""

    def __init__(self) -> None:
        self._heard, self._rung = socket.socketpair()
        self._heard.setblocking(False)
        self._rung.setblocking(False)

    def __del__(self) -> None:
        self._heard.close()
        self._rung.close()

    def rope(self) -> int:
        """The descriptor that rings it when a byte is written there."""
        return self._rung.fileno()

    def fileno(self) -> int:
        """The descriptor that can be read once it was rung."""
        return self._heard.fileno()

    def ring(self) -> None:
        """Wakes whoever selects."""
        with suppress(BlockingIOError):  # full: it is ringing
            self._rung.send(b"!")

    def hush(self) -> None:
        """Ends the ringing, once it was rung."""
        self._heard.recv(_RINGS)
