"""The machine's clock, and the signals that end its waits."""

import signal
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from price.clock import Signal, SystemClock


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


@pytest.mark.parametrize("item", ["hello", None])
def test_what_is_watched_is_looked_at_once_when_it_can_be_read(item: object) -> None:
    clock, looks = SystemClock(), list[str]()
    reader, writer = socket.socketpair()
    with reader, writer:

        def look() -> object:
            looks.append("looked")
            clock.post("posted")
            return item

        clock.watch(reader.fileno(), clock.monotonic() + 600, look)
        assert clock.wait(clock.monotonic() + 0.01) is None
        assert looks == []

        writer.send(b"!")
        got = [clock.wait(clock.monotonic() + 600), clock.wait(clock.monotonic() + 0.01)]

    assert got == ["posted", item]
    assert looks == ["looked"]


def test_what_is_watched_is_looked_at_when_its_time_is_over() -> None:
    clock = SystemClock()
    reader, writer = socket.socketpair()
    with reader, writer:
        clock.watch(reader.fileno(), clock.monotonic() + 0.01, lambda: "late")

        assert clock.wait(clock.monotonic() + 600) == "late"
        assert clock.wait(clock.monotonic() + 0.01) is None


@pytest.fixture
def heeding() -> Iterator[SystemClock]:
    """A clock that signals post to."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    clock = SystemClock()
    clock.heed_signals()
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
