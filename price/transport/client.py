"""One host, asked over HTTP: kept connections, a deadline for the whole request, a few redirects."""

import ssl
import threading
import zlib
from collections.abc import Callable, Iterable, Mapping
from http.client import HTTPResponse
from typing import cast
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError

from price import __version__
from price.errors import SourceError, Unreachable, Unreadable
from price.model import Answer, Request
from price.transport.connections import MAX_BODY_BYTES, Adapter, Pool, ask, current, expect_head
from price.transport.failures import TROUBLES, found, reason
from price.transport.proxies import DEFAULT_PORTS, proxies_for
from price.wire import REDIRECTS, excerpt

MAX_REDIRECTS = 2
_PROXY_AUTHENTICATION_REQUIRED = 407
_HIDDEN = "***"
_LEAST_LETTERS = 8
"""Of a secret: shorter texts stand in honest answers, too."""
_TELLING_LETTERS = 6
"""So many of a secret's first letters are not told either."""
_PIECE_BYTES = 64 * 1024
_MAX_MEMBERS = 100
_UNPACKING = threading.Lock()
"""One body at a time is unpacked, which takes twice its size."""


class Transport:
    """One host: where it is, by which proxy, and its kept connections."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        trust: ssl.SSLContext,
        network: Mapping[str, str],
        monotonic: Callable[[], float],
    ) -> None:
        self._url = _normal(url).rstrip("/")
        self._headers = {
            "User-Agent": f"price/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            **headers,
        }
        self._secrets = tuple(value for value in headers.values() if len(value) >= _LEAST_LETTERS)
        self._monotonic = monotonic
        self._proxies = proxies_for(self._url, network)
        self._adapter = Adapter(trust)
        self._pools: dict[str, Pool] = {}

    def get(self, request: Request, deadline: float) -> Answer:
        """The answer to a request, complete before `deadline` (in monotonic seconds). Raises SourceError."""
        current.left = lambda: deadline - self._monotonic()
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
            try:
                answer = self._exchange(url)
            except TROUBLES as error:
                raise reason(error) from error
            target = answer.headers.get("location", "") if answer.status in REDIRECTS else ""
            if not target:
                return answer
            url = _redirected(url, target)
        raise Unreadable(f"more than {MAX_REDIRECTS} redirects")

    def _exchange(self, url: str) -> Answer:
        """One request and its answer, on a kept connection if there is one that is still good."""
        origin, path = _split(url)
        pool = self._pools.get(origin) or self._pool(origin)
        connection = pool.take()
        kept = connection.sock is not None
        try:
            try:
                return self._asked(pool, connection, origin, path)
            except (HTTPError, OSError) as error:
                # a server may close a connection that was kept just as the next request leaves
                if not kept or not found(error, ConnectionError):
                    raise
                return self._asked(pool, connection, origin, path)
        finally:
            pool.put(connection)

    def _asked(self, pool: Pool, connection: HTTPConnection, origin: str, path: str) -> Answer:
        """The answer on a connection, which is closed afterwards unless all was as it ought to be."""
        usual = False
        forwarded = origin.startswith("http:") and pool.proxy is not None
        try:
            expect_head()
            if connection.sock is None:
                pool.open(connection, tunnelled=not forwarded)
            headers = {**self._headers, **pool.proxy_headers} if forwarded else self._headers
            response = ask(connection, _text(origin, path, headers, forwarded=forwarded))
            with response:
                body = _body_of(response)
                usual = response.usual
        finally:
            if not usual:
                connection.close()
        if forwarded and response.status == _PROXY_AUTHENTICATION_REQUIRED:
            raise Unreachable(f"the proxy failed: HTTP {response.status} {excerpt(response.reason)}")
        named = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, named, self._readable(body))

    def _readable(self, body: bytes) -> bytes:
        """A body without our secrets: a server may say which key it refuses, and its words are told."""
        for secret in self._secrets:
            body = body.replace(secret.encode(), _HIDDEN.encode())
        return body

    def _pool(self, origin: str) -> Pool:
        try:
            prepared = requests.Request("GET", origin).prepare()
            pool = self._adapter.get_connection_with_tls_context(prepared, True, proxies=self._proxies)
        except (requests.RequestException, HTTPError, ValueError):
            if not self._proxies:
                raise
            # the libraries' words may hold its password
            usable = "HTTPS_PROXY and its like must be http://[user:password@]host:port"
            raise Unreachable(f"the proxy cannot be used: {usable}") from None
        return self._pools.setdefault(origin, cast(Pool, pool))


def _text(origin: str, path: str, headers: Mapping[str, str], *, forwarded: bool) -> bytes:
    """A GET as it is sent (RFC 9112, section 3). Raises ValueError for what is not ASCII."""
    host = origin.partition("//")[2]
    lines = [f"GET {origin if forwarded else ''}{path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "\r\n"]).encode("ascii")


def _body_of(response: HTTPResponse) -> bytes:
    """The body, unpacked. Raises Unreadable where it cannot be, unless the status says enough without it."""
    encoding = (response.getheader("content-encoding") or "identity").strip().lower()
    try:
        return decoded(_received(response), encoding)
    except Unreadable:
        if response.status < 400:
            raise
        return b""


def _received(response: HTTPResponse) -> bytes:
    """The body as sent. Raises Unreadable above the cap, and before any of it is read where it says so."""
    if response.length is not None:
        _within(MAX_BODY_BYTES, response.length)
        return response.read()
    pieces, size = [], 0
    while piece := response.read(_PIECE_BYTES):
        pieces.append(piece)
        size += len(piece)
        _within(MAX_BODY_BYTES, size)
    return b"".join(pieces)


def _within(most: int, size: int) -> None:
    if size > most:
        raise Unreadable(f"a body of over {most} bytes")


def decoded(body: bytes, encoding: str) -> bytes:
    """The body without its compression. Raises Unreadable for another encoding than was asked for."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Unreadable(f"a body encoded as {excerpt(encoding)}, which was not asked for")
    try:
        with _UNPACKING:
            return _inflated(body, -zlib.MAX_WBITS if _is_bare(body, encoding) else zlib.MAX_WBITS | 32)
    except zlib.error as error:
        raise Unreadable(f"a body that is not the {encoding} it is said to be: {error}") from error


