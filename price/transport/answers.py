"""An answer as http.client reads it: until a deadline, and no more than so much.

A timeout given to `requests` bounds each `recv`, so an answer that drips can last for ever: here each read
has what is left until the deadline. urllib3's own way to ask (`urlopen`) and to read takes 0.5 ms a request,
more than all else that a slot costs: see docs/decisions/0008.
"""

import http.client
import io
import re
import ssl
import threading
import zlib
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

from price.errors import Unreadable
from price.model import Answer
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
_MAX_MEMBERS = 100
_UNPACKING = threading.Lock()
"""One body at a time is unpacked, which takes twice its size."""

SecondsLeft = Callable[[], float]
"""Until the deadline of a request. Raises TimeoutError once it has passed."""


class _Wire(io.RawIOBase):
    """What has come on a socket, and what still comes until the deadline; without one, nothing more.

    Reading it raises TimeoutError, Unreadable for too much, IncompleteRead where the headers are cut off, and
    BlockingIOError where it would have to wait.
    """

    room = MAX_HEAD_BYTES
    """How many bytes may still come."""

    ended = False
    in_head = True
    """Whether the headers have not all been read."""

    def __init__(self, sock: Any, came: bytes, left: SecondsLeft | None) -> None:
        self.sock, self._came, self._left = sock, came, left
        self._first = came[:5]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.ended:
            return None  # nothing more, for now
        if self._came:
            piece, self._came = self._came[: len(buffer)], self._came[len(buffer) :]
            buffer[: len(piece)] = piece
            return len(piece)
        if self._left is None:
            raise BlockingIOError("not all of the answer has come")
        self.sock.settimeout(self._left())
        size: int = self.sock.recv_into(buffer)
        self.room -= size
        if self.room < 0:
            raise Unreadable("an answer without end")
        if size == 0 and self.in_head and self._first and b"HTTP/".startswith(self._first):
            raise http.client.IncompleteRead(b"")  # http.client would take it for their end
        self._first = self._first or bytes(buffer[: min(size, 5)])
        return size


class _Incoming(io.BufferedReader):
    """One answer as it comes in. Once it is closed, `surplus` is whether more came than the answer."""

    surplus = False

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire
        super().__init__(wire)

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

    def __init__(self, sock: Any, left: SecondsLeft | None, came: bytes = b"", method: str = "GET") -> None:
        """`came` has come already; where there is no deadline, no more of it is waited for."""
        self._wire = _Wire(sock, came, left)
        self._incoming = _Incoming(self._wire)
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
        lengths = {length.strip() for length in self.headers.get_all("content-length", ())}
        codings = [coding.lower() for coding in self.headers.get_all("transfer-encoding", ())]
        if len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
            raise Unreadable(f"a body whose length is {excerpt(', '.join(sorted(lengths)))}")
        if codings not in ([], ["chunked"]) or (codings and lengths):
            raise Unreadable(f"a body framed as {excerpt(', '.join([*codings, *lengths]))}")

    def answer(self, cap: int = MAX_BODY_BYTES) -> Answer:
        """All of it, once it has begun. Raises HTTPException, OSError, ValueError and Unreadable."""
        # RFC 9110, section 5.5: blanks are no part of a value; http.client leaves those behind it
        named = {name.lower(): value.strip() for name, value in self.headers.items()}
        return Answer(self.status, named, self._body(named.get("content-encoding", ""), cap))

    def _body(self, encoding: str, cap: int) -> bytes:
        """The body, unpacked. Raises Unreadable, unless the status says enough without a body."""
        try:
            return decoded(self._framed(), encoding.strip().lower(), cap)
        except Unreadable:
            if self.status < 400:
                raise
            return b""

    def _framed(self) -> bytes:
        """The body as sent. Raises Unreadable above the cap; where its length is known, before it is read."""
        self._wire.room, self._wire.in_head = _MAX_FRAMED_BYTES, False
        if self.length is not None:
            _within_cap(self.length)
            return self.read()
        body = bytearray()
        while piece := self.read(_PIECE_BYTES):
            body += piece
            _within_cap(len(body))
        return bytes(body)

    @property
    def usual(self) -> bool:
        """Whether nothing about it speaks against another request on its connection."""
        sound = self.version == 11 and self.status < 600 and not self.headers.defects
        return sound and self.isclosed() and not self.will_close and not self._incoming.surplus


def _within_cap(size: int, cap: int = MAX_BODY_BYTES) -> None:
    """Raises Unreadable for the size of a body that is above the cap."""
    if size > cap:
        raise Unreadable(f"a body of over {cap} bytes")


def decoded(body: bytes, encoding: str, cap: int = MAX_BODY_BYTES) -> bytes:
    """The body without its compression. Raises Unreadable for another encoding than was asked for."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Unreadable(f"a body encoded as {excerpt(encoding)}, which was not asked for")
    bare = encoding == "deflate" and body[:1] != b"\x78"  # some servers leave out the envelope
    try:
        with _UNPACKING if cap == MAX_BODY_BYTES else nullcontext():
            return _inflated(body, -zlib.MAX_WBITS if bare else zlib.MAX_WBITS | 32, cap)
    except zlib.error as error:
        raise Unreadable(f"a body that is not the {encoding} it is said to be: {error}") from error


def _inflated(body: bytes, wbits: int, cap: int) -> bytes:
    """The body without its compression, never more of it than the cap: a small bomb holds gigabytes.

    Not left to urllib3, which accepts a gzip body without its end, or with other bytes behind it. A
    gzip body may consist of several members. Raises zlib.error and Unreadable.
    """
    plain = b""
    for _ in range(_MAX_MEMBERS):
        inflate = zlib.decompressobj(wbits)
        plain += inflate.decompress(body, cap + 1 - len(plain))
        _within_cap(len(plain), cap)
        if not inflate.eof:
            raise Unreadable("a compressed body that ends too early")
        body = inflate.unused_data.lstrip(b"\0")  # padding is usual
        if not body:
            return plain
    raise Unreadable(f"a compressed body of over {_MAX_MEMBERS} members")
