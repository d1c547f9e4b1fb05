"""A service that `price service` made, and what it wrote to the Event Log."""

import os
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from tests.windows.prefix import Prefix, Ran

FOLDER = r"C:\test\price"
SIMULATED = {"PRICE_SOURCES": "simulated", "PRICE_INTERVAL": "1"}
PROCESS = r"^C:.python.python.exe -u .*start.py"


class Installed:
    """A service that was installed into FOLDER."""

    def __init__(self, prefix: Prefix, folder: Path) -> None:
        self.prefix = prefix
        self.folder = folder
        self.file = folder / "prices.txt"

    def verb(self, line: str) -> Ran:
        """Does `price service` with a line."""
        return self.prefix.price(f"service {line}")

    def set(self, settings: Mapping[str, str]) -> None:
        """Writes the settings file."""
        text = "".join(f"{name}={value}\n" for name, value in settings.items())
        (self.folder / "price.env").write_text(text)

    def start(self) -> None:
        """Starts it, and waits for rows."""
        before = self.rows
        started = self.verb("start")
        assert started.code == 0, started.text
        self.prefix.until(lambda: self.rows > before + 1)

    @property
    def rows(self) -> int:
        """How many rows the log has now."""
        return self.file.read_bytes().count(b" BTC-USD ") if self.file.exists() else 0

    @property
    def pid(self) -> int:
        """Its process as Linux counts them; 0 where there is none."""
        return next(iter(self.prefix.pids(PROCESS)), 0)

    def kill(self) -> None:
        """Ends its process as the Task Manager does."""
        assert self.pid, "there is no process"
        os.kill(self.pid, signal.SIGKILL)
        self.prefix.until(lambda: not self.pid)

    def entries(self, since: int) -> list[str]:
        """The texts of its entries in the Event Log from a line of the trace on, without their fields."""
        lines = self.prefix.entries[since:]
        first = [after for line, after in pairwise(lines) if "fixme:advapi:ReportEventW" in line]
        return [found[1] for line in first if (found := re.search(r'ReportEventW L"(.*)"$', line))]


@contextmanager
def installed(prefix: Prefix, folder: Path) -> Iterator[Installed]:
    """A service with simulated prices; it is removed with the test."""
    service = Installed(prefix, folder / "price")
    service.folder.mkdir(exist_ok=True)
    service.set(SIMULATED)
    ran = service.verb(rf"install --folder {FOLDER}")
    if "is installed already" in ran.text:  # by a run of the tests that was ended
        service.verb("remove")
        ran = service.verb(rf"install --folder {FOLDER}")
    assert ran.code == 0, ran.text
    yield service
    if service.pid:
        service.kill()
    service.verb("remove")
