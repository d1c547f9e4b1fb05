"""The program as it is started: child processes, real signals, real sockets, real time."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from price import __version__
from tests.exchange import Fault, Market, faults
from tests.process import PATIENT, ROOT, ROW, Program, ended, fixed_prices, seconds_of, until
from tests.proof import proven

pytestmark = pytest.mark.realtime


@pytest.fixture
def market() -> Iterator[Market]:
    """The three exchanges of the defaults."""
    with Market(prices=fixed_prices) as market:
        yield market


@contextmanager
def recording(program: Program) -> Iterator["subprocess.Popen[bytes]"]:
    """A recorder at work, which ends well when it is told to."""
    with program.started("run") as process:
        yield process
        assert ended(process, signal.SIGTERM)[0] == 0
    assert "Traceback" not in program.said


# Recording.


def test_a_recorder_writes_a_header_and_a_row_for_each_slot(market: Market, tmp_path: Path) -> None:
    program = Program(tmp_path, market.environment, PAIRS="BTC-USD,eth/usd")
    with recording(program):
        program.wait_for_rows(6)

    assert program.file.read_text().startswith("# price-log 1 every=1s\n")
    rows = proven(program.file.read_text())
    assert [row.partition(" ")[2] for row in rows] == [
        ROW,
        ROW.replace("BTC", "ETH").replace("100.2", "10.02"),
    ] * (len(rows) // 2)
    assert program.file.stat().st_mode & 0o777 == 0o644
    assert not (tmp_path / "status.json").exists()
    assert "stopping" in program.said


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        (signal.SIGTERM, None),
        (signal.SIGINT, None),
        (signal.SIGINT, faults.hang()),
        (signal.SIGTERM, faults.drip_body()),
    ],
    ids=str,
)
def test_a_signal_ends_it_within_a_second_also_while_requests_hang_on_connections_that_were_kept(
    number: signal.Signals, fault: Fault | None, market: Market, tmp_path: Path
) -> None:
    program = Program(tmp_path, market.environment, INTERVAL="2", TIMEOUT="1.9")
    with program.started("run") as process:
        program.wait_for_rows(1)
        if fault:
            market.fail(fault)
            asked = [exchange.count for exchange in market]
            until(lambda: all(one.count > before for one, before in zip(market, asked, strict=True)))
        status, seconds = ended(process, number)

    assert status == 0
    assert seconds < 1
    assert "Traceback" not in program.said
    proven(program.file.read_text())


def test_the_log_level_holds_from_the_first_word_on_and_never_for_rows(
    market: Market, tmp_path: Path
) -> None:
    program = Program(tmp_path, market.environment, LOG_LEVEL="error")
    with recording(program):
        program.wait_for_rows(2)

    assert program.said == ""


# Reloading.


def test_a_reload_takes_good_settings_at_the_next_slot_and_refuses_bad_ones(
    market: Market, tmp_path: Path
) -> None:
    program = Program(tmp_path, market.environment)
    settings = tmp_path / "settings"
    program.environ["PRICE_ENV"] = str(settings)
    settings.write_text("PRICE_PAIRS=BTC-USD\n")
    with recording(program) as process:
        program.wait_for_rows(2)

        settings.write_text("PRICE_PAIRS=BTC-USD,ETH-USD\n")
        process.send_signal(signal.SIGHUP)
        rows = program.wait_for_rows(4)
        assert rows[-1].split(" ")[1] == "ETH-USD"

        settings.write_text("PRICE_PAIRS=nonsense\nPRICE_QUORUM=7\n")
        process.send_signal(signal.SIGHUP)
        program.wait_for_words("refused, the old ones stay")
        program.wait_for_rows(4)

        settings.unlink()
        process.send_signal(signal.SIGHUP)
        program.wait_for_words("there is no such file")
        program.wait_for_rows(2)

    rows = proven(program.file.read_text())
    assert not [row for row in rows if " - " in row], "no slot was missed for a reload"
    refusal = next(line for line in program.said.splitlines() if "refused" in line)
    assert "PRICE_PAIRS=nonsense" in refusal
    assert "PRICE_QUORUM=7" in refusal


def hears_hup(pid: int) -> bool:
    """Whether a process has a handler for HUP, which is signal 1."""
    status = Path(f"/proc/{pid}/status").read_text()
    return bool(int(status.partition("SigCgt:")[2].split()[0], 16) & 1)


def test_a_reload_that_is_asked_for_while_the_recorder_starts_is_done(market: Market, tmp_path: Path) -> None:
    program = Program(tmp_path, market.environment)
    settings = tmp_path / "settings"
    program.environ["PRICE_ENV"] = str(settings)
    settings.write_text("PRICE_PAIRS=BTC-USD\n")
    with recording(program) as process:
        until(lambda: hears_hup(process.pid))  # from then on it still has most of its modules to load
        settings.write_text("PRICE_PAIRS=ETH-USD\n")
        process.send_signal(signal.SIGHUP)
        program.wait_for_words("reading the settings again")
        assert program.wait_for_rows(1)[-1].split(" ")[1] == "ETH-USD"


def test_many_reloads_leave_nothing_behind(market: Market, tmp_path: Path) -> None:
    if not Path("/proc/self/task").exists():
        pytest.skip("only Linux shows the threads of a process")
    program = Program(tmp_path, market.environment)

    def held() -> tuple[int, int]:
        proc = Path(f"/proc/{process.pid}")
        return len(list((proc / "task").iterdir())), len(list((proc / "fd").iterdir()))

    with recording(program) as process:
        program.wait_for_rows(2)
        before = held()
        for count in range(1, 21):
            process.send_signal(signal.SIGHUP)
            until(lambda count=count: program.said.count("settings read again") >= count)  # type: ignore[misc]
        program.wait_for_rows(2)
        until(lambda: held()[0] <= before[0])
        until(lambda: held()[1] <= before[1])

    proven(program.file.read_text())


def test_a_storm_of_signals_ends_in_a_clean_stop(market: Market, tmp_path: Path) -> None:
    program = Program(tmp_path, market.environment)
    with program.started("run") as process:
        program.wait_for_rows(1)
        for _ in range(50):
            process.send_signal(signal.SIGHUP)
        status, seconds = ended(process, signal.SIGTERM)

    assert status == 0
    assert seconds < 1
    assert "Traceback" not in program.said


# Asking once.


def test_once_prints_the_rows_of_the_slot_and_writes_nothing(market: Market, tmp_path: Path) -> None:
    began = int(time.time())
    done = Program(tmp_path, market.environment, PAIRS="BTC-USD,ETH-USD", **PATIENT).do("once")

    assert (done.returncode, done.stderr) == (0, "")
    rows = done.stdout.splitlines()
    assert rows[0].endswith(f"Z {ROW}")
    assert rows[1].split(" ")[1] == "ETH-USD"
    assert began - 5 <= seconds_of(rows[0]) == seconds_of(rows[1]) <= time.time()
    assert list(tmp_path.iterdir()) == []


def test_once_is_content_with_one_source_and_not_with_none(market: Market, tmp_path: Path) -> None:
    program = Program(tmp_path, market.environment, INTERVAL="5", TIMEOUT="1", QUORUM="1")
    market["coinbase"].fault = faults.hang()
    market["kraken"].fault = faults.hang_up()
    done = program.do("once")
    assert done.returncode == 0
    assert done.stdout.endswith(" BTC-USD 100.3 bitstamp\n")

    market["bitstamp"].fault = faults.status(429)
    done = program.do("once")
    assert done.returncode == 1
    assert done.stdout.endswith(" BTC-USD - coinbase:timeout,kraken:unreachable,bitstamp:rate-limited\n")
    assert done.stderr == ""


def test_check_shows_the_plan_and_what_each_source_answers(market: Market, tmp_path: Path) -> None:
    program = Program(tmp_path, market.environment, PAIRS="BTC-USD,ETH-USD", **PATIENT)
    done = program.do("check")

    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(
        rf"^coinbase +127\.0\.0\.1:{market['coinbase'].port} +24 +\d+", done.stdout, re.MULTILINE
    )
    assert re.search(r"^kraken +ETH-USD +10\.02 +\S+ +\d+$", done.stdout, re.MULTILINE)
    assert [path.name for path in tmp_path.iterdir()] == []

    market["kraken"].fault = faults.html()
    done = program.do("check")
    assert done.returncode == 1
    assert re.search(r"^kraken +BTC-USD +unreadable: ", done.stdout, re.MULTILINE)
    assert re.search(r"^bitstamp +BTC-USD +100\.3 ", done.stdout, re.MULTILINE)


# Looking at it.


def test_status_shows_a_running_recorder_and_says_no_without_one(market: Market, tmp_path: Path) -> None:
    program = Program(tmp_path, market.environment)
    with recording(program) as process:
        program.wait_for_rows(2)
        shown = program.do("status")
        as_json = program.do("status", "--json")

    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"process {process.pid}" in shown.stdout
    assert re.search(r"^BTC-USD +100\.2 ", shown.stdout, re.MULTILINE)
    assert len(re.findall(r"^(?:coinbase|kraken|bitstamp) +selected ", shown.stdout, re.MULTILINE)) == 3
    status = json.loads(as_json.stdout)
    assert status["pid"] == process.pid
    assert status["version"] == __version__
    assert status["pairs"]["BTC-USD"]["price"] == "100.2"
    assert set(status["sources"]) == {"coinbase", "kraken", "bitstamp"}

    gone = program.do("status")
    assert gone.returncode == 1
    assert gone.stderr.count("\n") == 1
    assert "no recorder runs" in gone.stderr


def test_status_says_no_at_once_where_the_recorder_was_killed(market: Market, tmp_path: Path) -> None:
    program = Program(tmp_path, market.environment, INTERVAL="10")
    with program.started("run") as process:
        program.wait_for_rows(1)
        until((tmp_path / "status.json").exists)  # it comes after the row
        process.kill()
        process.wait()

    for options in ([], ["--json"]):
        done = program.do("status", *options)
        assert done.returncode == 1
    assert json.loads(done.stdout)["pid"] == process.pid


def test_status_says_no_where_the_recorder_is_stuck(market: Market, tmp_path: Path) -> None:
    program = Program(tmp_path, market.environment)
    with program.started("run") as process:
        last = seconds_of(program.wait_for_rows(1)[-1])
        until((tmp_path / "status.json").exists)  # it comes after the row
        process.send_signal(signal.SIGSTOP)
        until(lambda: time.time() > last + 5.1)
        done = program.do("status")

    assert done.returncode == 1
    assert "older than 3 intervals" in done.stdout


def test_ctrl_c_while_asking_once_is_quiet(market: Market, tmp_path: Path) -> None:
    market.fail(faults.hang())
    program = Program(tmp_path, market.environment, INTERVAL="60", TIMEOUT="50")
    with program.started("once") as process:
        until(lambda: all(exchange.count for exchange in market))
        status, seconds = ended(process, signal.SIGINT)

    assert status == 130
    assert seconds < 1
    assert program.said == ""


def test_a_recorder_without_standard_streams_puts_no_file_in_their_place(
    market: Market, tmp_path: Path
) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("only Linux shows the files of a process")
    program = Program(tmp_path, market.environment)
    program.before = ["sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh"]
    with recording(program) as process:
        program.wait_for_rows(1)
        streams = [str(Path(f"/proc/{process.pid}/fd/{number}").readlink()) for number in range(3)]

    assert streams == [os.devnull] * 3, "else what a library says at its end would stand in the log"


def test_a_terminal_that_goes_away_does_not_stop_the_recorder(market: Market, tmp_path: Path) -> None:
    program = Program(tmp_path, market.environment)
    read, write = os.pipe()
    with program.started("run", stderr=write) as process:
        os.close(write)
        program.wait_for_rows(1)
        os.close(read)
        program.wait_for_rows(3)
        assert ended(process, signal.SIGTERM)[0] == 0

    assert not [row for row in proven(program.file.read_text()) if " - " in row]


def test_a_pipe_that_nobody_reads_does_not_hold_the_recorder_up(market: Market, tmp_path: Path) -> None:
    program = Program(tmp_path, market.environment)
    read, write = os.pipe()
    os.set_blocking(write, False)
    with suppress(BlockingIOError):
        while True:
            os.write(write, b"x" * 4096)
    os.set_blocking(write, True)
    with program.started("run", stderr=write) as process:
        os.close(write)
        program.wait_for_rows(2)
        told = b""
        while b" lines were left out: nobody read stderr" not in told:
            told += os.read(read, 65536)
        assert ended(process, signal.SIGTERM)[0] == 0
    os.close(read)

    proven(program.file.read_text())


# Over HTTPS.


def test_https_needs_a_certificate_that_is_trusted(tmp_path: Path) -> None:
    with Market(prices=fixed_prices, ca=tmp_path / "ca.pem") as market:
        trusting = Program(tmp_path, market.environment, **PATIENT).do("once")
        others = {name: value for name, value in market.environment.items() if name.startswith("PRICE_")}
        refusing = Program(tmp_path, others, **PATIENT).do("check")

    assert (trusting.returncode, trusting.stdout.split(" ", 1)[1]) == (0, f"{ROW}\n")
    assert refusing.returncode == 1
    assert refusing.stdout.count("unreachable: its certificate is not accepted") == 3


# A machine without a network, and one without answers to its look-ups.


@pytest.fixture
def alone(tmp_path: Path) -> Callable[..., Program]:
    """Makes a program that runs in a network of its own, with a resolver that does as told."""
    unshare = ["unshare", "--map-root-user", "--net", "--mount"]
    if (
        not shutil.which("unshare")
        or subprocess.run([*unshare, "true"], check=False, stderr=subprocess.DEVNULL).returncode
    ):
        pytest.skip("this machine does not let us have a network of our own")

    def make(resolver: str, **settings: str) -> Program:
        program = Program(tmp_path, {"PYTHONPATH": str(ROOT)}, **settings)
        program.before = [*unshare, sys.executable, "-m", "tests.alone", resolver]
        return program

    return make


def test_without_a_network_each_slot_is_missed_and_said_to_be_so_once(alone: Callable[..., Program]) -> None:
    program = alone("none")
    with recording(program):
        rows = program.wait_for_rows(5)

    proven(program.file.read_text())
    every = ",".join(f"{name}:unreachable" for name in ("coinbase", "kraken", "bitstamp"))
    assert rows[0].split(" ", 1)[1] == f"BTC-USD - {every}"
    assert all(row.split(" ")[2] == "-" for row in rows)
    assert seconds_of(rows[4]) == seconds_of(rows[0]) + 4
    for name in ("coinbase", "kraken", "bitstamp"):
        assert program.said.count(f"warning: {name} lost: unreachable") == 1
    assert program.said.count("set PRICE_SOURCES=simulated") == 1
    assert program.said.count("retired") == 0


def test_names_that_do_not_exist_are_unreachable(alone: Callable[..., Program]) -> None:
    done = alone("nowhere", TIMEOUT="0.5").do("once")

    assert done.returncode == 1
    assert (
        done.stdout.split(" ", 1)[1]
        == "BTC-USD - coinbase:unreachable,kraken:unreachable,bitstamp:unreachable\n"
    )


def test_a_resolver_that_says_nothing_costs_neither_slots_nor_the_stop(alone: Callable[..., Program]) -> None:
    program = alone("silent", TIMEOUT="0.3")
    with program.started("run") as process:
        rows = program.wait_for_rows(3)
        status, seconds = ended(process, signal.SIGTERM)

    assert status == 0
    assert seconds < 1
    assert "Traceback" not in program.said
    reasons = [row.split(" ")[3].split(",")[0] for row in proven(program.file.read_text())]
    assert reasons[:2] == ["coinbase:timeout", "coinbase:busy"]
    assert seconds_of(rows[2]) == seconds_of(rows[0]) + 2


# Time.


def test_no_slot_is_skipped_though_answers_take_their_time(tmp_path: Path) -> None:
    names = ("coinbase", "kraken", "bitstamp")
    with (
        Market(names, prices=fixed_prices) as market,
        Market((*names, "gemini"), prices=fixed_prices) as halting,
        ExitStack() as running,
    ):
        market.fail(faults.delay(0.2))
        halting.fail(faults.delay(0.2))
        halting["gemini"].fault = faults.hang()
        programs = []
        for name, asked in (("well", market), ("halting", halting)):
            (tmp_path / name).mkdir()
            programs.append(Program(tmp_path / name, asked.environment, TIMEOUT="0.6"))
            running.enter_context(programs[-1].started("run"))
        for program in programs:
            program.wait_for_rows(8)

    for program in programs:
        rows = proven(program.file.read_text())
        first = seconds_of(rows[0])
        assert [seconds_of(row) for row in rows] == list(range(first, first + len(rows)))
        assert not [row for row in rows if " - " in row], "a slot was missed"
