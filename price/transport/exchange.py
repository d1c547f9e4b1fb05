"""One request and its answer, on a connection of a pool."""

from collections.abc import Mapping

from urllib3.exceptions import HTTPError

from price.errors import SourceError, Unreachable
from price.model import Answer
from price.transport.answers import MAX_BODY_BYTES, Limits, Response
from price.transport.connections import Pool
from price.transport.failures import TROUBLES, found
from price.wire import REDIRECTS, excerpt

_PROXY_AUTHENTICATION_REQUIRED = 407
_SMALL_BYTES = 64 * 1024


class Exchange:
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

    @property
    def fileno(self) -> int:
        """The descriptor of its open connection."""
        fileno: int = self._connection.sock.fileno()
        return fileno

    def send_now(self) -> bool:
        """Sends the request if a connection is kept and takes it without waiting; whether it did.

        Where it did not, the exchange is over, and nobody has been asked.
        """
        if self._kept:
            try:
                self._connection.sock.settimeout(0)
                self._connection.send(self._text)
            except OSError:
                self._connection.close()
            else:
                self._sent = True
        if not self._sent:
            self._pool.put(self._connection)
        return self._sent

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

    def answer(self, limits: Limits) -> Answer:
        """Waits for the answer; asks first unless that is done. Raises SourceError and TROUBLES."""
        self._connection.limits = limits
        try:
            try:
                return self._waited(limits)
            except (HTTPError, OSError) as error:
                # a server may close a connection that was kept just as the next request leaves
                if not self._kept or not found(error, ConnectionError):
                    raise
                self._sent = False
                return self._waited(limits)
        finally:
            self._pool.put(self._connection)

    def _waited(self, limits: Limits) -> Answer:
        usual, connection = False, self._connection
        try:
            if connection.sock is None:
                self._pool.open(connection, tunnelled=not self._forwarded)
            if not self._sent:
                self._came = b""
                connection.sock.settimeout(limits.seconds_left())
                connection.send(self._text)
            with Response(connection.sock, limits, self._came) as response:
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
