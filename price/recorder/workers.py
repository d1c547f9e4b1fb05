"""Sends requests and reads answers: in the recorder's own thread where that needs no waiting, else in others.

Handing a request to a thread, and its outcome back, costs half as much as the request itself. Nearly all
answers come whole on a connection that is kept open, and need no other thread.
"""

import threading
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from typing import NamedTuple, Protocol

from price.clock import Clock
from price.errors import SourceError, Unreachable, Unreadable
from price.fetchers import Fetcher
from price.model import Answer, Pair, Reading, Request
from price.recorder.threads import Threads
from price.safely import safely
from price.sources.base import Source
from price.wire import Begun, Fetch, excerpt, server_time

_BIG_BYTES = 64 * 1024
_BIG_ONES_TURN = threading.Lock()
"""Big answers are read one at a time: hostile ones of all sources at the same time take 50 MB more."""


class Outcome(NamedTuple):
    """How a request of a slot ended: the reading of each pair, or the error that it ended in."""

    source: str
    slot: datetime
    request: Request
    readings: Mapping[Pair, Reading | SourceError]
    error: SourceError | None
    seconds: float
    server_time: datetime | None = None
    """The `Date` of the answer: aware UTC."""


class Workers(Protocol):
    """Whatever carries the requests of one source and posts their outcomes to the clock."""

    def send(self, slot: datetime, request: Request, deadline: float, under_way: int) -> None:
        """Returns without waiting; `under_way` counts this request and the outstanding ones."""
        ...

    def close(self) -> None:
        """Nothing will be sent any more; outcomes may still come."""
        ...


class _Job(NamedTuple):
    slot: datetime
    request: Request
    deadline: float
    get: Fetch
    began: float | None = None
    """When it was sent, where that was before a thread took it."""


class SourceWorkers:
    """The workers of one source. What the fetcher keeps open is closed when its threads end."""

    def __init__(self, source: Source, fetcher: Fetcher, clock: Clock) -> None:
        self._source = source
        self._fetcher = fetcher
        self._clock = clock
        self._threads = Threads(fetcher.hang_up)
        self._under_way = 0

    def send(self, slot: datetime, request: Request, deadline: float, under_way: int) -> None:
        self._under_way = under_way
        # one at a time: where a source is asked a hundred times a slot, its threads share the connections
        begun = self._fetcher.begin(request) if under_way == 1 else None
        if begun:
            job = _Job(slot, request, deadline, begun.get, self._clock.monotonic())
            self._clock.watch(begun.fileno, deadline, partial(self._look, job, begun))
        else:
            self._hand_over(_Job(slot, request, deadline, self._fetcher.get))

    def close(self) -> None:
        self._threads.close()

    def _look(self, job: _Job, begun: Begun) -> Outcome | None:
        """The outcome of a request whose answer has come; else a thread goes on with it."""
        answer, _ = safely(begun.arrived)
        if answer:
            return self._outcome(job, answer, None)
        self._hand_over(job)
        return None

    def _hand_over(self, job: _Job) -> None:
        if not self._threads.submit(partial(self._carry, job), self._under_way):
            # a job that nobody takes would make the source busy for ever
            self._clock.post(self._outcome(job, None, Unreachable("this machine starts no more threads")))

    def _carry(self, job: _Job) -> None:
        job = job._replace(began=job.began or self._clock.monotonic())
        self._clock.post(self._outcome(job, *safely(job.get, job.request, job.deadline)))

    def _outcome(self, job: _Job, answer: Answer | None, failure: Exception | None) -> Outcome:
        readings, moment = None, None
        if answer:
            moment = server_time(answer.headers)
            readings, failure = safely(self._read, job, answer)
            if isinstance(failure, SourceError):
                failure.retry_after, failure.server_time = answer.headers.get("retry-after", ""), moment
        error = failure if isinstance(failure, SourceError) else None
        if failure and not error:
            # a fault of ours must not look like silence
            error = Unreadable(f"{type(failure).__name__}: {excerpt(str(failure))}")
        if error:
            # it lives on as a value: with its traceback would live the whole answer that it is about
            error.__traceback__ = error.__cause__ = error.__context__ = None
        now = self._clock.monotonic()
        seconds = now - (job.began or now)
        return Outcome(self._source.name, job.slot, job.request, readings or {}, error, seconds, moment)

    def _read(self, job: _Job, answer: Answer) -> dict[Pair, Reading | SourceError]:
        with _BIG_ONES_TURN if len(answer.body) > _BIG_BYTES else nullcontext():
            return self._source.read(job.request.pairs, answer)
