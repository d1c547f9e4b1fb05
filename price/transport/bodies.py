"""The body of an answer: how much of it is read, and what is inside its compression."""

import threading
import zlib
from http.client import HTTPResponse

from price.errors import Unreadable
from price.wire import excerpt

MAX_BODY_BYTES = 8 * 1024 * 1024
_PIECE_BYTES = 64 * 1024
_MAX_MEMBERS = 100
_UNPACKING = threading.Lock()
"""One body at a time is unpacked, which takes twice its size."""


def body_of(response: HTTPResponse) -> bytes:
    """The body, unpacked. Raises Unreadable where it cannot be, unless the status says enough without it."""
    encoding = (response.getheader("content-encoding") or "identity").strip().lower()
    try:
        return decoded(_received(response), encoding)
    except Unreadable:
        if response.status < 400:
            raise
        return b""


def _received(response: HTTPResponse) -> bytes:
    """The body as sent. Raises Unreadable above the cap, and before any of it is read where it says so."""
    if response.length is not None:
        _within(MAX_BODY_BYTES, response.length)
        return response.read()
    pieces, size = [], 0
    while piece := response.read(_PIECE_BYTES):
        pieces.append(piece)
        size += len(piece)
        _within(MAX_BODY_BYTES, size)
    return b"".join(pieces)


def _within(most: int, size: int) -> None:
    if size > most:
        raise Unreadable(f"a body of over {most} bytes")


def decoded(body: bytes, encoding: str) -> bytes:
    """The body without its compression. Raises Unreadable for another encoding than was asked for."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Unreadable(f"a body encoded as {excerpt(encoding)}, which was not asked for")
    try:
        with _UNPACKING:
            return _inflated(body, -zlib.MAX_WBITS if _is_bare(body, encoding) else zlib.MAX_WBITS | 32)
    except zlib.error as error:
        raise Unreadable(f"a body that is not the {encoding} it is said to be: {error}") from error


def _is_bare(body: bytes, encoding: str) -> bool:
    """Whether a body is what some servers send for deflate: without the envelope that it ought to have."""
    return encoding == "deflate" and body[:1] != b"\x78"


def _inflated(body: bytes, wbits: int) -> bytes:
    """The body without its compression, never more of it than the cap: a small bomb holds gigabytes.

    Not left to urllib3, which takes a gzip body without its end, or with other bytes behind it, for whole. A
    gzip body may consist of several members. Raises zlib.error and Unreadable.
    """
    plain = b""
    for _ in range(_MAX_MEMBERS):
        inflate = zlib.decompressobj(wbits)
        plain += inflate.decompress(body, MAX_BODY_BYTES + 1 - len(plain))
        _within(MAX_BODY_BYTES, len(plain))
        if not inflate.eof:
            raise Unreadable("a compressed body that ends too early")
        body = inflate.unused_data.lstrip(b"\0")  # padding is usual
        if not body:
            return plain
    raise Unreadable(f"a compressed body of over {_MAX_MEMBERS} members")
