"""The program as it is typed: its status and its words where it refuses, and where its output goes away."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from price import __version__
from tests.exchange import Market
from tests.process import PATIENT, ROOT, Program, fixed_prices


@pytest.fixture
def market() -> Iterator[Market]:
    """The three exchanges of the defaults."""
    with Market(prices=fixed_prices) as market:
        yield market


def test_help_and_version_need_no_settings(tmp_path: Path) -> None:
    program = Program(tmp_path, {"PRICE_INTERVAL": "bad"})

    assert program.do("--version").stdout == f"price {__version__}\n"
    done = program.do("run", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "price run" in done.stdout.split("example")[1]


def test_a_wrong_command_line_is_told_in_short(tmp_path: Path) -> None:
    done = Program(tmp_path, {}).do("run", "--fast")

    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: price" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["run", "once", "check"])
def test_bad_settings_are_all_told_at_once(command: str, tmp_path: Path) -> None:
    environ = {"PRICE_PARIS": "x", "PRICE_MAX_AGE": "old"}
    done = Program(tmp_path, environ, TIMEOUT="7", SOURCES="kraken", QUORUM="3", PAIRS="BTC_USD").do(command)

    assert done.returncode == 78
    assert done.stdout == ""
    for told in (
        "PRICE_PARIS",
        "did you mean PRICE_PAIRS?",
        "PRICE_TIMEOUT=7",
        "PRICE_QUORUM=3",
        "BTC_USD",
        "PRICE_MAX_AGE=old",
    ):
        assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 5
    assert not (tmp_path / "prices.txt").exists()


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
@pytest.mark.parametrize("text", [None, "no certificate"])
def test_certificates_that_cannot_be_read_are_a_bad_setting(
    name: str, text: str | None, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.pem"
    if text:
        bundle.write_text(text)

    done = Program(tmp_path, {name: str(bundle)}).do("check")

    assert done.returncode == 78
    assert f"{name}={bundle}" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_refuses_a_plan_that_breaks_a_known_limit(market: Market, tmp_path: Path) -> None:
    pairs = ",".join(
        f"{base}-USD" for base in ("BTC", "ETH", "SOL", "LTC", "XRP", "ADA", "DOGE", *"ABCDEFGH")
    )
    done = Program(tmp_path, market.environment, SOURCES="coinbase", PAIRS=pairs).do("check")

    assert done.returncode == 78
    assert "coinbase" in done.stderr
    assert market["coinbase"].count == 0


def test_a_python_without_the_packages_is_told_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-S", str(ROOT / "main.py"), "run"]

    done = subprocess.run(
        command, cwd=tmp_path, env={}, capture_output=True, text=True, timeout=20, check=False
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("price: this Python has no urllib3: type `make run`")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["once"], ["check"], ["--help"], ["--version"], ["run", "--help"]])
def test_a_closed_pipe_is_no_error(arguments: list[str], market: Market, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)

    done = Program(tmp_path, market.environment, **PATIENT).do(*arguments, stdout=write)
    os.close(write)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [["once"], ["check"], ["--help"], ["history"], ["gaps"], ["verify"]])
def test_output_that_was_closed_before_the_start_is_no_error(
    arguments: list[str], market: Market, tmp_path: Path
) -> None:
    log = tmp_path / "prices.txt"
    log.write_text("# price-log 1 every=5s\n2026-11-20T15:52:05Z BTC-USD 1 coinbase\n")
    program = Program(tmp_path, market.environment | {"PRICE_FILE": str(log)}, **PATIENT)
    program.before = ["sh", "-c", 'exec "$@" >&-', "sh"]

    done = program.do(*arguments)

    assert (done.returncode, done.stderr) == (0, "")


def test_output_that_cannot_be_written_is_a_failure_in_one_line(market: Market, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")

    with Path("/dev/full").open("w") as full:
        done = Program(tmp_path, market.environment, **PATIENT).do("once", stdout=full.fileno())

    assert done.returncode == 1
    assert re.fullmatch(r"price: .*No space left on device\n", done.stderr)


def test_bad_settings_are_told_by_the_status_where_nobody_listens(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)

    done = Program(tmp_path, {}, INTERVAL="7").do("check", stderr=write)
    os.close(write)

    assert done.returncode == 78
