"""The service on a machine: its settings, what it writes, what the journal holds of it."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from tests.process import until
from tests.system.machine import Machine

CHECKOUT = "/usr/local/src/price"
PRICES = "/var/log/price/prices.txt"
SETTINGS = "/etc/price/price.env"


class Row(NamedTuple):
    """What these tests look at in a row of prices.txt."""

    slot: datetime
    price: str
    reason: str
    slots: int


class Service:
    """`price` on a machine, beside local copies of three exchanges, at a slot each second."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._urls = self._begin_exchanges()
        self.set()

    def set(self, **settings: str) -> None:
        """Writes the settings file: the local exchanges, and whatever is given."""
        wanted = {"PRICE_INTERVAL": "1", "PRICE_TIMEOUT": "0.5"} | self._urls | settings
        text = "".join(f"{name}={value}\n" for name, value in wanted.items())
        self.machine.path(SETTINGS).write_text(text)

    def systemctl(self, *command: str) -> float:
        """Runs systemctl on the service; gives the seconds that it took."""
        began = time.monotonic()
        self.machine.run("systemctl", *command, "price")
        return time.monotonic() - began

    def start_seconds(self) -> float:
        """What the last start took by systemd's clock, less what the process waited for other processes."""
        began, ready = (int(self.show(f"{at}TimestampMonotonic")) for at in ("InactiveExit", "ActiveEnter"))
        _, waited_ns, _ = self.machine.run("cat", f"/proc/{self.pid()}/schedstat").split()
        return (ready - began) / 1e6 - int(waited_ns) / 1e9

    def show(self, name: str) -> str:
        """A property of the unit."""
        return self.machine.show("price", name)

    def pid(self, unit: str = "price") -> str:
        """The main process of a unit; 0 where it does not run."""
        return self.machine.show(unit, "MainPID")

    def signal(self, name: str, pid: str) -> None:
        """Sends a signal to a process."""
        self.machine.run("sh", "-c", f"kill -{name} {pid}")

    def rows(self) -> list[Row]:
        """The rows of prices.txt."""
        return rows_of(self.machine.path(PRICES).read_text())

    def await_rows(self, count: int, seconds: float = 60) -> list[Row]:
        """Waits for so many more rows; gives the new ones."""
        before = len(self.rows())
        until(lambda: len(self.rows()) >= before + count, seconds)
        return self.rows()[before:]

    def entries(self, *match: str) -> list[dict[str, Any]]:
        """The service's own entries in the journal, the earliest first."""
        self.machine.run("journalctl", "--sync")
        matches = match or ("_TRANSPORT=journal",)
        asked = ("journalctl", "-u", "price", "-o", "json", "SYSLOG_IDENTIFIER=price")
        text = self.machine.run(*asked, *matches)
        return [json.loads(line) for line in text.splitlines()]

    def messages(self, *match: str) -> list[str]:
        """The texts of the entries."""
        return [str(entry["MESSAGE"]) for entry in self.entries(*match)]

    def _begin_exchanges(self) -> dict[str, str]:
        ports = self.machine.path("/run/exchanges")
        command = ("/usr/bin/python3", "-B", "-m", "tests.exchange", "/run/exchanges")
        where = f"--working-directory={CHECKOUT}"
        # they answer in time on a busy machine too: what is looked at here is the recorder
        self.machine.run("systemd-run", "--quiet", "--unit=exchanges", "--property=Nice=-10", where, *command)
        until(ports.exists, 60)
        lines = [line.split() for line in ports.read_text().splitlines()]
        return {f"PRICE_{name.upper()}_URL": f"http://127.0.0.1:{port}" for name, port in lines}


def rows_of(text: str) -> list[Row]:
    """The whole rows of a log's text."""
    columns = [line.split(" ") for line in text.rpartition("\n")[0].splitlines() if line[0] != "#"]
    return [
        Row(
            datetime.fromisoformat(slot).astimezone(UTC),
            "" if price == "-" else price,
            reason if price == "-" else "",
            int(dict(item.split("=") for item in rest).get("slots", 1)),
        )
        for slot, _, price, reason, *rest in columns
    ]


def assert_no_slot_is_lost(rows: Sequence[Row], interval: int = 1) -> None:
    """Each row begins where the one before ends."""
    for row, following in pairwise(rows):
        assert following.slot == row.slot + timedelta(seconds=interval) * row.slots
