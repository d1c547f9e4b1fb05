"""The libraries' connections: made by urllib3, proxies and TLS included, and read by http.client.

urllib3's own way to ask on them (`urlopen`) and to read from them takes 0.5 ms a request, more than all else
that a slot costs: see docs/decisions/0008.
"""

import http.client
import re
import socket
import ssl
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ProxyError

from price.errors import Unreadable
from price.transport.sockets import connect, expect_body, expect_head, has_surplus
from price.wire import LANES, excerpt

MAX_INTERIM = 20
_SWITCHING_PROTOCOLS = 101
_LENGTH = re.compile(r"[0-9]{1,18}")


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
