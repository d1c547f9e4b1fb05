"""A clock and a network that do what a story says: at once, in virtual time, and always the same."""

import heapq
import select
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from math import ceil
from queue import Empty, SimpleQueue

from price import times
from price.clock import Clock
from price.errors import Refused, SourceError
from price.model import Answer, Pair, Reading, Request
from price.recorder.workers import Outcome
from price.settings import Settings
from price.sources import SOURCES
from price.wire import server_time

START = datetime(2026, 11, 20, 15, 52, 4, tzinfo=UTC)
"""When stories begin: a second before the slot 15:52:05."""
_MICRO = 1_000_000
_ANSWER_SECONDS = 7
"""Shorter waits are for answers that real threads are to bring: a busy machine may take seconds for one."""
_LATE_SECONDS = 2
"""How long the real answers that missed their slot may take; a look-up of a name may take longer."""
_GLANCE_SECONDS = 0.002
_MOST_IDLE_WAITS = 1000


class FakeClock:
    """Virtual time: `wait` passes to whatever comes next. Moments are seconds since the clock was made."""

    def __init__(self, now: datetime = START) -> None:
        self.lag = 0.0
        """By how many seconds each wait for nothing ends too late."""
        self.drift = 0
        """By how many microseconds a second the wall clock runs too fast."""
        self._began = self._us = 1000 * _MICRO
        self._wall = (now - times.EPOCH) // timedelta(microseconds=1)
        self._events: list[tuple[int, int, Callable[[], object]]] = []
        self._queue: SimpleQueue[object] = SimpleQueue()
        self._watched: dict[int, tuple[float, Callable[[], object | None]]] = {}
        self._number = count()
        self._idle = self._drifted = self._expected = 0

    def now(self) -> datetime:
        return times.EPOCH + timedelta(microseconds=self._wall)

    def monotonic(self) -> float:
        return self._us / _MICRO

    def post(self, item: object) -> None:
        self._queue.put(item)

    def expect(self) -> None:
        """A real thread is to post an outcome: until it has come, waits take real time and no virtual one."""
        self._expected += 1

    def watch(self, fileno: int, until: float, look: Callable[[], object | None]) -> None:
        self._watched[fileno] = until, look

    def wait(self, until: float) -> object | None:
        self._look(fileno for fileno, (end, _) in self._watched.items() if end <= self.monotonic())
        if self._expected and (item := self._real(until - self.monotonic())):
            return item
        end = max(ceil(until * _MICRO), self._us)
        before = self._us
        self._happen(end)
        if self._queue.empty():
            self._pass(max(end - self._us, 0) + (round(self.lag * _MICRO) if end > before else 0))
            if self.monotonic() < until:
                self._pass(1)  # a float is not a whole number of microseconds
        self._idle = self._idle + 1 if self._us == before else 0
        assert self._idle < _MOST_IDLE_WAITS, "the recorder spins: it waits without any time passing"
        return None if self._queue.empty() else self._queue.get_nowait()

    @property
    def passed(self) -> float:
        """Seconds since the clock was made, as people count them."""
        return (self._us - self._began) / _MICRO

    def at(self, moment: float, action: Callable[[], object]) -> None:
        """Has something happen at a moment."""
        event = (self._began + round(moment * _MICRO), next(self._number), action)
        heapq.heappush(self._events, event)

    def post_at(self, moment: float, item: object) -> None:
        """Has a signal or an answer come at a moment."""
        self.at(moment, lambda: self.post(item))

    def step(self, seconds: float) -> None:
        """Sets the wall clock forward or back, as an operator or NTP does."""
        self._wall += round(seconds * _MICRO)

    def freeze(self, seconds: float) -> None:
        """Has time go by in which the program does not run: SIGSTOP, or a machine that is overloaded."""
        self._pass(round(seconds * _MICRO))

    def suspend(self, seconds: float) -> None:
        """Has the machine sleep: the monotonic clock of Linux does not count that."""
        self.step(seconds)

    def _real(self, seconds: float) -> object | None:
        """What comes while real threads are at work; what has not come after a long wait is given up."""
        patience = max(0, seconds if seconds < _ANSWER_SECONDS else _LATE_SECONDS)
        for _ in range(ceil(patience / _GLANCE_SECONDS)):
            self._look(select.select(self._watched, [], [], 0)[0])
            with suppress(Empty):
                item = self._queue.get(timeout=_GLANCE_SECONDS)
                self._expected -= isinstance(item, Outcome)
                return item
        self._expected *= seconds < _ANSWER_SECONDS
        return None

    def _look(self, filenos: Iterable[int]) -> None:
        for fileno in list(filenos):
            if (item := self._watched.pop(fileno)[1]()) is not None:
                self._queue.put(item)

    def _happen(self, end: int) -> None:
        """Passes to the next moment up to `end` at which something is posted."""
        while self._queue.empty() and self._events and self._events[0][0] <= max(end, self._us):
            moment = self._events[0][0]
            self._pass(max(0, moment - self._us))
            while self._events and self._events[0][0] <= moment:
                heapq.heappop(self._events)[2]()

    def _pass(self, us: int) -> None:
        self._us += us
        self._wall += us
        drifted = (self._us - self._began) * self.drift // _MICRO
        self._wall += drifted - self._drifted
        self._drifted = drifted


