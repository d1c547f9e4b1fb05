"""The only HTTP: one kept-alive session per host, a deadline for the whole request, a cap on the body.

A timeout given to `requests` bounds each `recv`, so an answer that drips can last for ever. Here the
sockets themselves look at the request's deadline before each read, and at how much they have read.
"""

import http.client
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH, should_bypass_proxies
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, ProxyError

from price import __version__
from price.errors import NoSuchName, SourceError, Timeout, Unreachable, Unreadable
from price.wire import LANES, Answer, Request, excerpt

MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_REDIRECTS = 2
BUNDLE_NAMES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_CHUNK_BYTES = 64 * 1024
_MAX_RECEIVED_BYTES = 2 * MAX_BODY_BYTES
"""Of one answer, with headers and framing, of which the libraries bound only a part."""
_MAX_MEMBERS = 100
_UNPACKING = threading.Lock()
"""One body at a time is unpacked, which takes twice its size."""
_HIDDEN = "***"
_LEAST_LETTERS = 8
"""Of a secret: shorter texts stand in honest answers, too."""
_TELLING_LETTERS = 6
"""So many of a secret's first letters are not told either."""
_DEFAULT_PORTS = {"http": 80, "https": 443}
_TROUBLES = (requests.RequestException, HTTPError, OSError, http.client.HTTPException, ValueError)
_CUT_OFF = (http.client.IncompleteRead, EOFError)
_NOT_HTTP = (http.client.HTTPException, HTTPError)


class _Current(threading.local):
    """The request that this thread is busy with."""

    left: Callable[[], float] = staticmethod(lambda: 0.0)
    connected: bool = False
    room: int = 0
    """How many bytes of its answer may still come."""


_current = _Current()


def _seconds_left() -> float:
    left = _current.left()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left


def _take(size: int) -> None:
    _current.room -= size
    if _current.room < 0:
        raise Unreadable(f"an answer of over {_MAX_RECEIVED_BYTES} bytes")


class _Socket(socket.socket):
    def recv_into(self, *args: Any) -> int:
        self.settimeout(_seconds_left())
        size = super().recv_into(*args)
        _take(size)
        return size

    def recv(self, *args: Any) -> bytes:
        self.settimeout(_seconds_left())
        data = super().recv(*args)
        _take(len(data))
        return data


class _TLSSocket(ssl.SSLSocket):
    def read(self, *args: Any) -> Any:
        self.settimeout(_seconds_left())
        data: Any = super().read(*args)  # their number where it was read into a buffer
        _take(data if isinstance(data, int) else len(data))
        return data


def _connect(host: str, port: int, options: Any) -> socket.socket:
    """A connection to the first address that answers; each gets its share of the time that is left."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failure: OSError = OSError("the name has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = _Socket(family, kind, protocol)
        try:
            for option in options or ():
                sock.setsockopt(*option)
            sock.settimeout(_seconds_left() / (len(addresses) - tried))
            sock.connect(address)
            sock.settimeout(_seconds_left())
        except OSError as error:
            failure = error
            sock.close()
        else:
            _current.connected = True
            return sock
    raise failure


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self._dns_host, self.port or 80, self.socket_options)


class _TLSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self._dns_host, self.port or 443, self.socket_options)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _Adapter(HTTPAdapter):
    """Makes connections that keep deadlines and share one set of trusted certificates."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._trust = trust
        super().__init__(pool_connections=2, pool_maxsize=LANES)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._trust, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=self._trust, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}
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
    context.sslsocket_class = _TLSSocket
    return context


