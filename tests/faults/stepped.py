"""The recorder with a clock that is told when the next slot comes: as a program, one command a line on stdin.

    python -m tests.faults.stepped 2026-11-20T15:00:00Z

It records a slot at once. `slot` brings the next one, `reload` and `stop` are the signals, and anything else
is done to the process or its files by `MISCHIEF`. Whenever it waits it prints a dot. Between the slots its
monotonic clock leaps as well: rests take no real time.
"""

import os
import resource
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from price import times
from price.clock import Signal, SystemClock
from price.recorder.app import App
from price.recorder.workers import Outcome
from tests.announced import announced

_SHORT_SECONDS = 7
"""Shorter waits are for answers, and real: a busy machine may take seconds for the simulated exchange."""
_LATE_SECONDS = 2
"""How long answers that missed their slot may take to come; a look-up of a name may take longer."""
_SIGNALS = {"stop": Signal.STOP, "reload": Signal.RELOAD}


class Stepped(SystemClock):
    """Time stands still until a command lets the next slot come."""

    def __init__(self, now: datetime, environ: Mapping[str, str], commands: Iterable[str]) -> None:
        super().__init__()
        self._now = self._until = now
        self._interval = int(environ.get("PRICE_INTERVAL", "10"))
        self._file = Path(environ["PRICE_FILE"])
        self._commands = iter(commands)
        self._ahead = 0.0
        self._expected = 0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return super().monotonic() + self._ahead

    def expect(self) -> None:
        """Has no slot come until one more outcome has."""
        self._expected += 1

    def wait(self, until: float) -> object | None:
        if until - self.monotonic() < _SHORT_SECONDS:
            return self._take(until)
        if self._expected and (late := self._take(self.monotonic() + _LATE_SECONDS)):
            return late
        self._expected = 0
        while self._now >= self._until:
            command = next(self._commands, "stop")
            if command in _SIGNALS:
                return _SIGNALS[command]
            if command == "slot":
                self._until = times.next_slot(self._now, self._interval)
            else:
                MISCHIEF[command](self._file)
        self._ahead += (self._until - self._now).total_seconds()
        self._now = self._until
        return None

    def _take(self, until: float) -> object | None:
        item = super().wait(until)
        self._expected = max(0, self._expected - isinstance(item, Outcome))
        return item


def _limit(file: Path) -> None:
    """No file may grow beyond the log's size and half a row."""
    _allow(file.stat().st_size + 20)


def _stall(_file: Path) -> None:
    """No file may grow beyond half a row."""
    _allow(20)


def _allow(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _unlimit(_file: Path) -> None:
    _allow(resource.RLIM_INFINITY)


def _rotate(file: Path) -> None:
    file.rename(f"{file}.1")


MISCHIEF: dict[str, Callable[[Path], None]] = {
    "limit": _limit,
    "stall": _stall,
    "unlimit": _unlimit,
    "rotate": _rotate,
}


def _read_commands() -> Iterator[str]:
    while True:
        print(".", flush=True)
        command = sys.stdin.readline()
        if not command:
            return
        yield command.strip()


if __name__ == "__main__":
    clock = Stepped(times.parse_iso(sys.argv[1]), os.environ, _read_commands())
    sys.exit(App(os.environ, clock, lambda wanted, _: announced(wanted, clock)).run())
