"""Where connections come from: urllib3's pools, which requests chooses for a host, with proxies and TLS."""

import http.client
import ssl
from collections.abc import Mapping
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
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


_POOLS = {"http": Pool, "https": _TLSPool}


class Adapter(HTTPAdapter):
    """Makes pools that share one set of trusted certificates."""

    def __init__(self, trust: ssl.SSLContext, proxies: Mapping[str, str]) -> None:
        """`proxies` has the proxy for each scheme that has one."""
        self._trust = trust
        self._proxies = dict(proxies)
        super().__init__(pool_connections=2, pool_maxsize=LANES + 1)

    def pool(self, origin: str) -> Pool:
        """The pool for scheme://host:port. Raises Unreachable for a proxy that cannot be."""
        prepared = requests.Request("GET", origin).prepare()
        try:
            found: Any = self.get_connection_with_tls_context(prepared, True, proxies=self._proxies)
        except (requests.RequestException, HTTPError, ValueError):
            if not self._proxies:
                raise
            # the libraries' words may hold its password
            usable = "HTTPS_PROXY and its like must be http://[user:password@]host:port"
            raise Unreachable(f"the proxy cannot be used: {usable}") from None
        return cast(Pool, found)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._trust, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=self._trust, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to load: the context holds the trust, parsed once (22 ms that a reconnect need not pay)."""