def _is_bare(body: bytes, encoding: str) -> bool:
    """Whether a body is what some servers send for deflate: without the envelope that it ought to have."""
    return encoding == "deflate" and body[:1] != b"\x78"


def _inflated(body: bytes, wbits: int) -> bytes:
    """The body without its compression, never more of it than the cap: a small bomb holds gigabytes.

    Not left to urllib3, which takes a gzip body without its end, or with other bytes behind it, for whole. A
    gzip body may consist of several members. Raises zlib.error and Unreadable.
    """
    plain = b""
    for _ in range(_MAX_MEMBERS):
        inflate = zlib.decompressobj(wbits)
        plain += inflate.decompress(body, MAX_BODY_BYTES + 1 - len(plain))
        _within(MAX_BODY_BYTES, len(plain))
        if not inflate.eof:
            raise Unreadable("a compressed body that ends too early")
        body = inflate.unused_data.lstrip(b"\0")  # padding is usual
        if not body:
            return plain
    raise Unreadable(f"a compressed body of over {_MAX_MEMBERS} members")


def _normal(url: str) -> str:
    """A URL in ASCII, quoted where it has to be. Raises ValueError for one that cannot be."""
    return requests.Request("GET", url).prepare().url or ""


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
    elif place == ("https", old.hostname, DEFAULT_PORTS["https"]) and old.scheme == "http":
        host = old.netloc.removesuffix(f":{old.port}")
    else:
        raise Unreadable(f"a redirect to {excerpt(target)}, which is not followed")
    return _normal(new._replace(netloc=host, fragment="").geturl())


def _place(parts: SplitResult) -> tuple[str, str | None, int | None]:
    """The server that a URL names. Raises ValueError for a port that is none."""
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)