Said = tuple[Mapping[Pair, Reading | SourceError], SourceError | None]
Reply = Callable[[Request], Said]


@dataclass(frozen=True)
class Asked:
    """A request that was sent."""

    moment: float
    slot: datetime
    path: str
    pairs: tuple[Pair, ...]
    deadline: float


class FakeSource:
    """Stands for an exchange and the way to it: says what the story has it say, `after` so many seconds.

    With `times` a reply is given that often, then the standing one again.
    """

    def __init__(self, name: str, clock: FakeClock) -> None:
        self.name = name
        self.asked: list[Asked] = []
        self._clock = clock
        self._standing: tuple[Reply, float | None] = (_prices(name, "100"), 0.1)
        self._showed: datetime | None = None
        self._next: deque[tuple[Reply, float | None]] = deque()

    def says(
        self, prices: str | Mapping[str, str], after: float = 0.1, times: int = 0, aged: float | None = None
    ) -> None:
        """A price for all pairs or one for each, `aged` seconds old where it carries a time of its own."""
        if aged is None:
            self._reply(_prices(self.name, prices), after, times)
            return
        old = timedelta(seconds=after - aged)

        def reply(request: Request) -> Said:
            return _prices(self.name, prices, self._clock.now() + old)(request)

        self._reply(reply, after, times)

    def fails(
        self, error: SourceError, after: float = 0.1, times: int = 0, retry_after: str | None = None
    ) -> None:
        """An error for all pairs, as the transport or the reader of answers raise it."""
        error.retry_after = retry_after or ""
        self._reply(lambda _: ({}, error), after, times)

    def answers(self, body: str, status: int = 200, times: int = 0, **headers: str) -> None:
        """An HTTP answer, read as the real source reads it."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._reply(
            lambda request: _read(self.name, request, Answer(status, named, body.encode())), 0.1, times
        )

    def replies(self, reply: Callable[[Request], Answer]) -> None:
        """HTTP answers that depend on the request."""
        self._reply(lambda request: _read(self.name, request, reply(request)), 0.1, 0)

    def hangs(self, times: int = 0) -> None:
        """No answer, ever: not even the news that the time is over."""
        self._reply(_prices(self.name, "1"), None, times)

    def dates(self, showed: datetime | None) -> None:
        """Its answers carry a `Date`, of a clock that showed this when the scene began; None: no `Date`."""
        self._showed = showed

    @property
    def slots(self) -> list[str]:
        """The slots in which it was asked, by their time of day."""
        return [times.iso(one.slot)[11:19] for one in self.asked]

    @property
    def moments(self) -> list[float]:
        """The moments at which it was asked, to a tenth of a second."""
        return [round(one.moment, 1) for one in self.asked]

    def send(self, slot: datetime, request: Request, deadline: float, under_way: int) -> None:
        now = self._clock.passed
        self.asked.append(Asked(now, slot, request.path, request.pairs, deadline))
        reply, after = self._next.popleft() if self._next else self._standing
        if after is not None:
            readings, error = reply(request)
            date = self._showed + timedelta(seconds=now + after) if self._showed else None
            outcome = Outcome(self.name, slot, request, readings, error, after, date)
            self._clock.post_at(now + after, outcome)

    def close(self) -> None:
        """What is under way still comes."""

    def _reply(self, reply: Reply, after: float | None, times: int) -> None:
        if times:
            self._next.extend([(reply, after)] * times)
        else:
            self._standing = (reply, after)


class FakeNet:
    """All the exchanges; each says 100 after a tenth of a second until told otherwise."""

    def __init__(self, clock: FakeClock) -> None:
        self._sources = {name: FakeSource(name, clock) for name in SOURCES}

    def __getattr__(self, name: str) -> FakeSource:
        return self._sources[name]

    def workers(self, wanted: Settings, clock: Clock) -> Mapping[str, FakeSource]:
        """What carries the requests of each configured source."""
        return {name: self._sources[name] for name in wanted.sources}


def _prices(name: str, prices: str | Mapping[str, str], time: datetime | None = None) -> Reply:
    def told(pair: Pair) -> Reading | SourceError:
        price = prices if isinstance(prices, str) else prices.get(str(pair))
        if price is None:
            return Refused("missing from the answer")
        return Reading(name, Decimal(price), time=time)

    return lambda request: ({pair: told(pair) for pair in request.pairs}, None)


def _read(name: str, request: Request, answer: Answer) -> Said:
    try:
        return SOURCES[name].read(request.pairs, answer), None
    except SourceError as error:
        error.retry_after = answer.headers.get("retry-after", "")
        error.server_time = server_time(answer.headers)
        return {}, error
