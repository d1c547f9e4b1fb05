"""An exchange that says the same bytes to whoever asks; and the way to it."""

from functools import cache
from ssl import SSLContext
from time import monotonic

from price.model import Answer, Request
from price.transport import Transport, trust
from tests.exchange.asked import asked
from tests.exchange.faults import Fault
from tests.exchange.server import Exchange
from tests.exchange.wire import Line, Reply

_PATIENCE_SECONDS = 10
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Parrot:
    """Listens on loopback for as long as the process lives."""

    def __init__(self) -> None:
        self._exchange = Exchange("coinbase").start()
        self.url = self._exchange.url

    def says(self, data: bytes, *, close: bool = True) -> None:
        """Has it say these bytes after each request, and hang up unless told otherwise."""

        def send(line: Line, _reply: Reply) -> bool:
            line.send(data)
            return not close

        self._exchange.fault = Fault("parrot", send=send)

    def client(self) -> Transport:
        """A way to it, which keeps its connections."""
        return Transport(self.url, {}, certificates(), {}, monotonic)

    def ask(
        self, request: Request, client: Transport | None = None, seconds: float = _PATIENCE_SECONDS
    ) -> Answer:
        """What the transport makes of the bytes. Raises SourceError."""
        asking = client or self.client()
        try:
            return asked(asking, request, monotonic() + seconds)
        finally:
            if not client:
                asking.hang_up()


@cache
def parrot() -> Parrot:
    """The one of this process."""
    return Parrot()


@cache
def certificates() -> SSLContext:
    """Those of the system: loading them takes 20 ms."""
    return trust({})