class Transport:
    """One host: where it is, by which proxy, and its kept-alive session."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        trust: ssl.SSLContext,
        network: Mapping[str, str],
        monotonic: Callable[[], float],
    ) -> None:
        self._url = url.rstrip("/")
        self._secrets = tuple(value for value in headers.values() if len(value) >= _LEAST_LETTERS)
        self._monotonic = monotonic
        self._session = requests.Session()
        self._session.trust_env = False  # else the proxies are looked up again for each request
        self._session.proxies = _proxies(url, network)
        self._adapter = _Adapter(trust)
        self._session.mount("https://", self._adapter)
        self._session.mount("http://", self._adapter)
        named = {
            "User-Agent": f"price/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",  # else all that urllib3 could unpack
            **headers,
        }
        self._request = self._session.prepare_request(requests.Request("GET", self._url, headers=named))
        self._headers = {name: str(value) for name, value in self._request.headers.items()}
        self._pools: dict[str, HTTPConnectionPool] = {}

    def get(self, request: Request, deadline: float) -> Answer:
        """The answer to a request, complete before `deadline` (in monotonic seconds). Raises SourceError."""
        _current.left = lambda: deadline - self._monotonic()
        try:
            return self._follow(self._url + request.path)
        except SourceError as error:
            error.args = (_hidden(str(error), self._secrets),)
            raise

    def hang_up(self) -> None:
        """Closes the connections that are kept, and those in use once they are not."""
        for pool in list(self._pools.values()):
            pool.close()

    def _follow(self, url: str) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._fetch(url)
            target = answer.headers.get("location", "") if answer.status in (301, 302, 303, 307, 308) else ""
            if not target:
                return answer
            url = _redirected(url, target)
        raise Unreadable(f"more than {MAX_REDIRECTS} redirects")

    def _fetch(self, url: str) -> Answer:
        try:
            return self._exchange(url)
        except _TROUBLES as error:
            raise _reason(error) from error

    def _exchange(self, url: str) -> Answer:
        _current.connected = False
        _current.room = _MAX_RECEIVED_BYTES
        try:
            return self._send(url)
        except (HTTPError, OSError) as error:
            # a server may close a connection that was kept just as the next request leaves
            if _current.connected or not _found(error, ConnectionError):
                raise
            return self._send(url)

    def _send(self, url: str) -> Answer:
        """One exchange on the session's connections.

        Session.send is left out: what it does for cookies, hooks and history costs 125 of 350 µs a request.
        """
        origin, path = _split(url)
        pool = self._pools.get(origin) or self._pool(origin)
        forwarded = origin.startswith("http:") and "http" in self._session.proxies
        raw = pool.urlopen(
            "GET",
            url if forwarded else path,
            headers=self._headers,
            timeout=_seconds_left(),
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            return Answer(raw.status, raw.headers, self._readable(_content(raw)))
        except BaseException:
            raw.close()
            raise

    def _readable(self, body: bytes) -> bytes:
        """A body without our secrets: a server may say which key it refuses, and its words are told."""
        for secret in self._secrets:
            body = body.replace(secret.encode(), _HIDDEN.encode())
        return body

    def _pool(self, origin: str) -> HTTPConnectionPool:
        prepared = self._request.copy()
        prepared.url = origin
        proxies = self._session.proxies
        try:
            pool = self._adapter.get_connection_with_tls_context(prepared, verify=True, proxies=proxies)
        except (requests.RequestException, HTTPError, ValueError):
            if not proxies:
                raise
            # the libraries' words may hold its password
            usable = "HTTPS_PROXY and its like must be http://[user:password@]host:port"
            raise Unreachable(f"the proxy cannot be used: {usable}") from None
        return self._pools.setdefault(origin, pool)


def _hidden(text: str, secrets: Iterable[str]) -> str:
    """A text without secrets, of which an excerpt may hold but the beginning."""
    for secret in secrets:
        for length in range(len(secret), _TELLING_LETTERS - 1, -1):
            text = text.replace(secret[:length], _HIDDEN)
    return text


def _split(url: str) -> tuple[str, str]:
    """A URL's scheme://host:port, and the rest of it."""
    scheme, _, host, *path = url.split("/", 3)
    return f"{scheme}//{host}", "/" + "".join(path)


def _content(raw: Any) -> bytes:
    """The body, unpacked. Raises Unreadable where it cannot be, unless the status says enough without it."""
    encoding = raw.headers.get("content-encoding", "identity").strip().lower()
    try:
        return _decoded(_body(raw), encoding)
    except Unreadable:
        if raw.status < 400:
            raise
        raw.close()
        return b""


def _body(raw: Any) -> bytes:
    """The body as sent. Raises Unreadable above the cap."""
    if raw.length_remaining is not None and raw.length_remaining <= MAX_BODY_BYTES:
        return bytes(raw.read(decode_content=False))
    chunks, size = [], 0
    for chunk in raw.stream(_CHUNK_BYTES, decode_content=False):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise Unreadable(f"a body of over {MAX_BODY_BYTES} bytes")
    return b"".join(chunks)


