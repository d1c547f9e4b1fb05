"""Requests that are made again, word by word, on connections that are open: nothing has to be waited for.

A slot asks what the slot before it asked. To make each request anew in the libraries and to wait for its
answer in a thread is more than a third of what a slot costs: see docs/decisions/0008.
"""

from collections.abc import Callable

from price.errors import SourceError, Unreachable, Unreadable
from price.transport.bodies import decoded
from price.transport.failures import TROUBLES, reason
from price.transport.plain import MAX_BYTES, NotPlain, Plain, read
from price.transport.pools import Idle, Pool
from price.transport.sockets import current, seconds_left
from price.wire import REDIRECTS, Anew, Answer

_PIECE_BYTES = 16 * 1024
"""What a TLS record holds at most."""
_MAX_PIECES = 16
"""Each piece of an answer has all of it read again: one that drips is for the libraries."""


class Repeats:
    """The requests to one host that can be repeated: those made before, while its answers are plain."""

    def __init__(self, readable: Callable[[bytes], bytes]) -> None:
        self.readable = readable
        """What may be told of a body."""
        self._texts: dict[str, bytes] = {}
        self._plain = True

    def learn(self, url: str) -> None:
        """Notes what the exchange that this thread has just made sent to a URL."""
        if self._plain:
            self._texts[url] = current.text

    def repeat(self, url: str, pool: Pool, left: Callable[[], float]) -> "Repeated | None":
        """The request, sent again; None where it was not made before, or no connection is open and free."""
        text = self._texts.get(url)
        idle = pool.idle() if text else None
        if text is None or idle is None:
            return None
        repeated = Repeated(self, url, pool, idle, left)
        return repeated if repeated.send(text) else None

    def forget(self, url: str) -> None:
        """Has the libraries ask this URL again, which leads elsewhere now."""
        self._texts.pop(url, None)

    def stop(self) -> None:
        """An answer was not plain: the libraries make all requests from now on."""
        self._plain = False
        self._texts.clear()


class Repeated:
    """A repeated request whose answer comes in by and by."""

    def __init__(self, repeats: Repeats, url: str, pool: Pool, idle: Idle, left: Callable[[], float]) -> None:
        self._repeats = repeats
        self._url = url
        self._pool = pool
        self._connection, self._sock = idle
        self._left = left
        self._data = b""
        self._pieces = 0

    def fileno(self) -> int:
        """The descriptor to watch: it has something to read when more of the answer is here."""
        return self._sock.fileno()

    def send(self, text: bytes) -> bool:
        """Sends it; False where the connection is of no use any more."""
        try:
            self._sock.settimeout(0)
            self._sock.sendall(text)
        except OSError:
            self._give_back(closed=True)
            return False
        return True

    def hear(self) -> Answer | None:
        """The answer, once all of it is here, else None; never waits. Raises SourceError and Anew."""
        current.left = self._left
        try:
            whole = self._whole()
            answer = self._answer(whole) if whole else None
        except NotPlain as error:
            self._repeats.stop()
            self._give_back(closed=True)
            raise Anew from error
        except ConnectionError as error:
            # a server may close a connection that was kept just as the next request leaves
            self._give_back(closed=True)
            raise Anew from error
        except (SourceError, *TROUBLES) as error:
            self._give_back(closed=True)
            raise reason(error) from error
        if whole:
            self._give_back(closed=whole.last)
        if answer and answer.status in REDIRECTS:
            self._repeats.forget(self._url)
            raise Anew
        return answer

    def _whole(self) -> Plain | None:
        """What has come, where that is all. Raises NotPlain, SourceError and OSError."""
        seconds_left()
        while (piece := self._sock.here(_PIECE_BYTES)) is not None:
            if not piece and self._data:
                raise Unreachable("connection closed before a complete answer")
            if not piece:
                raise ConnectionResetError
            self._data += piece
            self._pieces += 1
            if self._pieces > _MAX_PIECES:
                raise NotPlain
            if whole := read(self._data):
                return whole
        return None

    def _give_back(self, *, closed: bool) -> None:
        if closed:
            self._connection.close()
        self._pool.put(self._connection)

    def _answer(self, whole: Plain) -> Answer:
        """The answer, unpacked. Raises NotPlain where that is not easy."""
        try:
            body = decoded(whole.body, whole.headers.get("content-encoding", "identity").lower(), MAX_BYTES)
        except Unreadable as error:
            raise NotPlain from error
        return Answer(whole.status, whole.headers, self._repeats.readable(body))
