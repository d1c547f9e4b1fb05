"""An answer over HTTP: its status, its headers, how it is sent. The same rules for every path."""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import blake2b
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

from price.text import one_line

JSON = "application/json"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
SECURITY = (
    (
        "Content-Security-Policy",
        (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
            " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
            " require-trusted-types-for 'script'; trusted-types 'none'"
        ),
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
"""On every answer, errors too."""
_LEAST_WORTH_PACKING = 512
_LINES_A_PIECE = 1000

Environ = Mapping[str, Any]
StartResponse = Callable[..., object]


class Stream(Iterator[bytes]):
    """Lines that are sent as they are read; `closed` is called once, however it ends (PEP 3333)."""

    def __init__(self, head: bytes, lines: Iterator[bytes], closed: Callable[[], object]) -> None:
        self._head, self._lines, self._closed = head, lines, closed
        self._open = True

    def __next__(self) -> bytes:
        """The next thousand lines."""
        piece = [self._head]
        self._head = b""
        for line in self._lines:
            piece.append(line)
            if len(piece) > _LINES_A_PIECE:
                break
        found = b"".join(piece)
        if not found:
            raise StopIteration
        return found

    def close(self) -> None:
        """The answer was sent, or nobody wants it any more."""
        if self._open:
            self._open = False
            self._closed()


class Reply(NamedTuple):
    """An answer before its headers are made."""

    status: int
    body: bytes
    kind: str = JSON
    more: tuple[tuple[str, str], ...] = ()
    stream: Stream | None = None
    """In place of the body, where its length is not known before."""
    packed: bytes = b""
    """The body compressed, where that was done before."""


class Refused(Exception):
    """A request that is not answered: the status and one line of why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def fault(status: int, why: str, *more: tuple[str, str], again: int | None = None) -> Reply:
    """An answer that says why there is no other, in one line; `again`: what to wait before asking again."""
    return Reply(status, json.dumps({"fault": one_line(why), "again": again}).encode(), JSON, more)


def static_files(folder: Path) -> dict[str, Reply]:
    """The page's files by their paths below it; the page itself is at the empty one."""
    found = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix in _TYPES:
            body = file.read_bytes()
            tag = f'"{blake2b(body, digest_size=9).hexdigest()}"'
            name = file.relative_to(folder).as_posix()
            more = (("ETag", tag), ("Cache-Control", "no-cache"))
            packed = gzip.compress(body, 9, mtime=0)
            reply = Reply(200, body, _TYPES[file.suffix], more, packed=packed)
            found["" if name == "index.html" else name] = reply
    return found


def send(reply: Reply, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Sends an answer: compressed where the asker takes that, without a body where he has it already."""
    status = _status(reply.status)
    headers = [("Content-Type", reply.kind), *reply.more, *SECURITY]
    named = dict(headers)
    if "Cache-Control" not in named:
        headers.append(("Cache-Control", "no-store"))
    if reply.status == 405:
        headers.append(("Allow", "GET, HEAD"))
    if reply.stream is not None:
        start_response(status, headers)
        return reply.stream
    if named.get("ETag", "*") in environ.get("HTTP_IF_NONE_MATCH", ""):
        start_response(_status(304), [one for one in headers if one[0] != "Content-Type"])
        return []
    body = reply.body
    if len(body) >= _LEAST_WORTH_PACKING and "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
        body = reply.packed or gzip.compress(body, 5, mtime=0)
        headers.append(("Content-Encoding", "gzip"))
    headers += [("Vary", "Accept-Encoding"), ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _status(code: int) -> str:
    return f"{code} {HTTPStatus(code).phrase}"
