"""The recorder with a clock that is told when the next slot comes: as a program, one command a line on stdin.

    python -m tests.faults.stepped 2026-11-20T15:00:00Z

It records a slot at once. `slot` brings the next one, `reload` and `stop` are the signals, and anything else
is done to the process or its files by `MISCHIEF`. Whenever it waits for a command it prints a dot. Only
answers take real time: rests and slots do not.
"""

import os
import resource
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from price import times
from price.clock import Signal
from price.recorder.app import App
from tests.announced import announced
from tests.fakes import FakeClock

_SIGNALS = {"stop": Signal.STOP, "reload": Signal.RELOAD}
_MOMENT_SECONDS = 0.001


def stepped(environ: Mapping[str, str], now: datetime, commands: Iterable[str]) -> App:
    """A recorder that does as told; when there are no more commands it is stopped."""
    clock = FakeClock(now)
    interval = int(environ.get("PRICE_INTERVAL", "10"))
    round_seconds = float(environ.get("PRICE_TIMEOUT", "4")) + _MOMENT_SECONDS
    file = Path(environ["PRICE_FILE"])
    left = iter(commands)

    def go_on() -> None:
        """Does what is told up to a signal or the next slot, which comes without a wait."""
        while (command := next(left, "stop")) != "slot" and command not in _SIGNALS:
            MISCHIEF[command](file)
        if command == "slot":
            clock.freeze((times.next_slot(clock.now(), interval) - clock.now()).total_seconds())
            clock.at(clock.passed + round_seconds, go_on)
        else:
            clock.post(_SIGNALS[command])
            clock.at(clock.passed + _MOMENT_SECONDS, go_on)

    clock.at(round_seconds, go_on)
    return App(environ, clock, announced(clock))


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
    sys.exit(stepped(os.environ, times.parse_iso(sys.argv[1]), _read_commands()).run())
