"""What carries requests out and brings outcomes back; a stuck one costs its source, nothing else.

A request that was made before, and whose connection is open, is sent at once, and its answer heard when
it comes. Whatever else has to be waited for, names and connections above all, a worker waits for: a thread.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from queue import SimpleQueue
from typing import NamedTuple

from price.errors import SourceError, Unreachable, Unreadable
from price.model import Pair
from price.recorder.clock import Clock
from price.safely import safely
from price.sources.base import Source, Tick
from price.wire import LANES, Anew, Answer, Fetch, Pending, Repeat, Request, excerpt, no_repeat

_BIG_BYTES = 64 * 1024
_BIG_ONES_TURN = threading.Lock()
"""Big answers are read one at a time: hostile ones of all sources at once take 50 MB more."""


class Outcome(NamedTuple):
    """How a request of a slot ended: what it gave for each pair, or the error that it ended in."""

    source: str
    slot: datetime
    request: Request
    ticks: Mapping[Pair, Tick | SourceError]
    error: SourceError | None
    seconds: float


class _Job(NamedTuple):
    slot: datetime
    request: Request
    deadline: float


class Workers:
    """The workers of one source: daemon threads, started when first needed, at most `LANES`.

    Daemon threads because a look-up of a name cannot be interrupted: the stop must not wait for it.
    `hang_up` closes what `fetch` keeps open; it is called when the threads end.
    """

    def __init__(
        self,
        source: Source,
        fetch: Fetch,
        clock: Clock,
        hang_up: Callable[[], None] = lambda: None,
        repeat: Repeat = no_repeat,
    ) -> None:
        self._source = source
        self._fetch = fetch
        self._clock = clock
        self._hang_up = hang_up
        self._repeat = repeat
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads = 0

    def send(self, slot: datetime, request: Request, deadline: float, under_way: int) -> None:
        """Sends a request off; its outcome comes from the clock. `under_way` counts it and those before."""
        job = _Job(slot, request, deadline)
        # one connection is enough for that: several requests at once have threads anyway
        pending, _ = safely(self._repeat, request, deadline) if under_way == 1 else (None, None)
        if pending:
            self._watch(pending, job, self._clock.monotonic())
        else:
            self._hand_over(job, under_way)

    def close(self) -> None:
        """Lets the threads end once they are free."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _watch(self, pending: Pending, job: _Job, began: float) -> None:
        self._clock.watch(pending.fileno(), job.deadline, partial(self._hear, pending, job, began))

    def _hear(self, pending: Pending, job: _Job, began: float) -> Outcome | None:
        answer, failure = safely(pending.hear)
        if isinstance(failure, Anew):
            self._hand_over(job, 1)
        elif failure or answer:
            return self._outcome(job, began, answer, failure)
        else:
            self._watch(pending, job, began)
        return None

    def _hand_over(self, job: _Job, under_way: int) -> None:
        if self._threads < min(under_way, LANES):
            _, failure = safely(threading.Thread(target=self._work, daemon=True).start)
            self._threads += failure is None
        if self._threads:
            self._jobs.put(job)
        else:  # a job that nobody takes would make the source busy for ever
            failure = Unreachable("this machine starts no more threads")
            self._clock.post(self._outcome(job, self._clock.monotonic(), None, failure))

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._clock.post(self._carried(job))
        safely(self._hang_up)

    def _carried(self, job: _Job) -> Outcome:
        began = self._clock.monotonic()
        return self._outcome(job, began, *safely(self._fetch, job.request, job.deadline))

    def _outcome(self, job: _Job, began: float, answer: Answer | None, failure: Exception | None) -> Outcome:
        ticks = None
        if answer:
            ticks, failure = safely(self._read, job, answer)
        error = failure if isinstance(failure, SourceError) else None
        if failure and not error:
            # a fault of ours must not look like silence
            error = Unreadable(f"{type(failure).__name__}: {excerpt(str(failure))}")
        if error:
            # it lives on as a value: with its traceback would live the whole answer that it is about
            error.__traceback__ = error.__cause__ = error.__context__ = None
        seconds = self._clock.monotonic() - began
        return Outcome(self._source.name, job.slot, job.request, ticks or {}, error, seconds)

    def _read(self, job: _Job, answer: Answer) -> dict[Pair, Tick | SourceError]:
        try:
            with _BIG_ONES_TURN if len(answer.body) > _BIG_BYTES else nullcontext():
                return self._source.read(job.request.pairs, answer)
        except SourceError as error:
            error.retry_after = answer.headers.get("retry-after", "")
            raise
