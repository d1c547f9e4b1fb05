"""The program in a process of its own, with its settings and files in a folder."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from price import times
from price.model import Pair

T = TypeVar("T")
ROOT = Path(__file__).parent.parent
PRICES = {"coinbase": "100.10", "kraken": "100.20", "bitstamp": "100.30", "gemini": "100.40"}
ROW = "BTC-USD 100.2 coinbase,kraken,bitstamp"
PATIENT = {"INTERVAL": "5", "TIMEOUT": "4"}
"""For answers that come, from programs that are just loading on a busy machine."""


def fixed_prices(exchange: str, pair: Pair, _moment: datetime) -> Decimal:
    """Prices that stand still, so that a row is known beforehand."""
    return Decimal(PRICES[exchange]) / (1 if pair.base == "BTC" else 10)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def until(
    condition: Callable[[], T], seconds: float = 10, every: float = 0.005, *, told: Callable[[], str] = str
) -> T:
    """What a condition gives once it gives something; fails where it does not in time, saying why."""
    end = time.monotonic() + seconds
    while not (given := condition()):
        assert time.monotonic() < end, f"it did not happen in time\n{told()}"
        time.sleep(every)
    return given


class Program:
    """The program with its settings, in a folder of its own."""

    def __init__(self, folder: Path, environ: Mapping[str, str], **settings: str) -> None:
        self.folder = folder
        self.file = folder / "prices.txt"
        self.errors = folder / "stderr"
        self.before: list[str] = []
        """What starts the program, where it is not started directly."""
        self.environ = {
            "PATH": os.environ["PATH"],
            "PRICE_INTERVAL": "1",
            "PRICE_FILE": str(self.file),
            "PRICE_STATE": str(folder / "state.json"),
            "PRICE_STATUS": str(folder / "status.json"),
            **environ,
            **{f"PRICE_{name}": value for name, value in settings.items()},
        }

    @property
    def _command(self) -> list[str]:
        return [*self.before, sys.executable, str(ROOT / "main.py")]

    def do(
        self,
        *arguments: str,
        seconds: float = 20,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
    ) -> "subprocess.CompletedProcess[str]":
        """Runs a command to its end; what it prints is kept, or goes to a descriptor."""
        return subprocess.run(
            [*self._command, *arguments],
            cwd=self.folder,
            env=self.environ,
            stdout=stdout,
            stderr=stderr,
            text=True,
            timeout=seconds,
            check=False,
        )

    @contextmanager
    def started(self, *arguments: str, stderr: int | None = None) -> Iterator["subprocess.Popen[bytes]"]:
        """A command at work, not longer than the block; what it says on stderr is kept, or goes elsewhere."""
        with (
            self.errors.open("ab") as errors,
            subprocess.Popen(
                [*self._command, *arguments], cwd=self.folder, env=self.environ, stderr=stderr or errors
            ) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    @property
    def said(self) -> str:
        """What it said on stderr."""
        return self.errors.read_text() if self.errors.exists() else ""

    @property
    def rows(self) -> list[str]:
        """The rows as far as they are written."""
        lines = self.file.read_text().splitlines(keepends=True) if self.file.exists() else []
        return [line[:-1] for line in lines if line.endswith("\n") and not line.startswith("#")]

    def wait_for_rows(self, count: int) -> list[str]:
        """So many rows more than there are."""
        wanted = len(self.rows) + count
        return until(
            lambda: rows if len(rows := self.rows) >= wanted else [], count + 10, told=lambda: self.said
        )

    def wait_for_words(self, words: str, seconds: float = 10) -> None:
        """Something said on stderr."""
        until(lambda: words in self.said, seconds, told=lambda: self.said)


def ended(process: "subprocess.Popen[bytes]", number: signal.Signals) -> tuple[int, float]:
    """The exit status after a signal, and how many seconds it took."""
    began = time.monotonic()
    process.send_signal(number)
    status = process.wait(5)
    return status, time.monotonic() - began


def seconds_of(row: str) -> int:
    """The Unix time of a row's slot."""
    return times.unix(times.parse_iso(row.split(" ")[0]))
