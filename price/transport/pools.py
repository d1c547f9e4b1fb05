"""The libraries' pools of connections, with sockets that keep deadlines and trust that is parsed once."""

import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from price.transport.sockets import TLSSocket, connect
from price.wire import LANES

BUNDLE_NAMES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return connect(self._dns_host, self.port or 80, self.socket_options)


class _TLSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return connect(self._dns_host, self.port or 443, self.socket_options)


class Pool(HTTPConnectionPool):
    """The connections to one host."""

    ConnectionCls = _Connection


class _TLSPool(Pool, HTTPSConnectionPool):
    ConnectionCls = _TLSConnection  # type: ignore[assignment] # the libraries say so, too


class Adapter(HTTPAdapter):
    """Makes connections that keep deadlines and share one set of trusted certificates."""

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


def trust(network: Mapping[str, str]) -> ssl.SSLContext:
    """The certificates to trust: those that the usual variables name, else the system's, else certifi's.

    Raises OSError for a named file that cannot be read.
    """
    bundle = next((network[name] for name in BUNDLE_NAMES if network.get(name)), "")
    folder = network.get("SSL_CERT_DIR")
    if bundle and Path(bundle).is_dir():
        bundle, folder = "", bundle
    system = ssl.get_default_verify_paths()
    if bundle or folder:
        context = ssl.create_default_context(cafile=bundle or None, capath=None if bundle else folder)
    elif system.cafile or (system.capath and any(Path(system.capath).iterdir())):
        context = ssl.create_default_context()
    else:
        context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    context.sslsocket_class = TLSSocket
    return context
