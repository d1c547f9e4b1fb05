"""Who carries requests: this thread as long as nothing has to be waited for, else threads of the source.

A thread that waits costs its source and nothing else; but to hand a request to it and the outcome back costs
as much as the request, and nearly all answers come whole on a connection that is kept.
"""

import threading
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from queue import SimpleQueue
from typing import NamedTuple, Protocol

from price.clock import Clock
from price.errors import SourceError, Unreachable, Unreadable
from price.fetchers import Fetcher
from price.model import Answer, Pair, Reading, Request
from price.safely import safely
from price.sources.base import Source
from price.wire import LANES, Begun, Fetch, excerpt, server_time

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


class Threads:
    """The workers of one source: daemon threads, started when first needed, at most `LANES`.

    Daemon threads because a look-up of a name cannot be interrupted: the stop must not wait for it.
    They close what the fetcher keeps open when they end.
    """

    def __init__(self, source: Source, fetcher: Fetcher, clock: Clock) -> None:
        self._source = source
        self._fetcher = fetcher
        self._clock = clock
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads = 0
        self._under_way = 0
        self._closed = False

    def send(self, slot: datetime, request: Request, deadline: float, under_way: int) -> None:
        job = _Job(slot, request, deadline, self._fetcher.get)
        self._under_way = under_way
        # one at a time: where a source is asked a hundred times a slot, its threads share the connections
        begun = self._fetcher.begin(request) if under_way == 1 else None
        if begun:
            job = job._replace(get=begun.get, began=self._clock.monotonic())
            self._clock.watch(begun.fileno, deadline, partial(self._look, job, begun))
        else:
            self._hand_over(job)

    def close(self) -> None:
        for _ in range(self._threads):
            self._jobs.put(None)
        self._threads, self._closed = 0, True

    def _look(self, job: _Job, begun: Begun) -> Outcome | None:
        """The outcome of a request whose answer has come; else a thread goes on with it."""
        answer, _ = safely(begun.arrived)
        if answer:
            return self._outcome(job, answer, None)
        self._hand_over(job)
        return None

    def _hand_over(self, job: _Job) -> None:
        if self._threads < min(self._under_way, LANES):
            _, failure = safely(threading.Thread(target=self._work, daemon=True).start)
            self._threads += failure is None
        if self._threads:
            self._jobs.put(job)
        else:  # a job that nobody takes would make the source busy for ever
            self._clock.post(self._outcome(job, None, Unreachable("this machine starts no more threads")))
        if self._closed:
            self.close()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job = job._replace(began=job.began or self._clock.monotonic())
            self._clock.post(self._outcome(job, *safely(job.get, job.request, job.deadline)))
        safely(self._fetcher.hang_up)

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
