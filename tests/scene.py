"""The recorder as it is, from its settings to its files, on a fake clock and before a fake network."""

import json
import logging
import random
from datetime import datetime
from pathlib import Path
from typing import Any

from price.clock import Signal
from price.events import Event
from price.recorder.app import App, MakeWorkers
from tests.fakes import START, FakeClock, FakeNet
from tests.listening import listening, said
from tests.proof import proven


class Scene:
    """A folder with the recorder's settings and files. Moments are seconds since the scene began."""

    def __init__(self, folder: Path, now: datetime = START, **settings: str) -> None:
        self.folder = folder
        self.file = folder / "prices.txt"
        self.clock = FakeClock(now)
        self.net = FakeNet(self.clock)
        self.records: list[logging.LogRecord] = []
        self.environ: dict[str, str] = {}
        """What stands in the environment beside the settings file."""
        self.make_workers: MakeWorkers = self.net.workers
        self._settings: dict[str, str] = {}
        self.set(**{"FILE": str(self.file), "SOURCES": "kraken", **settings})

    def set(self, **settings: str) -> None:
        """Writes settings, without their PRICE_, into the settings file."""
        self._settings |= settings
        lines = [f"PRICE_{name}={value}\n" for name, value in self._settings.items()]
        (self.folder / "settings").write_text("".join(lines))

    def reload_at(self, moment: float, **settings: str) -> None:
        """Has the operator change settings and reload the recorder."""
        self.clock.at(moment, lambda: self.set(**settings))
        self.clock.post_at(moment, Signal.RELOAD)

    def run(self, until: float, *handlers: logging.Handler) -> int:
        """Runs a recorder from now until it is stopped at a moment; gives its exit status."""
        environ = {
            "PRICE_ENV": str(self.folder / "settings"),
            "STATE_DIRECTORY": str(self.folder),
            "RUNTIME_DIRECTORY": str(self.folder),
            **self.environ,
        }
        self.clock.post_at(until, Signal.STOP)
        app = App(environ, self.clock, self.make_workers, random.Random(7))
        with listening(self.records, *handlers):
            return app.run()

    @property
    def text(self) -> str:
        """The log as it is on disk."""
        return self.file.read_text()

    @property
    def rows(self) -> list[str]:
        """The log's rows without their date and Z, after proof that the log is whole."""
        return [f"{row[11:19]}{row[20:]}" for row in proven(self.text)]

    def said(self, *events: Event) -> list[str]:
        """What the program said about kinds of event, so far."""
        return said(self.records, *events)

    def json(self, name: str) -> Any:
        """What one of its small files holds."""
        return json.loads((self.folder / name).read_text())

    def json_at(self, name: str, *moments: float) -> list[Any]:
        """What one of them holds at moments, once the scene has run."""
        seen: list[Any] = []
        for moment in moments:
            self.clock.at(moment, lambda: seen.append(self.json(name)))
        return seen
