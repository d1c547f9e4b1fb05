"""CPU and memory of a tick: the recorder beside a plain Session with stock handlers, doing the same.

    .venv/bin/python -m bench.tick [--slots 1000] [--rounds 3] [--sources coinbase,kraken,bitstamp]

Local copies of the exchanges answer over TLS from a process of their own. Both ways fetch the same answers,
append the same row and log the same line; the recorder also brings each row to stable storage. Slots follow
each other back to back: time jumps to the next slot as soon as one is done. Each way runs in a process of its
own, in turn; figures are medians of the rounds.
"""

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import requests

from price import record
from price.recorder.app import App
from price.recorder.clock import Signal, SystemClock
from price.sources import SOURCES

PATHS = {
    "coinbase": "/products/BTC-USD/ticker",
    "kraken": "/0/public/Ticker?pair=XBTUSD",
    "bitstamp": "/api/v2/ticker/btcusd/",
}
PRICES: dict[str, Callable[[Any], str]] = {
    "coinbase": lambda answer: answer["price"],
    "kraken": lambda answer: answer["result"]["XXBTZUSD"]["c"][0],
    "bitstamp": lambda answer: answer["last"],
}
WARM_SLOTS = 100
INTERVAL_SECONDS = 10
ANSWER_SECONDS = 2


class BackToBack(SystemClock):
    """Answers take the time they take, but the next slot is always due at once."""

    def __init__(self, slots: int) -> None:
        super().__init__()
        self._now = datetime.now(UTC).replace(second=0, microsecond=0)
        self._slots = slots
        self._past = 0
        self._began = 0.0
        self.cpu_us = 0.0

    def now(self) -> datetime:
        return self._now

    def wait(self, until: float) -> object | None:
        seconds = until - time.monotonic()
        if 0 < seconds < ANSWER_SECONDS + 1:
            return super().wait(until)
        self._now += timedelta(seconds=round(seconds))
        self._past += seconds > 0
        if self._past == WARM_SLOTS:
            self._began = time.process_time()
        if self._past < WARM_SLOTS + self._slots:
            return None
        self.cpu_us = (time.process_time() - self._began) / self._slots * 1e6
        return Signal.STOP


def recorder(slots: int, environ: Mapping[str, str]) -> float:
    """CPU per slot of the recorder, in microseconds."""
    for name in PATHS:
        SOURCES[name].burst = 0  # type: ignore[misc] # its pace is one of real time
    clock = BackToBack(slots)
    App(environ, clock).run()
    return clock.cpu_us


def plain(slots: int, environ: Mapping[str, str]) -> float:
    """CPU per slot of the straightforward way, in microseconds."""
    from cysystemd.journal import JournaldLogHandler

    log = logging.getLogger("plain")
    log.setLevel(logging.INFO)
    log.addHandler(logging.FileHandler(environ["PRICE_FILE"]))
    log.addHandler(JournaldLogHandler())  # type: ignore[no-untyped-call] # the package has no types
    sessions = {name: requests.Session() for name in environ["PRICE_SOURCES"].split(",")}
    began = 0.0
    for slot in range(WARM_SLOTS + slots):
        if slot == WARM_SLOTS:
            began = time.process_time()
        prices = []
        for name, session in sessions.items():
            answer = session.get(environ[f"PRICE_{name.upper()}_URL"] + PATHS[name], timeout=ANSWER_SECONDS)
            prices.append(float(PRICES[name](answer.json())))
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        log.info("%s BTC-USD %s %s", now, median(prices), ",".join(sessions), extra={"pair": "BTC-USD"})
    return (time.process_time() - began) / slots * 1e6


def peak_kib() -> int:
    """The greatest resident size of this process so far."""
    line = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    return int(line.split()[1])


def in_turn(options: argparse.Namespace, environ: Mapping[str, str]) -> None:
    """Runs both ways as child processes and prints a table."""
    figures: dict[str, list[tuple[float, int]]] = {"plain": [], "recorder": []}
    for _ in range(options.rounds):
        for way, seen in figures.items():
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                files = {name: f"{folder}/{name}" for name in ("PRICE_FILE", "PRICE_STATE", "PRICE_STATUS")}
                command = [sys.executable, "-m", "bench.tick", "--slots", str(options.slots), "--way", way]
                done = subprocess.run(command, env={**environ, **files}, capture_output=True, check=True)
                seen.append(tuple(json.loads(done.stdout)))
    print("| way | CPU µs a slot | peak KiB |\n| --- | --- | --- |")
    middle = {
        way: (median(cpu for cpu, _ in seen), median(kib for _, kib in seen)) for way, seen in figures.items()
    }
    for way, (cpu, kib) in middle.items():
        print(f"| {way} | {cpu:.0f} | {kib:.0f} |")
    print(f"| recorder / plain | {middle['recorder'][0] / middle['plain'][0]:.2f} | |")


def main() -> None:
    """Starts the exchanges and measures, or measures one way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--slots", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sources", default="coinbase,kraken,bitstamp")
    parser.add_argument("--folder", help="where the rows go: a disk, or /dev/shm for memory")
    parser.add_argument("--way", choices=["plain", "recorder"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        measure = {"plain": plain, "recorder": recorder}[options.way]
        cpu = measure(options.slots, dict(os.environ))
        record.ROOT.handlers.clear()
        print(json.dumps([cpu, peak_kib()]))
        return
    with tempfile.TemporaryDirectory() as folder:
        ca = f"{folder}/ca.pem"
        command = [
            sys.executable,
            "-m",
            "tests.exchange",
            "--tls",
            "--ca",
            ca,
            "--exchanges",
            options.sources,
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as exchanges:
            if exchanges.stdout is None:
                raise SystemExit("the exchanges say nothing")
            said = dict(
                exchanges.stdout.readline().strip().split("=", 1)
                for _ in range(3 + options.sources.count(",") + 1)
            )
            more = {
                "CURL_CA_BUNDLE": ca,
                "PRICE_INTERVAL": str(INTERVAL_SECONDS),
                "PRICE_TIMEOUT": str(ANSWER_SECONDS),
                "PRICE_MAX_AGE": "86400",
                "PRICE_LOG_LEVEL": "CRITICAL",
                "PYTHONPATH": str(Path.cwd()),
            }
            in_turn(options, {**os.environ, **said, **more})
            exchanges.terminate()


if __name__ == "__main__":
    main()
