"""HTTP as bytes: what was asked, what is replied, and the connection that both go over."""

import contextlib
import select
import socket
import struct
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

MAX_REQUEST = 64 * 1024
MIRROR = "/mirror"
"""Below this prefix everything is answered as without it: for mirrors, proxies and redirects."""


class Gone(Exception):
    """The other side went away, or this server is stopping."""


class BadQuery(Exception):
    """A request whose parameters cannot be read."""


class Ask(NamedTuple):
    """One request as received; header names are in lower case."""

    method: str
    target: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def parts(self) -> list[str]:
        """The names of the path, without the mirror's prefix."""
        return self.path.removeprefix(MIRROR).strip("/").split("/")

    def number(self, name: str, default: int) -> int:
        """A whole number from the query."""
        try:
            return int(self.query.get(name, default))
        except ValueError as error:
            raise BadQuery(name) from error

    @property
    def closing(self) -> bool:
        """Whether the client wants the connection closed after the answer."""
        return self.headers.get("connection", "").lower() == "close"


def read_ask(head: bytes) -> Ask | None:
    """The request in a block of header lines; None where it is none."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3:
        return None
    target = urlsplit(words[1])
    fields = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in fields}
    return Ask(words[0], words[1], target.path, dict(parse_qsl(target.query)), headers)


class Reply(NamedTuple):
    """One HTTP answer, not yet framed."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def head(self, framing: str = "") -> bytes:
        """Status line and headers; `framing` says how long the body is, truly unless told otherwise."""
        phrase = HTTPStatus(self.status).phrase if self.status in set(HTTPStatus) else "Unknown"
        lines = [f"HTTP/1.1 {self.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines.append(framing or f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "\r\n"]).encode("latin-1")


class Line:
    """One connection of a client, and the few things that can be done with it."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._read = b""

    def ask(self) -> Ask | None:
        """The next request; None where the client is done or talks something else."""
        while b"\r\n\r\n" not in self._read:
            more = self.connection.recv(MAX_REQUEST)
            if not more or len(self._read) > MAX_REQUEST:
                return None
            self._read += more
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        return read_ask(head)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.connection.sendall(data)

    def pause(self, seconds: float | None = None) -> None:
        """Wait, without end where no time is given. Raises Gone as soon as the client hangs up."""
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLRDHUP)
        if poll.poll(None if seconds is None else seconds * 1000):
            raise Gone

    def reset(self) -> None:
        """Let closing be a TCP reset rather than a goodbye."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def cut(self) -> None:
        """End the connection from another thread; its own thread then closes it."""
        with contextlib.suppress(OSError):
            # the plain method: a TLS socket's own would pull its state away under the other thread
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket."""
        self.connection.close()
