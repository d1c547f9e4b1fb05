"""The workers: threads that carry requests and post what came of them to the clock."""

import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from price.clock import SystemClock
from price.errors import RateLimited, SourceError, Timeout, Unreadable
from price.fetchers import Fetcher
from price.model import Answer, Pair, Reading, Request
from price.recorder.workers import Outcome, SourceWorkers
from price.sources import SOURCES
from price.wire import MOST_THREADS, Begun

BTC = Pair("BTC", "USD")
SLOT = datetime(2026, 11, 20, tzinfo=UTC)
KRAKEN = SOURCES["kraken"]
GOOD = b'{"error":[],"result":{"XXBTZUSD":{"c":["5.10"]}}}'
DATE = {"date": "Fri, 20 Nov 2026 15:52:05 GMT"}


def outcome_of(fetch: Callable[[Request, float], Answer]) -> Outcome:
    """How a request to Kraken ends that is carried like this."""
    clock = SystemClock()
    workers = SourceWorkers(KRAKEN, Fetcher(fetch), clock)
    workers.send(SLOT, KRAKEN.requests([BTC])[0], clock.monotonic() + 600, 1)
    outcome = clock.wait(clock.monotonic() + 30)
    workers.close()
    assert isinstance(outcome, Outcome)
    return outcome


def fails(error: Exception) -> Callable[[Request, float], Answer]:
    def fetch(request: Request, deadline: float) -> Answer:
        raise error

    return fetch


def test_an_answer_comes_back_read() -> None:
    outcome = outcome_of(lambda request, deadline: Answer(200, {}, GOOD))

    (reading,) = outcome.readings.values()
    assert isinstance(reading, Reading)
    assert (str(reading.price), outcome.error, outcome.source) == ("5.10", None, "kraken")
    assert outcome.request.pairs == (BTC,)


def test_an_error_answer_comes_back_with_the_rest_that_it_asks_for_and_its_time() -> None:
    outcome = outcome_of(lambda request, deadline: Answer(429, {"retry-after": "17", **DATE}, b""))

    assert isinstance(outcome.error, RateLimited)
    assert (outcome.error.retry_after, outcome.error.server_time) == ("17", outcome.server_time)
    assert outcome.server_time is not None


@pytest.mark.parametrize(
    ("raised", "kind"),
    [(Timeout("late"), Timeout), (RuntimeError("a fault\nof ours"), Unreadable), (MemoryError(), Unreadable)],
)
def test_whatever_is_raised_comes_back_as_an_error(raised: Exception, kind: type[SourceError]) -> None:
    outcome = outcome_of(fails(raised))

    assert type(outcome.error) is kind
    assert str(outcome.error).isprintable()
    assert outcome.readings == {}


def test_an_error_that_is_kept_does_not_keep_the_answer_that_it_is_about() -> None:
    outcome = outcome_of(lambda request, deadline: Answer(200, {}, b'{"result": []}' + b" " * 1000))

    assert isinstance(outcome.error, Unreadable)
    assert (outcome.error.__traceback__, outcome.error.__cause__, outcome.error.__context__) == (None,) * 3


def test_workers_that_are_closed_leave_no_connection_open() -> None:
    clock, hung_up = SystemClock(), threading.Event()
    fetcher = Fetcher(lambda request, deadline: Answer(200, {}, GOOD), hang_up=hung_up.set)
    workers = SourceWorkers(KRAKEN, fetcher, clock)
    workers.send(SLOT, KRAKEN.requests([BTC])[0], 0.0, 1)
    assert clock.wait(clock.monotonic() + 30) is not None
    assert not hung_up.is_set()

    workers.close()

    assert hung_up.wait(30)


def test_hanging_requests_take_one_thread_each_and_no_more_than_there_are() -> None:
    clock, gate = SystemClock(), threading.Event()
    busy, threads = threading.Semaphore(0), set[int]()

    def fetch(request: Request, deadline: float) -> Answer:
        threads.add(threading.get_ident())
        busy.release()
        gate.wait(30)
        return Answer(200, {}, GOOD)

    workers = SourceWorkers(KRAKEN, Fetcher(fetch), clock)
    for number in range(10):
        workers.send(SLOT, KRAKEN.requests([BTC])[0], 0.0, number + 1)
    for _ in range(MOST_THREADS):
        assert busy.acquire(timeout=30)

    gate.set()
    outcomes = [clock.wait(clock.monotonic() + 30) for _ in range(10)]
    workers.close()

    assert len(threads) == MOST_THREADS
    assert all(isinstance(one, Outcome) for one in outcomes)


