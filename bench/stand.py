"""The machine that the recorder and its peers run on: a real systemd, local exchanges over TLS."""

import itertools
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from bench.measured import Cost
from tests.process import until
from tests.system import installation
from tests.system.machine import CannotBoot, Machine
from tests.system.service import CHECKOUT

HERE = Path(__file__).parent
TOOLS = ("collectd", "curl", "gcc", "jq", "logger", "mawk", "time")
FOLDER = "/run/bench"
PYTHON = "/opt/price/venv/bin/python"
_MORE = "/opt/bench"
_MODULES = f"{CHECKOUT}:{_MORE}/packages"
_JOURNALD = "[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\nSystemMaxUse=4G\n"
_PATHS = {
    "coinbase": "/products/BTC-USD/ticker",
    "kraken": "/0/public/Ticker?pair=XBTUSD",
    "bitstamp": "/api/v2/ticker/btcusd/",
}
_STATE_OFFSET, _ARCHIVED, _BLOCK_BYTES = 16, 2, 512
"""Of a journal file: https://systemd.io/JOURNAL_FILE_FORMAT"""
_numbers = itertools.count()


class Stand:
    """A machine with `price` installed, the peers and, while they are served, exchanges."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._urls: dict[str, str] = {}
        self._journals: set[Path] = set()
        machine.path(FOLDER).mkdir()
        _write(machine.path("/etc/systemd/journald.conf.d/bench.conf"), _JOURNALD)
        machine.run("systemctl", "restart", "systemd-journald")
        shutil.copytree(
            installation.download(HERE.parent / "requirements-bench.txt"), machine.path(f"{_MORE}/wheels")
        )
        pip = (PYTHON, "-m", "pip", "install", "--quiet", "--no-index", f"--find-links={_MORE}/wheels")
        machine.run(*pip, f"--target={_MORE}/packages", "ccxt", "trustme", seconds=120)
        floor = f"{CHECKOUT}/bench/peers/floor.c"
        machine.run("gcc", "-O2", "-o", f"{FOLDER}/floor", floor, "-lcurl", "-lsystemd", "-lm")

    @contextmanager
    def serving(self, *exchanges: str) -> Iterator[None]:
        """Exchanges, as bench/server.py takes them, while the block runs."""
        for name in ("urls.json", "asked.json"):
            self.machine.path(f"{FOLDER}/{name}").unlink(missing_ok=True)
        unit = f"exchanges-{next(_numbers)}"
        where = (f"--working-directory={CHECKOUT}", f"--setenv=PYTHONPATH={_MODULES}")
        serve = (PYTHON, "-B", "-m", "bench.server", FOLDER, *exchanges)
        self.machine.run("systemd-run", "--quiet", f"--unit={unit}", *where, *serve)
        try:
            until(self.machine.path(f"{FOLDER}/urls.json").exists, 20)
            self._urls = json.loads(self.machine.path(f"{FOLDER}/urls.json").read_text())
            yield
        finally:
            self.machine.run("systemctl", "stop", unit)

    def asked(self) -> dict[str, list[float]]:
        """When each exchange that was served was asked, in Unix seconds."""
        found: dict[str, list[float]] = json.loads(self.machine.path(f"{FOLDER}/asked.json").read_text())
        return found

    def recorder(self, *exchanges: str, **settings: str) -> dict[str, str]:
        """The environment of a recorder that asks these, with files of its own."""
        folder = self._new_folder()
        names = [name.partition("-")[0] for name in exchanges]
        urls = {
            f"PRICE_{name.upper()}_URL": self._urls[one] for name, one in zip(names, exchanges, strict=True)
        }
        files = {name: f"{folder}/{name}" for name in ("PRICE_FILE", "PRICE_STATE", "PRICE_STATUS")}
        return {**urls, **files, "PRICE_SOURCES": ",".join(names), **self._trust(), **settings}

    def peer(self, *exchanges: str, slots: int = 0, interval: float = 0, **more: str) -> dict[str, str]:
        """The environment of a peer that asks these, with a file of its own."""
        urls = " ".join(map(self._ticker, exchanges))
        ticks = {"SLOTS": str(slots), "INTERVAL": f"{interval:g}"}
        return {"URLS": urls, "FILE": f"{self._new_folder()}/rows", **ticks, **self._trust(), **more}

    def collectd(self, exchange: str, interval: float) -> Sequence[str]:
        """The command of a collectd that asks an exchange."""
        folder = self._new_folder()
        named = {"INTERVAL": f"{interval:g}", "FOLDER": folder, "CA": f"{FOLDER}/ca.pem"}
        text = (HERE / "peers" / "collectd.conf").read_text()
        for name, value in {**named, "URL": self._ticker(exchange)}.items():
            text = text.replace(f"@{name}@", value)
        _write(self.machine.path(f"{folder}/collectd.conf"), text)
        return ("collectd", "-f", "-C", f"{folder}/collectd.conf")

    def run(self, command: Sequence[str], environ: Mapping[str, str], *, seconds: float = 600) -> Any:
        """Runs a command as a service whose stderr is the journal; gives the JSON that it printed."""
        out = f"{self._new_folder()}/out"
        unit = (
            *("systemd-run", "--quiet", "--wait", "--collect", f"--working-directory={CHECKOUT}"),
            *("-p", f"StandardOutput=file:{out}", "-p", "StandardError=journal"),
            *("-p", "LogRateLimitIntervalSec=0", f"--setenv=PYTHONPATH={_MODULES}"),
            *(f"--setenv={name}={value}" for name, value in environ.items()),
        )
        done = self.machine.attempt(*unit, *command, seconds=seconds)
        if done.returncode:
            journal = self.machine.run("journalctl", "-n", "30", "-o", "cat")
            raise RuntimeError(f"{command}: {done.stdout}{done.stderr}\n{journal}")
        return json.loads(self.machine.path(out).read_text())

    def cost(self, command: Sequence[str], environ: Mapping[str, str], *, seconds: float = 0) -> Cost:
        """What a command costs; with `seconds` it is ended after that time."""
        limit = ("--seconds", f"{seconds:g}") if seconds else ()
        measure = ("/usr/bin/python3", "-B", "-m", "bench.measured", *limit)
        return Cost(**self.run((*measure, *command), environ, seconds=seconds + 600))

    def begin_journal(self) -> None:
        """Begins a new journal file."""
        self.machine.run("journalctl", "--rotate")
        self._journals = self._archived()

    def end_journal(self) -> int:
        """Ends the journal file that was begun; gives the bytes that it takes on disk."""
        self.machine.run("journalctl", "--sync")  # it may still be reading
        self.machine.run("journalctl", "--rotate")
        new = self._archived() - self._journals
        # until then it is as large as it was allocated, and its unused parts are not yet given back
        until(lambda: all(path.read_bytes()[_STATE_OFFSET] == _ARCHIVED for path in new), 20)
        return sum(path.stat().st_blocks * _BLOCK_BYTES for path in new)

    def _ticker(self, name: str) -> str:
        """Where an exchange that is served tells the price; names are exchanges', or begin so: `kraken-2`."""
        return self._urls[name] + _PATHS[name.partition("-")[0]]

    def _archived(self) -> set[Path]:
        return set(self.machine.path("/var/log/journal").glob("*/system@*"))

    def _trust(self) -> dict[str, str]:
        ca = f"{FOLDER}/ca.pem"
        return {"REQUESTS_CA_BUNDLE": ca, "CA": ca}

    def _new_folder(self) -> str:
        folder = f"{FOLDER}/{next(_numbers)}"
        self.machine.path(folder).mkdir()
        return folder


