"""Sockets that keep a deadline for the whole request, bound an answer, and notice what nobody asked for.

A timeout given to `requests` bounds each `recv`, so an answer that drips can last for ever.
"""

import errno
import io
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

from price.errors import Unreadable
from price.transport.bodies import MAX_BODY_BYTES

MAX_HEAD_BYTES = 256 * 1024
"""Of an answer's headers and the interim answers before it, of which http.client bounds only a part."""
_MAX_FRAMED_BYTES = 2 * MAX_BODY_BYTES
"""Of an answer's body with its framing."""


class _Current(threading.local):
    """The request that this thread is busy with."""

    left: Callable[[], float] = staticmethod(lambda: 0.0)
    room: int = 0
    """How many bytes of its answer may still come."""


current = _Current()


def expect_head() -> None:
    """Begins a request of this thread: only so many bytes may come before its body."""
    current.room = MAX_HEAD_BYTES


def expect_body() -> None:
    """Notes that the head of the answer is here."""
    current.room = _MAX_FRAMED_BYTES


def seconds_left() -> float:
    """Until the deadline of this thread's request. Raises TimeoutError."""
    left = current.left()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left


def _take(size: int) -> None:
    current.room -= size
    if current.room < 0:
        raise Unreadable("an answer without end")


class Incoming(io.BufferedReader):
    """One answer as it comes in. When it ends, what was read beyond its end is noted at its socket."""

    def __init__(self, raw: Any, sock: "Socket | TLSSocket") -> None:
        super().__init__(raw)
        self._sock = sock

    def close(self) -> None:
        if not self.closed:
            self._sock.ended = True  # `peek` would read on where the buffer is empty
            self._sock.surplus |= bool(self.peek(1))
            self._sock.ended = False
        super().close()


class Socket(socket.socket):
    """A connection without TLS."""

    surplus = False
    """Whether more came than the answer."""
    ended = False

    def recv_into(self, *args: Any) -> int:
        if self.ended:
            raise BlockingIOError(errno.EAGAIN, "the answer has ended")
        self.settimeout(seconds_left())
        size = super().recv_into(*args)
        _take(size)
        return size

    def recv(self, *args: Any) -> bytes:
        self.settimeout(seconds_left())
        data = super().recv(*args)
        _take(len(data))
        return data

    def makefile(self, *_: Any, **__: Any) -> Any:
        return Incoming(super().makefile("rb", buffering=0), self)


class TLSSocket(ssl.SSLSocket):
    """A connection with TLS."""

    surplus = False
    ended = False

    def read(self, *args: Any) -> Any:
        if self.ended:
            raise BlockingIOError(errno.EAGAIN, "the answer has ended")
        self.settimeout(seconds_left())
        data: Any = super().read(*args)  # their number where it was read into a buffer
        _take(data if isinstance(data, int) else len(data))
        return data

    def makefile(self, *_: Any, **__: Any) -> Any:
        return Incoming(super().makefile("rb", buffering=0), self)


def has_surplus(sock: object) -> bool:
    """Whether a socket has more than the answers that were read from it; True for a socket not of ours."""
    if isinstance(sock, TLSSocket):
        return sock.surplus or sock.pending() > 0
    return sock.surplus if isinstance(sock, Socket) else True


def connect(host: str, port: int, options: Any) -> socket.socket:
    """A connection to the first address that answers; each gets its share of the time that is left."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failure: OSError = OSError("the name has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = Socket(family, kind, protocol)
        try:
            for option in options or ():
                sock.setsockopt(*option)
            sock.settimeout(seconds_left() / (len(addresses) - tried))
            sock.connect(address)
            sock.settimeout(seconds_left())
        except OSError as error:
            failure = error
            sock.close()
        else:
            return sock
    raise failure
