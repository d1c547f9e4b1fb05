"""A folder with a recorder's files, and the processes that record there."""

import json
import os
import re
import select
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from price import times
from price.model import Quote
from tests.checks import sound

PYTHON = os.path.realpath(sys.executable)
"""The interpreter itself: strace and kill must not hit a version manager's shim."""
ROOT = Path(__file__).parents[2]
BEGIN = times.parse_iso("2026-11-20T15:00:00Z")
PATIENCE_SECONDS = 60
_QUOTE = re.compile(r"\S+Z [A-Z]+-USD ")
BETWEEN_RUNS = timedelta(hours=2)


class Ended(Exception):
    """The recorder ended while a test waited for it."""


def _of_the_unit() -> dict[str, str]:
    """What deploy/price.service sets for the allocator."""
    unit = (ROOT / "deploy" / "price.service").read_text()
    return dict(re.findall(r"^Environment=(MALLOC_\w+)=(\d+)$", unit, re.MULTILINE))


class Place:
    """Settings and files; `start` begins a recorder there, each hours after the one before."""

    def __init__(self, folder: Path, aside: Path, **settings: str) -> None:
        self.folder = folder
        self.file = folder / "prices.txt"
        self.aside = aside
        """A folder that no fault touches: status, state, and what recorders say."""
        self.settings = {"FILE": str(self.file), "STATE": str(aside / "state.json")}
        self.settings |= {"STATUS": str(aside / "status.json"), "SOURCES": "simulated"}
        self.settings |= {"INTERVAL": "10", "TIMEOUT": "6", **settings}
        self.runs: list[Recorder] = []

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a recorder."""
        path = ":".join([str(ROOT), *(one for one in sys.path if one.endswith("site-packages"))])
        named = {f"PRICE_{name}": value for name, value in self.settings.items()}
        return {"PATH": os.environ["PATH"], "PYTHONPATH": path, "HOME": "/", **_of_the_unit(), **named}

    def next_now(self) -> datetime:
        """When the next recorder begins."""
        return BEGIN + len(self.runs) * BETWEEN_RUNS

    def start(self, *wrapper: str, **more: str) -> "Recorder":
        """A recorder that has recorded, or held, its first slot. `wrapper` stands before its command."""
        recorder = self.attempt(*wrapper, **more)
        recorder.wait_ready()
        return recorder

    def attempt(self, *wrapper: str, **more: str) -> "Recorder":
        """A recorder that may well not begin."""
        command = [*wrapper, PYTHON, "-m", "tests.faults.stepped", times.iso(self.next_now())]
        recorder = Recorder(command, {**self.environ, **more})
        self.runs.append(recorder)
        return recorder

    def clear(self) -> None:
        """Kills what still runs."""
        for recorder in self.runs:
            recorder.kill()

    @property
    def said(self) -> str:
        """What the recorders said, without quotes."""
        lines = "".join(recorder.said() for recorder in self.runs).splitlines()
        return "\n".join(line for line in lines if not _QUOTE.match(line))

    def said_once(self, text: str) -> bool:
        """Whether exactly one line says something."""
        return sum(text in line for line in self.said.splitlines()) == 1

    @property
    def status(self) -> dict[str, Any]:
        """status.json as it stands."""
        found: dict[str, Any] = json.loads((self.aside / "status.json").read_text())
        return found

    @property
    def acknowledged(self) -> datetime | None:
        """The last slot that a recorder has said to be safe, if it said so of any."""
        text = (self.aside / "status.json").exists() and self.status["slot"]
        return times.parse_iso(text) if text else None

    def rows(self, file: Path | None = None) -> list[Quote]:
        """The rows of the log, after proof that it is sound."""
        return sound(file or self.file)

    def slots(self) -> list[str]:
        """The slots of rows with a price, hours and minutes and seconds."""
        return [times.iso(row.slot)[11:19] for row in self.rows() if row.price is not None]


class Recorder:
    """A stepped recorder in a process of its own."""

    def __init__(self, command: Sequence[str], environ: dict[str, str]) -> None:
        # what it says goes through a pipe: a limit on files must not silence it
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ,
            cwd=ROOT,
        )
        self._said = b""
        assert self.process.stderr is not None
        os.set_blocking(self.process.stderr.fileno(), False)

    def said(self) -> str:
        """What it has said so far."""
        if self.process.stderr is not None and not self.process.stderr.closed:
            self._said += self.process.stderr.read() or b""
        return self._said.decode()

    def wait_ready(self) -> None:
        """Waits until it waits for a command. Raises Ended."""
        assert self.process.stdout is not None
        poll = select.poll()  # select takes no descriptor beyond 1023, and a run of all tests may get there
        poll.register(self.process.stdout, select.POLLIN)
        ready = poll.poll(1000 * PATIENCE_SECONDS)
        self.said()
        assert ready, "the recorder hangs"
        if not os.read(self.process.stdout.fileno(), 2):
            raise Ended

    def tell(self, command: str) -> None:
        """Gives a command without waiting."""
        assert self.process.stdin is not None
        os.write(self.process.stdin.fileno(), f"{command}\n".encode())

    def do(self, *commands: str) -> None:
        """Gives commands, each when the one before is done. Raises Ended."""
        for command in commands:
            self.tell(command)
            self.wait_ready()

    def slot(self, count: int = 1) -> None:
        """Has slots come and be recorded, or held. Raises Ended."""
        self.do(*["slot"] * count)

    def stop(self) -> int:
        """Asks for a stop and gives the exit status."""
        self.tell("stop")
        return self.ended()

    def ended(self) -> int:
        """The exit status, once it has ended."""
        status = self.process.wait(PATIENCE_SECONDS)
        self._close()
        return status

    def kill(self) -> None:
        """Makes sure that it is gone: it stops when its commands end, also behind a tracer."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._close()

    def _close(self) -> None:
        self.said()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
