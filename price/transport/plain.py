"""The plain HTTP answer: in the form that exchanges use, and not big. All others are for the libraries.

HTTP/1.1 with one length, or in chunks without extensions and trailers (RFC 9112, sections 6 and 7). Whatever
is odd about an answer is not guessed at: `NotPlain`.
"""

import re
from functools import lru_cache
from typing import NamedTuple

MAX_BYTES = 64 * 1024
"""Of an answer with its headers: bigger ones are read beside the recorder's thread."""
_STATUS = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?")
_VISIBLE = rb"[\x21-\x7e\x80-\xff]"
_HEADER = re.compile(
    rb"([!#$%%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(%b(?:[\t\x20-\x7e\x80-\xff]*%b)?)?" % (_VISIBLE, _VISIBLE)
)
_LENGTH = re.compile(r"[0-9]{1,9}", re.ASCII)
_CHUNK = re.compile(rb"[0-9A-Fa-f]{1,8}")
_BODILESS = (204, 304)
_MAX_HEADERS = 100
"""The libraries take no more either."""


class NotPlain(Exception):
    """An answer of another form."""


class Plain(NamedTuple):
    """A whole answer; header names are in lower case, and one that comes twice holds both values."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def last(self) -> bool:
        """Whether the server will close the connection."""
        return "close" in self.headers.get("connection", "").lower()


def read(data: bytes) -> Plain | None:
    """The answer that `data` is; None while it is not whole. Raises NotPlain."""
    if len(data) > MAX_BYTES:
        raise NotPlain
    head, found, rest = data.partition(b"\r\n\r\n")
    if not found:
        return None
    first, *lines = head.split(b"\r\n")
    matched = _STATUS.fullmatch(first)
    status = int(matched[1]) if matched else 0
    if not matched or len(lines) > _MAX_HEADERS:
        raise NotPlain
    headers = _headers(lines)
    body = rest if status in _BODILESS and not rest else _body(headers, rest)
    return None if body is None else Plain(status, headers, body)


def _headers(lines: list[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in map(_header, lines):
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


@lru_cache(256)  # most lines of an answer stood in the one before
def _header(line: bytes) -> tuple[str, str]:
    matched = _HEADER.fullmatch(line)
    if not matched:
        raise NotPlain
    return matched[1].decode("ascii").lower(), (matched[2] or b"").decode("latin-1")


def _body(headers: dict[str, str], rest: bytes) -> bytes | None:
    length, coding = headers.get("content-length"), headers.get("transfer-encoding")
    if length is None and coding is not None and coding.lower() == "chunked":
        return _joined(rest)
    if length is None or coding is not None or not _LENGTH.fullmatch(length):
        raise NotPlain
    if not len(rest) <= int(length) <= MAX_BYTES:
        raise NotPlain
    return rest if len(rest) == int(length) else None


def _joined(rest: bytes) -> bytes | None:
    """The body that comes in chunks; None while the last one is not here."""
    parts: list[bytes] = []
    at = 0
    while (end := rest.find(b"\r\n", at)) >= 0:
        if not _CHUNK.fullmatch(rest, at, end):
            raise NotPlain
        size, start = int(rest[at:end], 16), end + 2
        at = start + size + 2
        if len(rest) < at:
            return None
        if rest[at - 2 : at] != b"\r\n" or (not size and len(rest) > at):
            raise NotPlain
        if not size:
            return b"".join(parts)
        parts.append(rest[start : at - 2])
    return None
