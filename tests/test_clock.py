"""The machine's clock, and the workers that post to it from threads of their own."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Self

import pytest

from price import host
from price.errors import RateLimited, SourceError, Timeout, Unreachable, Unreadable
from price.model import Pair
from price.recorder.clock import Signal, SystemClock
from price.recorder.workers import Outcome, Workers
from price.sources import SOURCES
from price.sources.base import Tick
from price.wire import LANES, Anew, Answer, Pending, Request

BTC = Pair("BTC", "USD")
KRAKEN = SOURCES["kraken"]
GOOD = b'{"error":[],"result":{"XXBTZUSD":{"c":["5.10"]}}}'


def test_the_wall_clock_is_aware_and_in_utc() -> None:
    now = SystemClock().now()

    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


def test_what_was_posted_is_given_in_order_and_at_once() -> None:
    clock = SystemClock()
    clock.post(Signal.RELOAD)
    clock.post(Signal.STOP)

    got = [clock.wait(clock.monotonic() - 1), clock.wait(clock.monotonic() + 600)]

    assert got == [Signal.RELOAD, Signal.STOP]


def test_a_wait_for_nothing_ends_at_its_time() -> None:
    clock = SystemClock()
    until = clock.monotonic() + 0.01

    assert clock.wait(until) is None
    assert clock.monotonic() >= until
    assert clock.wait(clock.monotonic() - 5) is None


def test_a_post_from_another_thread_ends_a_wait() -> None:
    clock = SystemClock()
    thread = threading.Thread(target=clock.post, args=("hello",))
    thread.start()

    assert clock.wait(clock.monotonic() + 600) == "hello"
    thread.join()


@pytest.fixture
def wire() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection: ours and the other one's."""
    ours, other = socket.socketpair()
    with ours, other:
        yield ours, other


def test_what_is_watched_is_heard_once_when_something_comes(
    wire: tuple[socket.socket, socket.socket],
) -> None:
    ours, other = wire
    clock = SystemClock()
    clock.watch(ours.fileno(), clock.monotonic() + 600, lambda: ours.recv(10))
    threading.Timer(0.01, other.send, (b"hello",)).start()

    assert clock.wait(clock.monotonic() + 600) == b"hello"
    other.send(b"again")
    assert clock.wait(clock.monotonic() + 0.01) is None


def test_what_is_watched_is_heard_at_its_time_though_nothing_comes(
    wire: tuple[socket.socket, socket.socket],
) -> None:
    clock = SystemClock()
    until = clock.monotonic() + 0.01
    clock.watch(wire[0].fileno(), until, lambda: "too late")

    assert clock.wait(clock.monotonic() + 600) == "too late"
    assert clock.monotonic() >= until


def test_a_wait_goes_on_where_what_is_heard_is_nothing_yet(wire: tuple[socket.socket, socket.socket]) -> None:
    clock, heard = SystemClock(), list[bytes]()
    clock.watch(wire[0].fileno(), clock.monotonic() + 600, lambda: heard.append(wire[0].recv(10)))
    wire[1].send(b"half")
    until = clock.monotonic() + 0.01

    assert clock.wait(until) is None
    assert clock.monotonic() >= until
    assert heard == [b"half"]


def test_a_post_ends_a_wait_in_which_something_is_watched(wire: tuple[socket.socket, socket.socket]) -> None:
    clock = SystemClock()
    clock.watch(wire[0].fileno(), clock.monotonic() + 600, lambda: "heard")
    threading.Timer(0.01, clock.post, ("hello",)).start()

    assert clock.wait(clock.monotonic() + 600) == "hello"
    wire[1].send(b"!")
    assert clock.wait(clock.monotonic() + 600) == "heard"


