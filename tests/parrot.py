"""A server that says the same bytes to whoever asks, and hangs up; and the way to it."""

import socket
import threading
from contextlib import suppress
from functools import cache
from ssl import SSLContext
from time import monotonic

from price.transport import Transport, trust
from price.wire import Answer, Request

_PATIENCE_SECONDS = 10


class Parrot:
    """Listens on loopback for as long as the process lives."""

    def __init__(self) -> None:
        self.says = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def ask(self, request: Request) -> Answer:
        """What the transport makes of the bytes. Raises SourceError."""
        carrier = Transport(self.url, {}, certificates(), {}, monotonic)
        return carrier.get(request, monotonic() + _PATIENCE_SECONDS)

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(self.says)


@cache
def parrot() -> Parrot:
    """The one of this process."""
    return Parrot()


@cache
def certificates() -> SSLContext:
    """Those of the system: loading them takes 20 ms."""
    return trust({})
