"""One host, asked over HTTP: kept connections, a deadline for the whole request, a few redirects."""

import ssl
from collections.abc import Callable, Mapping
from functools import partial
from typing import cast

from urllib3.exceptions import HTTPError

from price import __version__
from price.errors import SourceError, Unreachable, Unreadable
from price.model import Answer, Request
from price.transport.answers import MAX_BODY_BYTES, Response, SecondsLeft
from price.transport.connections import Pool, pool_at
from price.transport.failures import TROUBLES, found, reason
from price.transport.secrets import Secrets
from price.transport.urls import normal, proxies_for, redirected
from price.wire import REDIRECTS, Begun, excerpt

MAX_REDIRECTS = 2
_PROXY_AUTHENTICATION_REQUIRED = 407
_SMALL_BYTES = 64 * 1024


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
        self._trust = trust
        self._proxies = proxies_for(self._url, network)
        self._pools: dict[str, Pool] = {}

    def get(self, request: Request, deadline: float, begun: "_Exchange | None" = None) -> Answer:
        """The answer to a request, complete before `deadline` (in monotonic seconds). Raises SourceError."""

        def left() -> float:
            seconds = deadline - self._monotonic()
            if seconds <= 0:
                raise TimeoutError("the deadline has passed")
            return seconds

        try:
            return self._secrets.hidden_in(self._follow(begun, self._url + request.path, left))
        except SourceError as error:
            error.args = (self._secrets.hidden_in_excerpt(str(error)),)
            raise

    def begin(self, request: Request) -> Begun | None:
        """Sends a request if that needs no waiting; None where it does, or fails: `get` finds out why."""
        try:
            exchange = self._exchange(self._url + request.path)
        except (SourceError, *TROUBLES):
            return None
        fileno = exchange.send_now()
        if fileno is None:
            return None
        return Begun(fileno, partial(self._arrived, exchange), partial(self.get, begun=exchange))

    def hang_up(self) -> None:
        """Closes the connections that are kept, and those in use once they are not."""
        for pool in list(self._pools.values()):
            pool.close()

    def _arrived(self, exchange: "_Exchange") -> Answer | None:
        answer = exchange.arrived()
        return answer and self._secrets.hidden_in(answer)

    def _follow(self, exchange: "_Exchange | None", url: str, left: SecondsLeft) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            try:
                answer = (exchange or self._exchange(url)).answer(left)
            except TROUBLES as error:
                raise reason(error) from error
            target = answer.headers.get("location", "") if answer.status in REDIRECTS else ""
            if not target:
                return answer
            exchange, url = None, redirected(url, target)
        raise Unreadable(f"more than {MAX_REDIRECTS} redirects")

    def _exchange(self, url: str) -> "_Exchange":
        scheme, _, host, *path = url.split("/", 3)
        origin = f"{scheme}//{host}"
        if origin not in self._pools:  # of two threads that make one, the second finds the first's
            made = pool_at(origin, self._trust, self._proxies.get(scheme.rstrip(":")))
            self._pools.setdefault(origin, made)
        return _Exchange(self._pools[origin], origin, "/" + "".join(path), self._headers)


class _Exchange:
    """One GET. Its connection is kept afterwards unless anything about the answer was odd."""

    def __init__(self, pool: Pool, origin: str, path: str, headers: Mapping[str, str]) -> None:
        """Takes a connection: a kept one, if one is still good. Raises HTTPError; ValueError for no ASCII."""
        self._forwarded = origin.startswith("http:") and pool.proxy is not None
        if self._forwarded:
            path, headers = origin + path, {**headers, **pool.proxy_headers}
        self._text = _text(path, origin.partition("//")[2], headers)
        self._pool = pool
        self._connection = pool.take()
        self._kept = self._connection.sock is not None
        self._sent = False
        self._came = b""

    def send_now(self) -> int | None:
        """Sends the request if a connection is kept and takes it without waiting; returns its descriptor.

        None where it did not: the exchange is over, and nobody has been asked.
        """
        connection = self._connection
        if self._kept:
            try:
                connection.sock.settimeout(0)
                connection.send(self._text)
            except OSError:
                connection.close()
            else:
                self._sent = True
                return cast(int, connection.sock.fileno())
        self._pool.put(connection)
        return None

    def arrived(self) -> Answer | None:
        """The answer to what was sent, where it has come as a whole and nothing about it is odd.

        It waits for nothing, and leaves to `answer` what a server can make long or hard: answers in
        pieces or above 64 KiB, redirects, and every failure. `answer` begins with what has come here.
        """
        sock = self._connection.sock
        try:
            self._came = sock.recv(_SMALL_BYTES)
            with Response(sock, None, self._came) as response:
                answer = self._read(response, _SMALL_BYTES)
                plain = response.usual and answer.status not in REDIRECTS
        except (SourceError, *TROUBLES):
            return None
        if not plain:
            return None
        self._pool.put(self._connection)
        return answer

    def answer(self, left: SecondsLeft) -> Answer:
        """Waits for the answer; asks first unless that is done. Raises SourceError and TROUBLES."""
        self._connection.left = left
        try:
            try:
                return self._waited(left)
            except (HTTPError, OSError) as error:
                # a server may close a connection that was kept just as the next request leaves
                if not self._kept or not found(error, ConnectionError):
                    raise
                self._sent = False
                return self._waited(left)
        finally:
            self._pool.put(self._connection)

    def _waited(self, left: SecondsLeft) -> Answer:
        usual, connection = False, self._connection
        try:
            if connection.sock is None:
                self._pool.open(connection, tunnelled=not self._forwarded)
            if not self._sent:
                self._came = b""
                connection.sock.settimeout(left())
                connection.send(self._text)
            with Response(connection.sock, left, self._came) as response:
                answer = self._read(response)
                usual = response.usual
        finally:
            if not usual:
                connection.close()
        return answer

    def _read(self, response: Response, cap: int = MAX_BODY_BYTES) -> Answer:
        response.begin()
        answer = response.answer(cap)
        if self._forwarded and answer.status == _PROXY_AUTHENTICATION_REQUIRED:
            raise Unreachable(f"the proxy failed: HTTP {answer.status} {excerpt(response.reason)}")
        return answer


def _text(target: str, host: str, headers: Mapping[str, str]) -> bytes:
    """A GET as it is sent (RFC 9112, section 3). Raises ValueError for what is not ASCII."""
    lines = [f"GET {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "\r\n"]).encode("ascii")
