"""Sockets that keep a deadline for the whole request: they look at it before each read.

A timeout given to `requests` bounds each `recv`, so an answer that drips can last for ever.
"""

import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

from price.errors import Unreadable
from price.transport.bodies import MAX_BODY_BYTES

_MAX_RECEIVED_BYTES = 2 * MAX_BODY_BYTES
"""Of one answer, with headers and framing, of which the libraries bound only a part."""


class _Current(threading.local):
    """The request that this thread is busy with."""

    left: Callable[[], float] = staticmethod(lambda: 0.0)
    connected: bool = False
    """Whether a connection was made for it."""
    room: int = 0
    """How many bytes of its answer may still come."""
    text: bytes = b""
    """It, as the libraries sent it."""


current = _Current()


def begin() -> None:
    """An exchange of this thread begins: a new count of what it connects, sends and hears."""
    current.connected, current.room, current.text = False, _MAX_RECEIVED_BYTES, b""


def seconds_left() -> float:
    """Until the deadline of this thread's request. Raises TimeoutError."""
    left = current.left()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left


def _take(size: int) -> None:
    current.room -= size
    if current.room < 0:
        raise Unreadable(f"an answer of over {_MAX_RECEIVED_BYTES} bytes")


class Socket(socket.socket):
    """A connection without TLS."""

    def sendall(self, data: Any, *args: Any) -> None:
        current.text = bytes(data)
        super().sendall(data, *args)

    def recv_into(self, *args: Any) -> int:
        self.settimeout(seconds_left())
        size = super().recv_into(*args)
        _take(size)
        return size

    def recv(self, *args: Any) -> bytes:
        self.settimeout(seconds_left())
        data = super().recv(*args)
        _take(len(data))
        return data

    def here(self, most: int) -> bytes | None:
        """What has come, without waiting: None for nothing, no bytes for the end. Raises OSError."""
        self.settimeout(0)
        try:
            return super().recv(most)
        except BlockingIOError:
            return None


class TLSSocket(ssl.SSLSocket):
    """A connection with TLS."""

    def sendall(self, data: Any, *args: Any) -> None:
        current.text = bytes(data)
        super().sendall(data, *args)

    def read(self, *args: Any) -> Any:
        self.settimeout(seconds_left())
        data: Any = super().read(*args)  # their number where it was read into a buffer
        _take(data if isinstance(data, int) else len(data))
        return data

    def here(self, most: int) -> bytes | None:
        """What has come, without waiting: None for nothing, no bytes for the end. Raises OSError."""
        self.settimeout(0)
        try:
            return super().read(most)
        except ssl.SSLWantReadError:
            return None


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
            current.connected = True
            return sock
    raise failure
