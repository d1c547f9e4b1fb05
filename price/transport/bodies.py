"""The body of an answer: how much of it is taken, and what is inside its compression."""

import threading
import zlib
from typing import Any

from price.errors import Unreadable
from price.wire import excerpt

MAX_BODY_BYTES = 8 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_MAX_MEMBERS = 100
_UNPACKING = threading.Lock()
"""One body at a time is unpacked, which takes twice its size."""


def content(raw: Any) -> bytes:
    """The body, unpacked. Raises Unreadable where it cannot be, unless the status says enough without it."""
    encoding = raw.headers.get("content-encoding", "identity").strip().lower()
    try:
        return decoded(_body(raw), encoding)
    except Unreadable:
        if raw.status < 400:
            raise
        raw.close()
        return b""


def _body(raw: Any) -> bytes:
    """The body as sent. Raises Unreadable above the cap, and before any of it is read where it says so."""
    if raw.length_remaining is not None:
        _within(MAX_BODY_BYTES, raw.length_remaining)
        return bytes(raw.read(decode_content=False))
    chunks, size = [], 0
    for chunk in raw.stream(_CHUNK_BYTES, decode_content=False):
        chunks.append(chunk)
        size += len(chunk)
        _within(MAX_BODY_BYTES, size)
    return b"".join(chunks)


def _within(most: int, size: int) -> None:
    if size > most:
        raise Unreadable(f"a body of over {most} bytes")


def decoded(body: bytes, encoding: str, most: int = MAX_BODY_BYTES) -> bytes:
    """The body without its compression. Raises Unreadable for another encoding than was asked for."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Unreadable(f"a body encoded as {excerpt(encoding)}, which was not asked for")
    try:
        with _UNPACKING:
            return _inflated(body, encoding, most)
    except zlib.error as error:
        raise Unreadable(f"a body that is not the {encoding} it is said to be: {error}") from error


def _inflated(body: bytes, encoding: str, most: int) -> bytes:
    """The body without its compression, never more of it than `most`: a small bomb holds gigabytes.

    A gzip body may consist of several members. Raises zlib.error and Unreadable.
    """
    raw_deflate = encoding == "deflate" and body[:1] != b"\x78"
    plain = b""
    for _ in range(_MAX_MEMBERS):
        inflate = zlib.decompressobj(-zlib.MAX_WBITS if raw_deflate else zlib.MAX_WBITS | 32)
        plain += inflate.decompress(body, most + 1 - len(plain))
        _within(most, len(plain))
        if not inflate.eof:
            raise Unreadable("a compressed body that ends too early")
        body = inflate.unused_data.lstrip(b"\0")  # padding is usual
        if not body:
            return plain
    raise Unreadable(f"a compressed body of over {_MAX_MEMBERS} members")
