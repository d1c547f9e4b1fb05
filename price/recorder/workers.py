"""Threads that carry requests out and bring outcomes back; a stuck one costs its source, nothing else."""

import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import datetime
from queue import SimpleQueue
from typing import NamedTuple, Protocol

from price.clock import Clock
from price.errors import SourceError, Unreachable, Unreadable
from price.model import Answer, Pair, Reading, Request
from price.safely import safely
from price.sources.base import Source
from price.wire import LANES, Fetch, excerpt, server_time

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


class Threads:
    """The workers of one source: daemon threads, started when first needed, at most `LANES`.

    Daemon threads because a look-up of a name cannot be interrupted: the stop must not wait for it.
    `hang_up` closes what `fetch` keeps open; it is called when the threads end.
    """

    def __init__(
        self, source: Source, fetch: Fetch, clock: Clock, hang_up: Callable[[], None] = lambda: None
    ) -> None:
        self._source = source
        self._fetch = fetch
        self._clock = clock
        self._hang_up = hang_up
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads = 0

    def send(self, slot: datetime, request: Request, deadline: float, under_way: int) -> None:
        job = _Job(slot, request, deadline)
        if self._threads < min(under_way, LANES):
            _, failure = safely(threading.Thread(target=self._work, daemon=True).start)
            self._threads += failure is None
        if self._threads:
            self._jobs.put(job)
        else:  # a job that nobody takes would make the source busy for ever
            failure = Unreachable("this machine starts no more threads")
            self._clock.post(self._outcome(job, self._clock.monotonic(), None, failure))

    def close(self) -> None:
        for _ in range(self._threads):
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._clock.post(self._carried(job))
        safely(self._hang_up)

    def _carried(self, job: _Job) -> Outcome:
        began = self._clock.monotonic()
        return self._outcome(job, began, *safely(self._fetch, job.request, job.deadline))

    def _outcome(self, job: _Job, began: float, answer: Answer | None, failure: Exception | None) -> Outcome:
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
        seconds = self._clock.monotonic() - began
        return Outcome(self._source.name, job.slot, job.request, readings or {}, error, seconds, moment)

    def _read(self, job: _Job, answer: Answer) -> dict[Pair, Reading | SourceError]:
        with _BIG_ONES_TURN if len(answer.body) > _BIG_BYTES else nullcontext():
            return self._source.read(job.request.pairs, answer)
