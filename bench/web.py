"""What the page costs: start, memory, ranges out of a year, and a slot; next to `price candles`."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench import tables
from bench.measured import measured

PAIR = "BTC-USD"
LAST = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp())
"""Where the ranges end."""
DAY = 86_400
RANGES = {"an hour": DAY // 24, "a day": DAY, "a week": 7 * DAY, "a month": 30 * DAY, "a year": 334 * DAY}
SLOTS, TABS = 200, 100
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Page:
    """A `price web` over a log."""

    def __init__(self, port: int, pid: int) -> None:
        self._url, self._pid = f"http://127.0.0.1:{port}/", pid

    def get(self, what: str) -> bytes:
        """An answer's body."""
        with urllib.request.urlopen(self._url + what, timeout=60) as answer:
            body: bytes = answer.read()
            return body

    def cpu_seconds(self) -> float:
        """What the process has used so far."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND

    def mib(self) -> float:
        """What of it is resident now."""
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024

    def whole(self, seconds: int) -> int:
        """Asks for a range that ends at LAST until it is whole; in how many requests."""
        asked = f"api/series?pair={PAIR}&since={LAST - seconds}&until={LAST}&points=800"
        count = 1
        while "percent" in json.loads(self.get(asked)):
            count += 1
        return count


def tell(year: Path) -> None:
    """Prints the table, for a log of a year."""
    rows: list[tuple[str, float, float, float, int]] = []
    with _served(year) as page:
        rows.append(("start, until it answers", page.cpu_seconds(), 0.0, page.mib(), 1))
        for name, seconds in RANGES.items():
            for again in ("", ", again"):
                cpu, began = page.cpu_seconds(), time.monotonic()
                count = page.whole(seconds)
                took = time.monotonic() - began
                rows.append((name + again, page.cpu_seconds() - cpu, took, page.mib(), count))
    candles = [sys.executable, "-B", "main.py", "candles", "--every", "1h", "--file", str(year)]
    cost = measured([*candles, "--until", f"{datetime.fromtimestamp(LAST, UTC):%Y-%m-%dT%H:%M:%SZ}"])
    rows.append(
        ("`price candles --every 1h`, a year", cost.cpu_seconds, cost.seconds, cost.peak_kib / 1024, 0)
    )
    head = ("what", "CPU seconds", "seconds", "resident MiB", "requests")
    tables.show("The page over a year of ticks", head, rows)
    slots = [(tabs, _slot_ms(tabs)) for tabs in (1, TABS)]
    tables.show("The page, a slot", ("tabs on one pair", "CPU ms a slot"), slots)


def _slot_ms(tabs: int) -> float:
    """CPU that the page takes for a slot that is new: each tab asks for the status and the last minute."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "prices.txt")
        first = int(time.time()) // 5 * 5 - 5 * 17_280
        rows = [f"{_utc(first + 5 * n)} {PAIR} 97000.{n % 10} coinbase\n" for n in range(17_280)]
        log.write_text("# price-log 1 every=5s\n" + "".join(rows))
        with _served(log) as page:
            count = SLOTS // (1 if tabs == 1 else 10)
            cpu = page.cpu_seconds()
            for number in range(count):
                with log.open("a") as file:
                    file.write(f"{_utc(first + 5 * (17_280 + number))} {PAIR} 97000.5 coinbase\n")
                since = first + 5 * (17_280 + number) - 60
                for _ in range(tabs):
                    page.get("api/now")
                    page.get(f"api/series?pair={PAIR}&since={since}&until={since + 90}&every=5&points=800")
            return (page.cpu_seconds() - cpu) / count * 1000


def _utc(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


@contextmanager
def _served(log: Path) -> Iterator[Page]:
    """A page over this log, while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"PRICE_WEB_LISTEN": f"127.0.0.1:{port}", "PRICE_STATUS": str(log.with_name("no-status"))}
    command = [sys.executable, "-B", "main.py", "web", "--file", str(log)]
    child = subprocess.Popen(command, env={**os.environ, **settings}, stdout=subprocess.DEVNULL)
    try:
        page = Page(port, child.pid)
        for _ in range(200):
            try:
                page.get("api/now")
                break
            except OSError:
                time.sleep(0.05)
        else:
            raise RuntimeError("price web does not answer")
        yield page
    finally:
        child.terminate()
        child.wait()
