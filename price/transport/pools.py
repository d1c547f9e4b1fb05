"""Where connections come from: urllib3's pools, with proxies and TLS."""

import http.client
import ssl
from collections.abc import Mapping
from typing import Any, cast

from requests.utils import get_auth_from_url, prepend_scheme_if_needed
from urllib3 import PoolManager, ProxyManager, make_headers
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, ProxyError

from price.errors import Unreachable
from price.transport.connections import Connection, TLSConnection
from price.wire import LANES


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
    ConnectionCls = TLSConnection


class Pools:
    """The connections of one exchange. They share one set of trusted certificates."""

    def __init__(self, trust: ssl.SSLContext, proxies: Mapping[str, str]) -> None:
        """`proxies` has the proxy for each scheme that has one."""
        self._trust = trust
        self._proxies = proxies
        self._pools: dict[str, Pool] = {}

    def at(self, origin: str) -> Pool:
        """The pool for scheme://host:port. Raises Unreachable for a proxy that cannot be."""
        return self._pools.get(origin) or self._pools.setdefault(origin, self._made(origin))

    def close(self) -> None:
        """Closes the connections that are kept, and those in use once they are not."""
        for pool in list(self._pools.values()):
            pool.close()

    def _made(self, origin: str) -> Pool:
        options: dict[str, Any] = {"maxsize": LANES + 1, "ssl_context": self._trust}
        proxy = self._proxies.get(origin.partition(":")[0])
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
