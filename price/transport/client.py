"""One host, asked over HTTP: kept connections, a deadline for the whole request, a few redirects."""

import ssl
import threading
import zlib
from collections.abc import Callable, Mapping

from urllib3.exceptions import HTTPError

from price import __version__
from price.errors import SourceError, Unreachable, Unreadable
from price.model import Answer, Request
from price.transport.connections import MAX_BODY_BYTES, Connection, Limits, Response, within_cap
from price.transport.failures import TROUBLES, found, reason
from price.transport.pools import Pool, Pools
from price.transport.proxies import proxies_for
from price.transport.redirects import normal, redirected
from price.transport.secrets import Secrets
from price.wire import REDIRECTS, excerpt

MAX_REDIRECTS = 2
_PROXY_AUTHENTICATION_REQUIRED = 407
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
        self._url = normal(url).rstrip("/")
        self._headers = {
            "User-Agent": f"price/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            **headers,
        }
        self._secrets = Secrets(headers.values())
        self._monotonic = monotonic
        self._pools = Pools(trust, proxies_for(self._url, network))

    def get(self, request: Request, deadline: float) -> Answer:
        """The answer to a request, complete before `deadline` (in monotonic seconds). Raises SourceError."""
        try:
            return self._follow(self._url + request.path, lambda: deadline - self._monotonic())
        except SourceError as error:
            error.args = (self._secrets.hidden_in_excerpt(str(error)),)
            raise

    def hang_up(self) -> None:
        """Closes the connections that are kept, and those in use once they are not."""
        self._pools.close()

    def _follow(self, url: str, left: Callable[[], float]) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            try:
                answer = self._exchange(url, left)
            except TROUBLES as error:
                raise reason(error) from error
            target = answer.headers.get("location", "") if answer.status in REDIRECTS else ""
            if not target:
                return answer
            url = redirected(url, target)
        raise Unreadable(f"more than {MAX_REDIRECTS} redirects")

    def _exchange(self, url: str, left: Callable[[], float]) -> Answer:
        """One request and its answer, on a kept connection if there is one that is still good."""
        origin, path = _split(url)
        pool = self._pools.at(origin)
        connection = pool.take()
        kept = connection.sock is not None
        connection.limits = Limits(left)
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

    def _asked(self, pool: Pool, connection: Connection, origin: str, path: str) -> Answer:
        """The answer on a connection, which is closed afterwards unless nothing about the answer was odd."""
        usual = False
        forwarded = origin.startswith("http:") and pool.proxy is not None
        try:
            if connection.sock is None:
                pool.open(connection, tunnelled=not forwarded)
            headers = {**self._headers, **pool.proxy_headers} if forwarded else self._headers
            with connection.ask(_text(origin, path, headers, forwarded=forwarded)) as response:
                body = _body_of(response)
                usual = response.usual
        finally:
            if not usual:
                connection.close()
        if forwarded and response.status == _PROXY_AUTHENTICATION_REQUIRED:
            raise Unreachable(f"the proxy failed: HTTP {response.status} {excerpt(response.reason)}")
        named = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, named, self._secrets.hidden_in(body))


def _text(origin: str, path: str, headers: Mapping[str, str], *, forwarded: bool) -> bytes:
    """A GET as it is sent (RFC 9112, section 3). Raises ValueError for what is not ASCII."""
    host = origin.partition("//")[2]
    lines = [f"GET {origin if forwarded else ''}{path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "\r\n"]).encode("ascii")


def _body_of(response: Response) -> bytes:
    """The body, unpacked. Raises Unreadable where it cannot be, unless the status says enough without it."""
    encoding = (response.getheader("content-encoding") or "identity").strip().lower()
    try:
        return decoded(response.body(), encoding)
    except Unreadable:
        if response.status < 400:
            raise
        return b""


def decoded(body: bytes, encoding: str) -> bytes:
    """The body without its compression. Raises Unreadable for another encoding than was asked for."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Unreadable(f"a body encoded as {excerpt(encoding)}, which was not asked for")
    bare = encoding == "deflate" and body[:1] != b"\x78"  # some servers leave out the envelope
    try:
        with _UNPACKING:
            return _inflated(body, -zlib.MAX_WBITS if bare else zlib.MAX_WBITS | 32)
    except zlib.error as error:
        raise Unreadable(f"a body that is not the {encoding} it is said to be: {error}") from error


def _inflated(body: bytes, wbits: int) -> bytes:
    """The body without its compression, never more of it than the cap: a small bomb holds gigabytes.

    Not left to urllib3, which accepts a gzip body without its end, or with other bytes behind it. A
    gzip body may consist of several members. Raises zlib.error and Unreadable.
    """
    plain = b""
    for _ in range(_MAX_MEMBERS):
        inflate = zlib.decompressobj(wbits)
        plain += inflate.decompress(body, MAX_BODY_BYTES + 1 - len(plain))
        within_cap(len(plain))
        if not inflate.eof:
            raise Unreadable("a compressed body that ends too early")
        body = inflate.unused_data.lstrip(b"\0")  # padding is usual
        if not body:
            return plain
    raise Unreadable(f"a compressed body of over {_MAX_MEMBERS} members")


def _split(url: str) -> tuple[str, str]:
    """A URL's scheme://host:port, and the rest of it."""
    scheme, _, host, *path = url.split("/", 3)
    return f"{scheme}//{host}", "/" + "".join(path)