def test_one_request_after_the_other_needs_one_thread() -> None:
    clock = SystemClock()
    threads = set[int]()

    def fetch(request: Request, deadline: float) -> Answer:
        threads.add(threading.get_ident())
        return Answer(200, {}, GOOD)

    workers = SourceWorkers(KRAKEN, Fetcher(fetch), clock)
    for _ in range(5):
        workers.send(SLOT, KRAKEN.requests([BTC])[0], 0.0, 1)
        assert clock.wait(clock.monotonic() + 30) is not None

    workers.close()

    assert len(threads) == 1


@pytest.mark.parametrize("status", [200, 429, 503])
def test_an_outcome_has_the_servers_time_whatever_the_answer_is(status: int) -> None:
    outcome = outcome_of(lambda request, deadline: Answer(status, DATE, GOOD))

    assert outcome.server_time == datetime(2026, 11, 20, 15, 52, 5, tzinfo=UTC)


class Kept:
    """A fetcher whose connection is kept: its exchange answers when it is told to."""

    def __init__(self, *, plain: bool = True) -> None:
        self._reader, self._writer = socket.socketpair()
        self._plain = plain
        self.threads: list[int] = []
        """Those that waited for an answer."""
        self.hung_up = threading.Event()
        self.fetcher = Fetcher(self.get, self.begin, self.hung_up.set)

    def begin(self, request: Request) -> Begun:
        return Begun(self._reader.fileno(), self._arrived, self.get)

    def get(self, request: Request, deadline: float) -> Answer:
        self.threads.append(threading.get_ident())
        return Answer(200, {}, GOOD)

    def answer(self) -> None:
        self._writer.send(b"!")

    def _arrived(self) -> Answer | None:
        return Answer(200, {}, GOOD) if self._plain else None

    def __enter__(self) -> "Kept":
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()
        self._writer.close()


def test_an_answer_that_has_come_needs_no_thread() -> None:
    clock = SystemClock()
    with Kept() as kept:
        workers = SourceWorkers(KRAKEN, kept.fetcher, clock)
        workers.send(SLOT, KRAKEN.requests([BTC])[0], clock.monotonic() + 600, 1)
        assert clock.wait(clock.monotonic() + 0.01) is None

        kept.answer()
        outcome = clock.wait(clock.monotonic() + 30)

    assert isinstance(outcome, Outcome)
    assert outcome.error is None
    assert 0.01 <= outcome.seconds < 30
    assert kept.threads == []


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("answers", [False, True])
def test_an_answer_that_has_to_be_waited_for_is_waited_for_by_a_thread(answers: bool, closed: bool) -> None:
    clock = SystemClock()
    with Kept(plain=False) as kept:
        workers = SourceWorkers(KRAKEN, kept.fetcher, clock)
        workers.send(SLOT, KRAKEN.requests([BTC])[0], clock.monotonic() + (600 if answers else 0.01), 1)
        if closed:
            workers.close()
        if answers:
            kept.answer()

        outcome = clock.wait(clock.monotonic() + 30)

        assert isinstance(outcome, Outcome)
        assert len(kept.threads) == 1
        assert kept.threads[0] != threading.get_ident()
        workers.close()
        assert kept.hung_up.wait(30), "the thread ends"


def test_of_several_requests_of_a_source_threads_carry_all_but_one() -> None:
    clock = SystemClock()
    with Kept() as kept:
        workers = SourceWorkers(KRAKEN, kept.fetcher, clock)
        for under_way in (1, 2, 3):
            workers.send(SLOT, KRAKEN.requests([BTC])[0], clock.monotonic() + 600, under_way)
        outcomes = [clock.wait(clock.monotonic() + 30) for _ in range(2)]
        assert len(kept.threads) == 2

        kept.answer()
        outcomes.append(clock.wait(clock.monotonic() + 30))
        workers.close()

    assert all(isinstance(one, Outcome) for one in outcomes)
    assert len(kept.threads) == 2