@pytest.fixture
def heeding() -> Iterator[SystemClock]:
    """A clock that signals post to."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    clock = SystemClock()
    host.on_signals(partial(clock.post, Signal.STOP), partial(clock.post, Signal.RELOAD), clock.bell)
    yield clock
    signal.set_wakeup_fd(-1)
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_a_signal_that_does_not_interrupt_a_wait_ends_it(heeding: SystemClock) -> None:
    """As one that lands just before a wait; here it reaches a thread that does not wait."""

    def shout() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGHUP)

    timer = threading.Timer(0.1, shout)
    timer.start()

    assert heeding.wait(heeding.monotonic() + 600) is Signal.RELOAD
    timer.join()


def outcome_of(fetch: Callable[[Request, float], Answer]) -> Outcome:
    """How a request to Kraken ends that is carried like this."""
    clock = SystemClock()
    workers = Workers(KRAKEN, fetch, clock)
    workers.send(datetime(2026, 11, 20, tzinfo=UTC), KRAKEN.requests([BTC])[0], clock.monotonic() + 600, 1)
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

    (tick,) = outcome.ticks.values()
    assert isinstance(tick, Tick)
    assert (str(tick.price), outcome.error, outcome.source) == ("5.10", None, "kraken")
    assert outcome.request.pairs == (BTC,)


def test_an_error_answer_comes_back_with_the_rest_that_it_asks_for() -> None:
    outcome = outcome_of(lambda request, deadline: Answer(429, {"retry-after": "17"}, b""))

    assert isinstance(outcome.error, RateLimited)
    assert outcome.error.retry_after == "17"


@pytest.mark.parametrize(
    ("raised", "kind"),
    [(Timeout("late"), Timeout), (RuntimeError("a fault\nof ours"), Unreadable), (MemoryError(), Unreadable)],
)
def test_whatever_is_raised_comes_back_as_an_error(raised: Exception, kind: type[SourceError]) -> None:
    outcome = outcome_of(fails(raised))

    assert type(outcome.error) is kind
    assert str(outcome.error).isprintable()
    assert outcome.ticks == {}


def test_an_error_that_is_kept_does_not_keep_the_answer_that_it_is_about() -> None:
    outcome = outcome_of(lambda request, deadline: Answer(200, {}, b'{"result": []}' + b" " * 1000))

    assert isinstance(outcome.error, Unreadable)
    assert (outcome.error.__traceback__, outcome.error.__cause__, outcome.error.__context__) == (None,) * 3


def test_couriers_that_are_let_go_leave_no_connection_open() -> None:
    clock, hung_up = SystemClock(), threading.Event()
    workers = Workers(KRAKEN, lambda request, deadline: Answer(200, {}, GOOD), clock, hung_up.set)
    workers.send(datetime(2026, 11, 20, tzinfo=UTC), KRAKEN.requests([BTC])[0], 0.0, 1)
    assert clock.wait(clock.monotonic() + 30) is not None
    assert not hung_up.is_set()

    workers.close()

    assert hung_up.wait(30)


class Repeated:
    """A request on an open connection: each time that something comes it says the next of these."""

    def __init__(self, *says: Answer | Exception | None) -> None:
        self._says = iter(says)
        self._ours, self._other = socket.socketpair()
        self._other.send(b"so many pieces of an answer")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.close()
        self._other.close()

    def fileno(self) -> int:
        return self._ours.fileno()

    def hear(self) -> Answer | None:
        self._ours.recv(1)
        said = next(self._says)
        if isinstance(said, Exception):
            raise said
        return said


def outcome_of_repeating(line: Repeated, under_way: int = 1) -> Outcome:
    """How a request ends that was sent again; a worker would only fail with it."""
    clock = SystemClock()
    workers = Workers(KRAKEN, fails(Timeout("carried")), clock, repeat=lambda request, deadline: line)
    slot = datetime(2026, 11, 20, tzinfo=UTC)
    workers.send(slot, KRAKEN.requests([BTC])[0], clock.monotonic() + 600, under_way)
    outcome = clock.wait(clock.monotonic() + 30)
    workers.close()
    assert isinstance(outcome, Outcome)
    return outcome


def test_an_answer_to_a_repeated_request_comes_back_read_once_it_is_whole() -> None:
    with Repeated(None, None, Answer(200, {}, GOOD)) as line:
        outcome = outcome_of_repeating(line)

    (tick,) = outcome.ticks.values()
    assert isinstance(tick, Tick)
    assert (str(tick.price), outcome.error, outcome.source) == ("5.10", None, "kraken")


@pytest.mark.parametrize("raised", [Timeout("late"), Unreachable("gone"), RuntimeError("a fault of ours")])
def test_a_repeated_request_that_fails_comes_back_as_an_error(raised: Exception) -> None:
    with Repeated(None, raised) as line:
        outcome = outcome_of_repeating(line)

    assert isinstance(outcome.error, SourceError)
    assert str(raised) in str(outcome.error)
    assert outcome.error.__traceback__ is None


def test_a_repeated_request_of_which_nothing_came_is_carried() -> None:
    with Repeated(None, Anew()) as line:
        assert str(outcome_of_repeating(line).error) == "carried"


def test_of_several_requests_under_way_only_the_first_is_repeated() -> None:
    with Repeated(Answer(200, {}, GOOD)) as line:
        assert str(outcome_of_repeating(line, under_way=2).error) == "carried"


def test_a_request_that_cannot_be_repeated_is_carried() -> None:
    def repeat(request: Request, deadline: float) -> Pending | None:
        raise RuntimeError("no pool")

    clock = SystemClock()
    workers = Workers(KRAKEN, lambda request, deadline: Answer(200, {}, GOOD), clock, repeat=repeat)
    workers.send(datetime(2026, 11, 20, tzinfo=UTC), KRAKEN.requests([BTC])[0], 0.0, 1)

    outcome = clock.wait(clock.monotonic() + 30)

    workers.close()
    assert isinstance(outcome, Outcome)
    assert outcome.error is None


def test_hanging_requests_take_one_lane_each_and_no_more_than_there_are() -> None:
    clock, gate = SystemClock(), threading.Event()
    busy, lanes = threading.Semaphore(0), set[int]()

    def fetch(request: Request, deadline: float) -> Answer:
        lanes.add(threading.get_ident())
        busy.release()
        gate.wait(30)
        return Answer(200, {}, GOOD)

    workers = Workers(KRAKEN, fetch, clock)
    for number in range(10):
        workers.send(datetime(2026, 11, 20, tzinfo=UTC), KRAKEN.requests([BTC])[0], 0.0, number + 1)
    for _ in range(LANES):
        assert busy.acquire(timeout=30)

    gate.set()
    outcomes = [clock.wait(clock.monotonic() + 30) for _ in range(10)]
    workers.close()

    assert len(lanes) == LANES
    assert all(isinstance(one, Outcome) for one in outcomes)


def test_one_request_after_the_other_needs_one_thread() -> None:
    clock = SystemClock()
    lanes = set[int]()

    def fetch(request: Request, deadline: float) -> Answer:
        lanes.add(threading.get_ident())
        return Answer(200, {}, GOOD)

    workers = Workers(KRAKEN, fetch, clock)
    for _ in range(5):
        workers.send(datetime(2026, 11, 20, tzinfo=UTC), KRAKEN.requests([BTC])[0], 0.0, 1)
        assert clock.wait(clock.monotonic() + 30) is not None

    workers.close()

    assert len(lanes) == 1
