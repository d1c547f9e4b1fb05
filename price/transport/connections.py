"""One connection, as urllib3 makes it, read by http.client within the limits of one request.

A timeout given to `requests` bounds each `recv`, so an answer that drips can last for ever: here each read
has what is left until the deadline. urllib3's own way to ask (`urlopen`) and to read takes 0.5 ms a request,
more than all else that a slot costs: see docs/decisions/0008.
"""

import http.client
import io
import re
import socket
import ssl
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection

from price.errors import Unreadable
from price.transport.connecting import connected
from price.wire import excerpt

MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_HEAD_BYTES = 256 * 1024
"""Of an answer's headers and the interim answers before it, of which http.client bounds only a part."""
_MAX_FRAMED_BYTES = 2 * MAX_BODY_BYTES
"""Of an answer's body with its framing."""
MAX_INTERIM = 20
_SWITCHING_PROTOCOLS = 101
_LENGTH = re.compile(r"[0-9]{1,18}")
_PIECE_BYTES = 64 * 1024


class Limits:
    """Of one request: until when its answer may come, and how many bytes of it still may."""

    room = MAX_HEAD_BYTES

    def __init__(self, left: Callable[[], float]) -> None:
        """`left` returns the seconds until the deadline."""
        self._left = left

    def seconds_left(self) -> float:
        """Until the deadline. Raises TimeoutError."""
        left = self._left()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left


class _Wire(io.RawIOBase):
    """What comes on a socket, within limits. Reading it raises TimeoutError, and Unreadable for too much."""

    ended = False

    def __init__(self, sock: Any, limits: Limits) -> None:
        self.sock, self._limits = sock, limits

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.ended:
            return None  # nothing more, for now
        self.sock.settimeout(self._limits.seconds_left())
        size: int = self.sock.recv_into(buffer)
        self._limits.room -= size
        if self._limits.room < 0:
            raise Unreadable("an answer without end")
        return size


class _Incoming(io.BufferedReader):
    """One answer as it comes in. Once it is closed, `surplus` is whether more came than the answer."""

    surplus = False

    def __init__(self, sock: Any, limits: Limits) -> None:
        self._wire = _Wire(sock, limits)
        super().__init__(self._wire)

    def close(self) -> None:
        if not self.closed:
            self._wire.ended = True  # `peek` would read on where the buffer is empty
            sock = self._wire.sock
            # TLS reads by records, further than this buffer
            hidden = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
            self.surplus = bool(self.peek(1)) or hidden
        super().close()


class Response(http.client.HTTPResponse):
    """An answer, without the interim ones before it (RFC 9110, section 15.2); http.client knows only 100."""

    def __init__(self, sock: Any, limits: Limits, method: str) -> None:
        self._incoming = _Incoming(sock, limits)
        # all that http.client asks of a socket is a file to read from
        super().__init__(SimpleNamespace(makefile=lambda _: self._incoming), method=method)  # type: ignore[arg-type]

    def begin(self) -> None:
        for _ in range(MAX_INTERIM + 1):
            super().begin()
            if self.status == _SWITCHING_PROTOCOLS:
                raise Unreadable("it switches to a protocol that was not asked for (HTTP 101)")
            if self.status >= 200:
                self._check_framing()
                return
            self.headers = self.msg = None  # type: ignore[assignment] # else `begin` would do nothing
        raise Unreadable(f"more than {MAX_INTERIM} interim answers")

    def _check_framing(self) -> None:
        """Raises Unreadable where the headers do not name one end of the body: http.client would guess."""
        lengths = set(self.headers.get_all("content-length", ()))
        codings = [coding.strip().lower() for coding in self.headers.get_all("transfer-encoding", ())]
        if len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
            raise Unreadable(f"a body whose length is {excerpt(', '.join(sorted(lengths)))}")
        if codings not in ([], ["chunked"]) or (codings and lengths):
            raise Unreadable(f"a body framed as {excerpt(', '.join([*codings, *lengths]))}")

    def body(self) -> bytes:
        """The body as sent. Raises Unreadable above the cap; where its length is known, before it is read."""
        if self.length is not None:
            within_cap(self.length)
            return self.read()
        body = bytearray()
        while piece := self.read(_PIECE_BYTES):
            body += piece
            within_cap(len(body))
        return bytes(body)

    @property
    def usual(self) -> bool:
        """Whether nothing about it speaks against another request on its connection."""
        told = self.version == 11 and self.status < 600 and not self.headers.defects
        return told and self.isclosed() and not self.will_close and not self._incoming.surplus


def within_cap(size: int) -> None:
    """Raises Unreadable for the size of a body that is above the cap."""
    if size > MAX_BODY_BYTES:
        raise Unreadable(f"a body of over {MAX_BODY_BYTES} bytes")


class Connection(HTTPConnection):
    """A connection, open or not."""

    limits: Limits
    """Those of the request that it is busy with."""

    def response_class(self, sock: Any, method: str) -> Response:  # type: ignore[override]
        """The answer that comes next; of a proxy's answer to CONNECT the libraries ask this, too."""
        return Response(sock, self.limits, method)

    def ask(self, text: bytes) -> Response:
        """Sends a request on the open connection; the head of the answer, its body still to be read."""
        self.limits.room = MAX_HEAD_BYTES
        self.send(text)
        response = Response(self.sock, self.limits, "GET")
        try:
            response.begin()
        except BaseException:
            response.close()
            raise
        self.limits.room = _MAX_FRAMED_BYTES
        return response

    def _new_conn(self) -> socket.socket:
        port = self.port or self.default_port
        return connected(self._dns_host, port, self.socket_options or (), self.limits.seconds_left)


class TLSConnection(Connection, HTTPSConnection):
    """The same with TLS."""
