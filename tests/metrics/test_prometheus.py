"""What Prometheus itself makes of the metrics: promtool, and a server that scrapes a real recorder."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.needs import needs
from tests.scene import Scene

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus.rules.yml"
MAIN = (sys.executable, "-B", str(ROOT / "main.py"))
INSTALL = "apt install prometheus"


def promtool(*words: str, text: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["promtool", *words], input=text, capture_output=True, text=True, check=False, timeout=60
    )


def metrics(folder: Path) -> str:
    """What `price metrics` prints of a status.json."""
    environ = {**os.environ, "PRICE_STATUS": str(folder / "status.json")}
    done = subprocess.run(
        [*MAIN, "metrics"], env=environ, cwd=folder, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_promtool_finds_nothing_in_the_metrics_of_a_recorder_whose_sources_fail(tmp_path: Path) -> None:
    needs("promtool", INSTALL)
    rules, pairs = "a: any above 1", "BTC-USD,ETH-USD"
    scene = Scene(tmp_path, SOURCES="coinbase,kraken,bitstamp", ALERTS=rules, PAIRS=pairs, QUORUM="1")
    scene.net.bitstamp.hangs()
    scene.net.kraken.answers("<html>", status=503)
    found: list[str] = []
    scene.clock.at(29, lambda: found.append(metrics(tmp_path)))

    scene.run(until=30)

    checked = promtool("check", "metrics", text=found[0])
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    assert 'price_source_failures_total{source="kraken",why="unavailable"}' in found[0]
    assert 'price_alert_active{alert="a",pair="ETH-USD"} 1.0' in found[0]


def test_promtool_accepts_the_rules_and_each_fires_when_it_should() -> None:
    needs("promtool", INSTALL)

    assert promtool("check", "rules", str(RULES)).returncode == 0
    tested = promtool("test", "rules", str(Path(__file__).with_name("rules.test.yml")))
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_there_is_a_test_for_each_rule() -> None:
    named = [line.split()[-1] for line in RULES.read_text().splitlines() if "- alert:" in line]

    tests = Path(__file__).with_name("rules.test.yml").read_text()
    assert len(named) == 5
    assert all(tests.count(f"alertname: {name}") >= 2 for name in named)


class Stack:
    """A recorder of made-up prices each second, `price metrics`, and a Prometheus that scrapes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        port, self._server = _free_port(), _free_port()
        self._environ = {**os.environ, "PRICE_SOURCES": "simulated", "PRICE_INTERVAL": "1"}
        self._start(*MAIN, "metrics", "--listen", f"127.0.0.1:{port}")
        scrape = {"job_name": "price", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
        config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [scrape]}
        (folder / "prometheus.yml").write_text(json.dumps(config))
        self._start(
            "prometheus",
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{self._server}",
        )

    def record(self) -> "subprocess.Popen[bytes]":
        return self._start(*MAIN, "run")

    def series(self, text: str) -> list[float]:
        """The values of one series over the last five minutes."""
        return [float(value) for one in self._asked(f"{text}[5m]") for _, value in one["values"]]

    def await_value(self, text: str, *wanted: float) -> None:
        """Waits until a query has these values."""
        deadline = time.monotonic() + 60
        seen: object = None
        while time.monotonic() < deadline:
            try:
                seen = [float(one["value"][1]) for one in self._asked(text)]
            except OSError as error:
                seen = error
            if seen == list(wanted):
                return
            time.sleep(0.2)
        raise AssertionError(f"{text}: {seen}, not {wanted}")

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def _start(self, *command: str) -> "subprocess.Popen[bytes]":
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, cwd=self._folder, env=self._environ, stderr=quiet, stdout=quiet)
        self._processes.append(process)
        return process

    def _asked(self, text: str) -> list[dict[str, Any]]:
        url = f"http://127.0.0.1:{self._server}/api/v1/query?query={urllib.parse.quote(text)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    needs("prometheus", INSTALL)
    made = Stack(tmp_path)
    yield made
    made.close()


@pytest.mark.realtime
def test_prometheus_sees_no_stale_price_and_no_false_reset(stack: Stack) -> None:
    """Through a start, a freeze, a kill and a restart."""
    stack.await_value("price_recorder_up", 0)

    recorder = stack.record()
    stack.await_value("price_recorder_up", 1)
    stack.await_value("count(price_value)", 1)

    recorder.send_signal(signal.SIGSTOP)
    stack.await_value("price_recorder_up", 0)
    stack.await_value("count(price_value)")
    recorder.send_signal(signal.SIGCONT)
    stack.await_value("price_recorder_up", 1)
    stack.await_value("resets(price_slots_total[5m])", 0)

    recorder.kill()
    stack.await_value("price_recorder_up", 0)
    stack.await_value("count(price_value)")
    stack.await_value("count(price_slots_total)", 1)
    stack.record()
    stack.await_value("price_recorder_up", 1)
    stack.await_value("count(price_value)", 1)
    total = stack.series("price_slots_total")
    assert [later < earlier for earlier, later in pairwise(total)].count(True) <= 1


@pytest.mark.realtime
def test_two_scrapes_at_once_are_both_answered_and_a_second_server_is_refused(tmp_path: Path) -> None:
    port = _free_port()
    command = [*MAIN, "metrics", "--listen", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, cwd=tmp_path)
    url = f"http://127.0.0.1:{port}/metrics"
    try:
        _await_answer(url)
        with urllib.request.urlopen(url) as one, urllib.request.urlopen(url) as other:
            texts = [one.read().decode(), other.read().decode()]
        second = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
        )
    finally:
        process.kill()
        process.wait()

    assert all("price_recorder_up 0.0" in text for text in texts)
    assert second.returncode == 1
    assert f"--listen 127.0.0.1:{port}: Address already in use" in second.stderr


@pytest.mark.realtime
def test_debians_older_library_serves_too_and_the_address_is_printed_before_any_scrape(
    tmp_path: Path,
) -> None:
    port = _free_port()
    # start_http_server returns nothing before version 0.19; Debian 12 has 0.16
    code = (
        "import runpy, sys, prometheus_client as library; newer = library.start_http_server;"
        "library.start_http_server = lambda *words: newer(*words) and None;"
        f"sys.argv = ['price', 'metrics', '--listen', '127.0.0.1:{port}'];"
        f"runpy.run_path({MAIN[-1]!r}, run_name='__main__')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            printed = process.stdout.readline()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                text = answer.read().decode()
        finally:
            process.kill()

    assert printed.endswith(f"at http://127.0.0.1:{port}/metrics\n")
    assert "price_recorder_up 0.0" in text


def _await_answer(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.1)
        else:
            return


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