def _decoded(body: bytes, encoding: str) -> bytes:
    """The body without its compression. Raises Unreadable for another encoding than was asked for."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Unreadable(f"a body encoded as {excerpt(encoding)}, which was not asked for")
    try:
        with _UNPACKING:
            return _inflated(body, encoding)
    except zlib.error as error:
        raise Unreadable(f"a body that is not the {encoding} it is said to be: {error}") from error


def _inflated(body: bytes, encoding: str) -> bytes:
    """The body without its compression, never more of it than the cap: a small bomb holds gigabytes.

    A gzip body may consist of several members. Raises zlib.error and Unreadable.
    """
    raw_deflate = encoding == "deflate" and body[:1] != b"\x78"
    plain = b""
    for _ in range(_MAX_MEMBERS):
        inflate = zlib.decompressobj(-zlib.MAX_WBITS if raw_deflate else zlib.MAX_WBITS | 32)
        plain += inflate.decompress(body, MAX_BODY_BYTES + 1 - len(plain))
        if len(plain) > MAX_BODY_BYTES:
            raise Unreadable(f"a body of over {MAX_BODY_BYTES} bytes")
        if not inflate.eof:
            raise Unreadable("a compressed body that ends too early")
        body = inflate.unused_data.lstrip(b"\0")  # padding is usual
        if not body:
            return plain
    raise Unreadable(f"a compressed body of over {_MAX_MEMBERS} members")


def _redirected(url: str, target: str) -> str:
    """Where a redirect leads. Raises Unreadable unless it is the same server, or its host's usual https."""
    old = urlsplit(url)
    try:
        new = urlsplit(urljoin(url, target))
        place = _place(new)
    except ValueError:
        place = None
    if place == _place(old):
        host = old.netloc
    elif place == ("https", old.hostname, _DEFAULT_PORTS["https"]) and old.scheme == "http":
        host = old.netloc.removesuffix(f":{old.port}")
    else:
        raise Unreadable(f"a redirect to {excerpt(target)}, which is not followed")
    return new._replace(netloc=host, path=new.path or "/", fragment="").geturl()


def _place(parts: SplitResult) -> tuple[str, str | None, int | None]:
    """The server that a URL names. Raises ValueError for a port that is none."""
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)


def _proxies(url: str, network: Mapping[str, str]) -> dict[str, str]:
    """The proxy for each scheme by the usual variables, whose values `network` holds by upper-case name."""
    no_proxy = network.get("NO_PROXY", "")
    if no_proxy and should_bypass_proxies(url, no_proxy):
        return {}
    named = {
        scheme: network.get(f"{scheme.upper()}_PROXY") or network.get("ALL_PROXY")
        for scheme in _DEFAULT_PORTS
    }
    return {scheme: proxy for scheme, proxy in named.items() if proxy}


def _found(error: BaseException, kind: type[BaseException] | tuple[type[BaseException], ...]) -> Any:
    """The first error of a kind among an error and those that led to it; None where there is none."""
    seen: set[int] = set()
    queue: list[object] = [error]
    while queue:
        item = queue.pop(0)
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        if isinstance(item, kind):
            return item
        seen.add(id(item))
        queue += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]
    return None


def _reason(error: Exception) -> SourceError:
    """What a failed request means."""
    if isinstance(error, SourceError):
        return error
    if _found(error, (TimeoutError, requests.Timeout)):
        return Timeout("no complete answer in time")
    if isinstance(error, requests.RequestException):
        return Unreachable(f"connection failed: {excerpt(str(error))}")
    if proxied := _found(error, ProxyError):
        return Unreachable(f"the proxy failed: {excerpt(str(proxied.original_error))}")
    if unnamed := _found(error, socket.gaierror):
        # a resolver that does not answer is our network's trouble, not the end of the name
        kind = Unreachable if unnamed.errno == socket.EAI_AGAIN else NoSuchName
        return kind(f"its name does not resolve: {unnamed.strerror}")
    if refused := _found(error, ssl.SSLCertVerificationError):
        return Unreachable(f"its certificate is not accepted: {refused.verify_message}")
    if refused := _found(error, ssl.SSLError):
        return Unreachable(f"TLS failed: {refused.reason or refused}")
    if broken := _found(error, OSError):
        return Unreachable(f"connection failed: {excerpt(broken.strerror or str(broken))}")
    if _found(error, _CUT_OFF) or "ended prematurely" in str(error):  # urllib3 has no kind for the latter
        return Unreachable("connection closed before a complete answer")
    if odd := _found(error, _NOT_HTTP):
        return Unreadable(f"not HTTP: {excerpt(repr(odd))}")
    return Unreachable(f"connection failed: {excerpt(str(error))}")
