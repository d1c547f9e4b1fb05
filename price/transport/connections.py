"""Where connections come from: urllib3's pools, with proxies, names, TLS, and a deadline for each."""

import http.client
import socket
import ssl
from collections.abc import Iterable
from typing import Any, cast

from requests.utils import get_auth_from_url, prepend_scheme_if_needed
from urllib3 import PoolManager, ProxyManager, make_headers
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, ProxyError

from price.errors import Unreachable
from price.transport.answers import Response, SecondsLeft
from price.wire import MOST_THREADS


class Connection(HTTPConnection):
    """A connection, open or not."""

    left: SecondsLeft
    """That of the request that it is busy with."""

    def response_class(self, sock: Any, method: str) -> Response:  # type: ignore[override]
        """A proxy's answer to CONNECT, of which the libraries ask this."""
        return Response(sock, self.left, method=method)

    def _new_conn(self) -> socket.socket:
        port = self.port or self.default_port
        return _connected(self._dns_host, port, self.socket_options or (), self.left)


class _TLSConnection(Connection, HTTPSConnection):
    """The same with TLS."""


class Pool(HTTPConnectionPool):
    """The connections to one host."""

    ConnectionCls = Connection

    def take(self) -> Connection:
        """A kept connection, else one that is not open yet. Raises HTTPError once the pool is closed."""
        return cast(Connection, self._get_conn())

    def put(self, connection: Connection) -> None:
        """Keeps a connection, open or not; closes it where the pool is closed."""
        self._put_conn(connection)

    def open(self, connection: Connection, *, tunnelled: bool) -> None:
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


def pool_at(origin: str, trust: ssl.SSLContext, proxy: str | None) -> Pool:
    """A pool for scheme://host:port. Raises Unreachable for a proxy that cannot be."""
    options: dict[str, Any] = {"maxsize": MOST_THREADS + 1, "ssl_context": trust}
    try:
        if proxy:
            proxy = _plain(proxy)
            user, password = get_auth_from_url(proxy)
            headers = make_headers(proxy_basic_auth=f"{user}:{password}") if user else {}
            manager: PoolManager = ProxyManager(proxy, proxy_headers=headers, **options)
        else:
            manager = PoolManager(**options)
        manager.pool_classes_by_scheme = {"http": Pool, "https": _TLSPool}
        return cast(Pool, manager.connection_from_url(origin))
    except (HTTPError, ValueError):
        if not proxy:
            raise
        # the library's words may hold its password
        usable = "HTTPS_PROXY and its like must be http://[user:password@]host:port"
        raise Unreachable(f"the proxy cannot be used: {usable}") from None


def _plain(proxy: str) -> str:
    """The URL of a proxy. Raises ValueError unless plain HTTP leads there: TLS in TLS has no deadline."""
    url = prepend_scheme_if_needed(proxy, "http")
    if not url.startswith("http://"):
        raise ValueError("a proxy of another scheme than http")
    return url


def _connected(
    host: str,
    port: int,
    options: Iterable[tuple[int, int, int | bytes]],
    left: SecondsLeft,
) -> socket.socket:
    """A connection to the first address that answers; each has its share of the time that is left.

    Raises OSError: TimeoutError after the deadline, else what the last address failed with.
    """
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failure: OSError = OSError("the name has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options:
                sock.setsockopt(*option)
            sock.settimeout(left() / (len(addresses) - tried))
            sock.connect(address)
            sock.settimeout(left())
        except OSError as error:
            failure = error
            sock.close()
        else:
            return sock
    raise failure
