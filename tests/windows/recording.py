"""A recorder in a folder of Windows, and what it leaves there."""

import json
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.proof import proven
from tests.windows.prefix import MAIN, PYTHON, SECONDS, Prefix, Ran, named

SIMULATED = {"SOURCES": "simulated", "INTERVAL": "1"}


class Recording:
    """`price run` in a folder, with its default files in logs below it."""

    def __init__(self, prefix: Prefix, folder: Path) -> None:
        self.prefix = prefix
        self.folder = folder
        self.logs = folder / "logs"
        self.file = self.logs / "prices.txt"
        self.settings = dict(SIMULATED)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, slots: int = 2, settings: Mapping[str, str] | None = None) -> None:
        """Starts it, and waits until it has written so many rows."""
        before = self.rows
        self._process = self.prefix.start(
            *(PYTHON, "-u", MAIN, "run"), cwd=self.folder, **named(self.settings | dict(settings or {}))
        )
        self.until_rows(before + slots)

    def until_rows(self, count: int) -> None:
        """Waits until its log has so many rows."""
        self.prefix.until(lambda: self.rows >= count)

    @property
    def rows(self) -> int:
        """How many rows the log has now."""
        return self.file.read_bytes().count(b" BTC-USD ") if self.file.exists() else 0

    def stop(self) -> str:
        """Presses Ctrl-C and waits for its end; what it said."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        said, _ = self._process.communicate(timeout=SECONDS)
        self._process = None
        return said.decode()

    def kill(self) -> None:
        """Ends it as the Task Manager does, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate(timeout=SECONDS)
            self._process = None

    def price(self, line: str, **settings: str) -> Ran:
        """Runs another command in the same folder, with the same settings."""
        return self.prefix.price(line, SECONDS, self.folder, **(self.settings | settings))

    def python(self, code: str) -> str:
        """What a piece of Python prints there."""
        return self.prefix.python(code, cwd=self.folder)

    @property
    def status(self) -> dict[str, Any]:
        """What status.json holds."""
        found: dict[str, Any] = json.loads((self.logs / "status.json").read_text())
        return found

    def proven(self) -> list[str]:
        """The rows of the log, after proof that it is whole and has Linux's line ends."""
        content = self.file.read_bytes()
        assert b"\r" not in content
        return proven(content.decode())
