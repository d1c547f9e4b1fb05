"""Runs on the machine: the whole recorder, but time jumps to the next slot as soon as one is done.

    python -m bench.back_to_back [--marks 1000,10000] [--stages]

Settings are those of the recorder. Prints JSON: at each mark the CPU of a slot in microseconds over the
slots since the mark before, the resident KiB, and the seconds that a slot took; with --stages also what
each stage took of the last stretch.
"""

import argparse
import functools
import json
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from price.choose import choose
from price.clock import Signal, SystemClock
from price.handlers.journal import Journal
from price.recorder.app import App
from price.recorder.poll import Poller
from price.sinks.rows import RowsSink
from price.sinks.status import StatusSink
from price.sources import SOURCES
from price.sources.base import Source
from price.transport import Transport

INTERVAL_SECONDS = 2
"""A run lasts 43,200 slots at most: a day ahead of the servers, the recorder writes no rows."""
ANSWER_SECONDS = 0.9
WARM_SLOTS = 20
STAGES: tuple[tuple[str, type, str], ...] = (
    ("HTTP and TLS", Transport, "begin"),
    ("HTTP and TLS", Transport, "_arrived"),
    ("HTTP and TLS", Transport, "get"),
    ("reading the answer", Source, "read"),
    ("the poller, waiting included", Poller, "ask"),
    ("rows: form, write, sync", RowsSink, "slot"),
    ("journal entries", Journal, "emit"),
    ("status: counting and writing", StatusSink, "slot"),
)


class _Inside(threading.local):
    """What the stages took that this thread's stage has called."""

    seconds: float = 0.0


class BackToBack(SystemClock):
    """Answers take the time they take, but the next slot is always due at once."""

    def __init__(self, marks: list[int]) -> None:
        super().__init__()
        self._now = datetime.now(UTC).replace(second=0, microsecond=0)
        self._marks = [WARM_SLOTS, *(WARM_SLOTS + mark for mark in marks)]
        self._ledger = 0
        self._last: tuple[int, float, float] = (0, 0.0, 0.0)
        self.stages: defaultdict[str, float] = defaultdict(float)
        self.seen: list[dict[str, float]] = []

    def now(self) -> datetime:
        return self._now

    def wait(self, until: float) -> object | None:
        seconds = until - time.monotonic()
        if 0 < seconds < ANSWER_SECONDS + 1:
            return super().wait(until)
        self._now += timedelta(seconds=round(seconds))
        self._ledger += seconds > 0
        if self._ledger < self._marks[0]:
            return None
        self._note()
        self._marks.pop(0)
        return None if self._marks else Signal.STOP

    def _note(self) -> None:
        slots, cpu, moment = self._last
        self._last = (self._ledger, time.process_time(), time.monotonic())
        if self._ledger > WARM_SLOTS:
            count = self._ledger - slots
            used, took = self._last[1] - cpu, self._last[2] - moment
            stages = {name: seconds / count * 1e6 for name, seconds in self.stages.items()}
            costs: dict[str, float] = {"us": used / count * 1e6, "seconds": took / count, **stages}
            sizes: dict[str, float] = {"kib": resident_kib("VmRSS"), "peak_kib": resident_kib("VmHWM")}
            self.seen.append({"slots": self._ledger - WARM_SLOTS, **sizes, **costs})
        self.stages.update(dict.fromkeys(self.stages, 0.0))


def resident_kib(name: str) -> int:
    """A size of this process in KiB: VmRSS now, VmHWM the greatest so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


@contextmanager
def staged(seconds: defaultdict[str, float]) -> Iterator[None]:
    """Adds up the CPU seconds that each stage takes of its thread, without the stages inside it."""
    from unittest.mock import patch  # 3 MB that a run without stages need not hold

    inside = _Inside()
    seconds.update(dict.fromkeys((*(name for name, _, _ in STAGES), "choosing"), 0.0))

    def timed(name: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(inner)
        def outer(*args: Any, **kwargs: Any) -> Any:
            began, others, inside.seconds = time.thread_time(), inside.seconds, 0.0
            try:
                return inner(*args, **kwargs)
            finally:
                took = time.thread_time() - began
                seconds[name] += took - inside.seconds
                inside.seconds = others + took

        return outer

    patches = [
        patch.object(kind, method, timed(name, getattr(kind, method))) for name, kind, method in STAGES
    ]
    patches.append(patch("price.recorder.loop.choose", timed("choosing", choose)))
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()


def main() -> None:
    """Runs the recorder through the marks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--marks", type=lambda text: list(map(int, text.split(","))), default=[1000])
    parser.add_argument("--stages", action="store_true")
    options = parser.parse_args()
    for source in SOURCES.values():
        source.burst = 0  # type: ignore[misc] # its pace is one of real time
        source.gap_seconds = 0  # type: ignore[misc]
        source.limit_per_minute = None  # type: ignore[misc]
    settings = {"PRICE_INTERVAL": str(INTERVAL_SECONDS), "PRICE_TIMEOUT": str(ANSWER_SECONDS)}
    clock = BackToBack(options.marks)
    app = App({**os.environ, **settings, "PRICE_MAX_AGE": "86400"}, clock)
    if options.stages:
        with staged(clock.stages):
            status = app.run()
    else:
        status = app.run()
    print(json.dumps(clock.seen))
    sys.exit(status)


if __name__ == "__main__":
    main()
