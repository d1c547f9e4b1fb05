"""The optional commands with the libraries of Debian 12, the oldest that the package's advice brings."""

import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.packages.building import ROOT, run

pytestmark = [pytest.mark.packages, pytest.mark.timeout(600)]

LOG = ROOT / "tests/upgrade/0.2.0/prices.txt"
LIBRARIES = (
    "prometheus_client==0.16.0",
    "waitress==2.1.2",
    "psutil==5.9.4",
    # of these there is nothing for newer Pythons, which no Debian has together with them
    "matplotlib==3.6.3; python_version < '3.12'",
    "numpy<2; python_version < '3.12'",
    "matplotlib; python_version >= '3.12'",
)


@pytest.fixture(scope="module")
def command(dist: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command next to these libraries."""
    place = tmp_path_factory.mktemp("debian") / "venv"
    run(sys.executable, "-m", "venv", place)
    run(place / "bin/python", "-m", "pip", "install", "--quiet", "--prefer-binary", dist[".whl"], *LIBRARIES)
    return place / "bin/price"


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def printed_by(*words: str | Path, folder: Path, **environ: str) -> Iterator[str]:
    """The first line that a server prints, while it runs."""
    with subprocess.Popen(words, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline()
        finally:
            process.terminate()


def test_a_picture_is_drawn(command: Path, tmp_path: Path) -> None:
    run(command, "chart", "--file", LOG, "--output", "prices.png", cwd=tmp_path)

    assert (tmp_path / "prices.png").read_bytes().startswith(b"\x89PNG")


def test_metrics_are_served(command: Path, tmp_path: Path, unused_port: int) -> None:
    address = f"127.0.0.1:{unused_port}"
    with printed_by(command, "metrics", "--listen", address, folder=tmp_path) as line:
        url = line.split()[-1]
        with urllib.request.urlopen(url) as answer:
            text = answer.read().decode()

    assert url == f"http://{address}/metrics"
    assert "price_recorder_up 0.0" in text


def test_the_page_is_served(command: Path, tmp_path: Path, unused_port: int) -> None:
    listen = f"127.0.0.1:{unused_port}"
    with (
        printed_by(command, "web", "--file", LOG, folder=tmp_path, PRICE_WEB_LISTEN=listen) as line,
        urllib.request.urlopen(line.strip()) as answer,
    ):
        assert answer.read().startswith(b"<!doctype html>")


def test_the_recorder_is_supervised(command: Path, tmp_path: Path) -> None:
    ended = subprocess.run(
        [command, "supervise"],
        cwd=tmp_path,
        env={"PRICE_SOURCES": "nonsense"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 78
    assert "missing" not in ended.stderr
