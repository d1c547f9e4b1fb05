"""A supervisor on a fake clock, and what it watches: a recorder that does what a story says."""

import json
import logging
from itertools import count
from pathlib import Path

from price.clock import Signal
from price.errors import PriceError
from price.events import ROOT, Event
from price.supervise.loop import Delays, Ended, Supervisor
from price.supervise.signs import Signs
from tests.fakes import FakeClock
from tests.listening import listening, said


class Recorder:
    """Replaces status.json each slot while it is at work; remembers what was done to it, and when."""

    name = "recorder 7"

    def __init__(self, clock: FakeClock, status: Path, interval: float = 5) -> None:
        self.deeds: list[tuple[float, str]] = []
        self.status = status
        self.interval = interval
        self.hangs_at: float | None = None
        self.refusal = ""
        self.immortal = False
        self.expected = True
        self._clock = clock
        self._ended: Ended | None = None
        self._run = 0
        self._size = count()

    def start(self) -> None:
        if self.refusal:
            raise PriceError(self.refusal)
        self._did("start")
        self._ended = None
        self._run += 1
        self._slot(self._run, 1)

    def ended(self) -> Ended | None:
        return self._ended

    def at_work(self) -> bool:
        return self.expected

    def reload(self) -> None:
        self._did("reload")

    def end(self) -> None:
        self._did("end")
        if not self.immortal:
            self.dies()

    def close(self) -> int:
        self._did("close")
        return 0

    def dies(self, words: str = "recorder 7 ended with signal 9", status: int | None = None) -> None:
        self._ended = Ended(words, status)

    def moments(self, deed: str) -> list[float]:
        return [moment for moment, what in self.deeds if what == deed]

    def _did(self, deed: str) -> None:
        self.deeds.append((round(self._clock.passed, 1), deed))

    def _slot(self, run: int, after: float) -> None:
        """Writes a status after so many seconds, and so on, until it dies or hangs."""

        def write() -> None:
            if run != self._run or self._ended or self._hangs():
                return
            if self.status.parent.exists():
                new = self.status.with_suffix(".new")
                # the slot may stand still: rows are held
                new.write_text(json.dumps({"interval": self.interval, "slot": None}) + " " * next(self._size))
                new.replace(self.status)
            self._slot(run, min(self.interval, 10))

        self._clock.at(self._clock.passed + after, write)

    def _hangs(self) -> bool:
        return self.hangs_at is not None and self._clock.passed >= self.hangs_at


class Watched:
    """A folder with a status.json, a recorder, and its supervisor."""

    def __init__(self, folder: Path, interval: float = 5) -> None:
        self.clock = FakeClock()
        self.path = folder / "run" / "status.json"
        self.path.parent.mkdir()
        self.recorder = Recorder(self.clock, self.path, interval)
        self.records: list[logging.LogRecord] = []
        self.settings_read: list[float] = []
        """When the supervisor read its own settings again."""

    def run(self, until: float) -> int:
        """Runs the supervisor until it is stopped at a moment; returns its exit status."""
        self.clock.post_at(until, Signal.STOP)
        signs = Signs(lambda: self.path, self.clock)
        supervisor = Supervisor(
            self.recorder, signs, self.clock, Delays(), idle=lambda: None, reload=self._read_settings
        )
        level = ROOT.level
        ROOT.setLevel(logging.DEBUG)
        try:
            with listening(self.records):
                return supervisor.run()
        finally:
            ROOT.setLevel(level)

    def _read_settings(self) -> None:
        self.settings_read.append(round(self.clock.passed, 1))

    def said(self, *events: Event) -> list[str]:
        return said(self.records, *events)
