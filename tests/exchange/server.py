"""One exchange on a port of its own: takes requests, counts them, answers them well or as its fault says."""

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, NamedTuple, Self

from price.model import Pair
from tests.exchange.faults import Fault
from tests.exchange.prices import Prices, Replay, Walk, minute
from tests.exchange.venues import VENUES
from tests.exchange.venues.base import Book, Deal, NoPrices, Page, UnknownName
from tests.exchange.wire import Ask, BadQuery, Gone, Line, Reply

if TYPE_CHECKING:
    from tests.exchange.certificates import Certificates

HOST = "127.0.0.1"
MAX_LINES = 200
MAX_SEEN = 10_000
_HEALTHY = Fault("")


class Seen(NamedTuple):
    """A request as it was received, at the exchange's time, and the fault that it met."""

    time: datetime
    path: str
    headers: dict[str, str]
    fault: str


@dataclass
class _Plan:
    """A fault, and for how many answers; None where for all."""

    fault: Fault
    began: datetime
    left: int | None


def real_time() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class Exchange:
    """A local copy of one exchange's public API, with faults on demand. A context manager.

    `prices` and `clock` say what is true; `pairs` what is listed. With `certificates` it speaks HTTPS.
    It may be stopped and started again, on the same port.
    """

    def __init__(
        self,
        name: str,
        *,
        prices: Prices | None = None,
        clock: Callable[[], datetime] = real_time,
        pairs: Iterable[Pair] | None = None,
        certificates: "Certificates | None" = None,
        host: str = HOST,
        port: int = 0,
    ) -> None:
        self.name = name
        self.host = host
        self.port = port
        self.clock = clock
        self.count = 0
        self.connections = 0
        self._venue = VENUES[name]
        self._prices = prices or Walk()
        self._names = self._venue.names(self._listed() if pairs is None else pairs)
        self._certificates = certificates
        self._lock = threading.Lock()
        self._seen: deque[Seen] = deque(maxlen=MAX_SEEN)
        self._plans: list[_Plan] = []
        self._lines: set[Line] = set()
        self._threads: set[threading.Thread] = set()
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it is, to be put before the API's own paths."""
        scheme, host = "https" if self._certificates else "http", self.host
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def requests(self) -> list[Seen]:
        """The requests so far (the last ten thousand); `count` is the number of all.

        `connections` is the number of connections that they came over, or that brought none.
        """
        with self._lock:
            return list(self._seen)

    @property
    def fault(self) -> Fault | None:
        """What is wrong at this moment. Setting it ends all others; None makes it well again."""
        plan = self._plan()
        return plan.fault if plan else None

    @fault.setter
    def fault(self, fault: Fault | None) -> None:
        with self._lock:
            self._plans.clear()
        if fault:
            self.fail(fault)

    def fail(self, fault: Fault, *, answers: int | None = None) -> None:
        """Add a fault for so many answers; the one added last binds."""
        if fault.certificate and not self._certificates:
            raise ValueError(f"{fault} needs HTTPS")
        with self._lock:
            self._plans.insert(0, _Plan(fault, self.clock(), answers))

    def drop_connections(self) -> None:
        """Close all connections, idle or not."""
        with self._lock:
            for line in self._lines:
                line.cut()

    def start(self) -> Self:
        """Listen; the port is known from then on."""
        listener = socket.create_server(
            (self.host, self.port),
            family=socket.AF_INET6 if ":" in self.host else socket.AF_INET,
            dualstack_ipv6=self.host == "::",
            backlog=128,
        )
        self.port = listener.getsockname()[1]
        self._listener = listener
        self._acceptor = threading.Thread(
            target=self._accept, args=[listener], name=f"{self.name} copy", daemon=True
        )
        self._acceptor.start()
        return self

    def stop(self) -> None:
        """Close everything and wait until it is closed."""
        listener, self._listener = self._listener, None
        if listener and self._acceptor:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            self._acceptor.join()
            listener.close()
        self.drop_connections()
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _listed(self) -> list[Pair]:
        return self._prices.pairs(self.name) if isinstance(self._prices, Replay) else self._venue.pairs()

    # Connections.

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            line = Line(connection)
            if self._listener is None or len(self._lines) >= MAX_LINES:
                line.close()
            else:
                self._begin(line)

    def _begin(self, line: Line) -> None:
        thread = threading.Thread(target=self._serve, args=[line], name=f"{self.name} copy", daemon=True)
        with self._lock:
            self.connections += 1
            self._lines.add(line)
            self._threads.add(thread)
        thread.start()

    def _serve(self, line: Line) -> None:
        try:
            line.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._shake_hands(line)
            while (ask := line.ask()) and self._answer(line, ask) and not ask.closing:
                pass
        except (OSError, Gone):
            pass  # clients come and go
        finally:
            line.close()
            with self._lock:
                self._lines.discard(line)
                self._threads.discard(threading.current_thread())

    def _shake_hands(self, line: Line) -> None:
        if self._certificates is None:
            return
        plan = self._plan(use=_is_of_tls)
        kind = plan.fault.certificate if plan else ""
        if kind == "silent":
            line.pause()
        line.connection = self._certificates.context(kind).wrap_socket(
            line.connection, server_side=True, do_handshake_on_connect=False
        )
        if self._listener is None:
            raise Gone  # stop() may have missed the new socket
        line.connection.do_handshake()

    # Answers.

    def _plan(self, use: Callable[[Fault], bool] = lambda _: False) -> _Plan | None:
        """What is planned; one answer less is left of it where this is a use of it."""
        with self._lock:
            plan = next((plan for plan in self._plans if plan.left != 0), None)
            if plan and plan.left and use(plan.fault):
                plan.left -= 1
            return plan

    def _answer(self, line: Line, ask: Ask) -> bool:
        """Answer one request; whether the connection stays open."""
        now = self.clock()
        plan = self._plan(use=lambda _: True)
        fault = plan.fault if plan else _HEALTHY
        with self._lock:
            self.count += 1
            self._seen.append(Seen(now, ask.target, dict(ask.headers), fault.name))
        page = self._page(self._book(fault, now, plan.began if plan else now), ask)
        reply = fault.answer(self._venue, ask, self._reply(page, now))
        return fault.send(line, reply)

    def _book(self, fault: Fault, now: datetime, since: datetime) -> Book:
        def look(pair: Pair, moment: datetime) -> Deal | None:
            price = self._prices(self.name, pair, moment)
            return None if price is None else Deal(price, moment)

        names = self._names
        if fault.delisted:
            names = {name: pair for name, pair in names.items() if pair != fault.delisted}
        return Book(
            now,
            names,
            deal=lambda pair: fault.trade(look, pair, now, since),
            honest=lambda pair: look(pair, now),
            minute=lambda pair, start: minute(self._prices, self.name, pair, start, now),
        )

    def _page(self, state: Book, ask: Ask) -> Page:
        try:
            page = self._venue.answer(state, ask) if ask.method == "GET" else None
        except UnknownName as error:
            return self._venue.unknown(str(error))
        except NoPrices:
            return self._venue.away
        except BadQuery as error:
            return Page({"message": f"bad parameter {error}"}, 400)
        return self._venue.nowhere if page is None else page

    def _reply(self, page: Page, now: datetime) -> Reply:
        kind = "text/html" if isinstance(page.data, str) else "application/json; charset=utf-8"
        headers = [("Date", format_datetime(now, usegmt=True)), ("Content-Type", kind)]
        return Reply(page.status, (*headers, *self._venue.headers, *page.headers), page.body())


def _is_of_tls(fault: Fault) -> bool:
    return bool(fault.certificate)
