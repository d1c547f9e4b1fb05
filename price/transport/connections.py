"""The libraries' connections: made by urllib3, proxies and TLS included, and read by http.client.

Their sockets keep a deadline for the whole request, bound an answer, and notice what nobody asked for: a
timeout given to `requests` bounds each `recv`, so an answer that drips can last for ever. urllib3's own way
to ask (`urlopen`) and to read takes 0.5 ms a request, more than all else that a slot costs: see
docs/decisions/0008.
"""

import errno
import http.client
import io
import re
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ProxyError

from price.errors import Unreadable
from price.wire import LANES, excerpt

MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_HEAD_BYTES = 256 * 1024
"""Of an answer's headers and the interim answers before it, of which http.client bounds only a part."""
_MAX_FRAMED_BYTES = 2 * MAX_BODY_BYTES
"""Of an answer's body with its framing."""
MAX_INTERIM = 20
_SWITCHING_PROTOCOLS = 101
_LENGTH = re.compile(r"[0-9]{1,18}")


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


class Response(http.client.HTTPResponse):
    """An answer, without the interim ones before it (RFC 9110, section 15.2); http.client knows only 100."""

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
        """Raises Unreadable where it is not told in one way where the body ends: http.client would guess."""
        lengths = set(self.headers.get_all("content-length", ()))
        codings = [coding.strip().lower() for coding in self.headers.get_all("transfer-encoding", ())]
        if len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
            raise Unreadable(f"a body whose length is {excerpt(', '.join(sorted(lengths)))}")
        if codings not in ([], ["chunked"]) or (codings and lengths):
            raise Unreadable(f"a body framed as {excerpt(', '.join([*codings, *lengths]))}")

    @property
    def usual(self) -> bool:
        """Whether nothing about it speaks against another request on its connection."""
        told = self.version == 11 and self.status < 600 and not self.headers.defects
        return told and self.isclosed() and not self.will_close


class _Connection(HTTPConnection):
    response_class = Response  # of a proxy's answer to CONNECT

    @property
    def is_connected(self) -> bool:
        """Whether it can be used again: nothing has come on it that nobody asked for."""
        return super().is_connected and not has_surplus(self.sock)

    def _new_conn(self) -> socket.socket:
        return connect(self._dns_host, self.port or self.default_port, self.socket_options)


class _TLSConnection(_Connection, HTTPSConnection):
    """The same with TLS."""


class Pool(HTTPConnectionPool):
    """The connections to one host."""

    ConnectionCls = _Connection

    def take(self) -> HTTPConnection:
        """A kept connection, else one that is not open yet. Raises HTTPError once the pool is closed."""
        connection: Any = self._get_conn()
        return connection  # type: ignore[no-any-return]

    def put(self, connection: HTTPConnection) -> None:
        """Keeps a connection, open or not; closes it where the pool is closed."""
        self._put_conn(connection)

    def open(self, connection: HTTPConnection, *, tunnelled: bool) -> None:
        """Opens a connection, through the proxy where there is one. Raises what the libraries raise."""
        try:
            if self.proxy and tunnelled:
                self._prepare_proxy(connection)
            else:
                connection.connect()
        except (OSError, http.client.HTTPException) as error:
            if self.proxy and not connection.has_connected_to_proxy:
                raise ProxyError("the proxy failed", error) from error
            raise


class _TLSPool(Pool, HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


def ask(connection: HTTPConnection, text: bytes) -> Response:
    """Sends a request on an open connection; the head of the answer, its body still to be read."""
    expect_head()
    connection.send(text)
    response = Response(connection.sock, method="GET")
    try:
        response.begin()
    except BaseException:
        response.close()
        raise
    expect_body()
    return response


class Adapter(HTTPAdapter):
    """Makes pools of connections that keep deadlines and share one set of trusted certificates."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._trust = trust
        super().__init__(pool_connections=2, pool_maxsize=LANES + 1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._trust, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": Pool, "https": _TLSPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=self._trust, **kwargs)
        manager.pool_classes_by_scheme = {"http": Pool, "https": _TLSPool}
        return manager

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to load: the context holds the trust, parsed once (22 ms that a reconnect need not pay)."""