@contextmanager
def stand() -> Iterator[Stand]:
    """A stand, while the block runs. SystemExit says what is missing."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise SystemExit(f"not installed here: {', '.join(missing)}: `make bench` installs them as root")
    try:
        machine = installation.installed_machine()
    except CannotBoot as reason:
        raise SystemExit(str(reason)) from reason
    with closing(machine):
        yield Stand(machine)


def peer(name: str) -> list[str]:
    """The command of a peer in bench/peers."""
    script = f"{CHECKOUT}/bench/peers/{name}"
    return {".py": [PYTHON, "-B", script], ".sh": ["sh", script]}.get(Path(name).suffix, [f"{FOLDER}/{name}"])


def recorder() -> list[str]:
    """The command of the recorder, as its unit starts it."""
    return [PYTHON, "-B", "/opt/price/main.py", "run"]


def back_to_back(*options: str) -> list[str]:
    """The command of the recorder without the waiting."""
    return [PYTHON, "-B", "-m", "bench.back_to_back", *options]


def machine_in_words() -> str:
    """What this machine is, for the head of a report."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    cpu = next(named, "an unknown processor")
    count = subprocess.run(["nproc"], capture_output=True, text=True, check=True).stdout.strip()
    kernel = subprocess.run(["uname", "-r"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{count} x {cpu}, Linux {kernel}"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
