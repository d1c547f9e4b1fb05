"""`price supervise` as it is started: real recorders, real signals, killed and hung."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.needs import needs
from tests.process import ROOT, Program, ended, until
from tests.proof import proven

pytestmark = pytest.mark.realtime
RECORDER = (sys.executable, str(ROOT / "main.py"), "run", "--end-with-stdin")
PATIENCE_SECONDS = 40
"""For what comes within seconds on a machine that is not busy."""


class Supervised(Program):
    """A supervisor in a folder of its own; simulated prices, since none are looked at."""

    def __init__(self, folder: Path, **settings: str) -> None:
        super().__init__(folder, {}, **{"SOURCES": "simulated", **settings})
        self.program = [str(ROOT / "main.py")]

    @property
    def _command(self) -> list[str]:
        return [*self.before, sys.executable, *self.program]

    @contextmanager
    def quick(self, *command: str) -> Iterator["subprocess.Popen[bytes]"]:
        """One with short delays and limits, that starts a command in place of the recorder."""
        words = [sys.executable, "-m", "tests.supervise.quick", "3", *(command or RECORDER)]
        environ = {**self.environ, "PYTHONPATH": str(ROOT)}
        with (
            self.errors.open("ab") as errors,
            subprocess.Popen(words, cwd=self.folder, env=environ, stderr=errors) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    def recorder(self, other_than: int = 0) -> int:
        """The number of the process that records now."""

        def recording() -> int:
            with suppress(OSError, ValueError):
                pid: int = json.loads((self.folder / "status.json").read_text())["pid"]
                return pid if pid != other_than and psutil.pid_exists(pid) else 0
            return 0

        return until(recording, PATIENCE_SECONDS, told=lambda: self.said)


def is_gone(pid: int) -> bool:
    """Whether a process has ended, whoever is to collect it."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def cpu_seconds(pid: int) -> float:
    """What a process has used, exactly: proc_pid_stat(5) counts in hundredths."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


@pytest.mark.parametrize(
    "way", [[str(ROOT / "main.py")], ["-u", "-X", "faulthandler", "-m", "price"]], ids=len
)
def test_it_records_and_stops_in_order_with_its_recorder(tmp_path: Path, way: list[str]) -> None:
    program = Supervised(tmp_path)
    program.environ["PYTHONPATH"] = str(ROOT)
    program.program = way
    with program.started("supervise") as process:
        pid = program.recorder()
        assert psutil.Process(pid).cmdline() == [sys.executable, *way, "run", "--end-with-stdin"]
        program.wait_for_rows(2)
        status, _ = ended(process, signal.SIGTERM)

    assert status == 0
    assert is_gone(pid)
    assert not (tmp_path / "status.json").exists()
    assert re.search(
        rf"recorder {pid} launched\n(.*\n)*.*supervisor stops\b.*\n.*stopping after", program.said
    )
    assert "Traceback" not in program.said
    proven(program.file.read_text())


def test_a_recorder_killed_twenty_times_is_back_each_time_and_there_are_never_two(tmp_path: Path) -> None:
    program = Supervised(tmp_path)
    pids: list[int] = []
    with program.quick() as process:
        supervisor = psutil.Process(process.pid)
        for number in range(20):
            until(lambda: program.said.count(" launched\n") > number, PATIENCE_SECONDS)  # noqa: B023
            if number % 4 == 3:  # the others are killed while they still start
                program.recorder(other_than=pids[-1])
            (recorder,) = supervisor.children(recursive=True)
            pids.append(recorder.pid)
            recorder.kill()
        program.recorder(other_than=pids[-1])
        program.wait_for_rows(2)
        assert ended(process, signal.SIGTERM)[0] == 0

    assert len(set(pids)) == 20
    assert program.said.count("ended with signal 9; it is started again in ") == 20
    rows = proven(program.file.read_text())
    assert {row.split(" ")[3] for row in rows} <= {"simulated", "down"}
    assert program.do("verify").returncode == 0


def test_a_recorder_that_was_stopped_is_replaced_and_watching_costs_next_to_nothing(tmp_path: Path) -> None:
    program = Supervised(tmp_path)
    with program.started("supervise") as process:
        pid = program.recorder()
        program.wait_for_rows(1)
        began, used = time.monotonic(), cpu_seconds(process.pid)
        os.kill(pid, signal.SIGSTOP)
        program.wait_for_words(f"recorder {pid} hangs: no status for 15 s; ending it", PATIENCE_SECONDS)
        share = (cpu_seconds(process.pid) - used) / (time.monotonic() - began)
        program.recorder(other_than=pid)
        program.wait_for_rows(1)
        assert ended(process, signal.SIGTERM)[0] == 0

    assert share <= 0.001
    assert is_gone(pid)
    assert "signal 9" not in program.said, "asked in order, it goes on and ends in order"
    proven(program.file.read_text())


STUBBORN = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
status = '{"version": "1", "pid": %d, "interval": 1}' % os.getpid()
pathlib.Path(os.environ["PRICE_STATUS"]).write_text(status)
time.sleep(600)
"""


def test_one_that_hangs_and_does_not_heed_a_request_is_killed(tmp_path: Path) -> None:
    program = Supervised(tmp_path)
    with program.quick(sys.executable, "-c", STUBBORN) as process:
        pid = program.recorder()
        other = program.recorder(other_than=pid)
        assert is_gone(pid)
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: is_gone(other), PATIENCE_SECONDS)

    assert f"recorder {pid} hangs: no status for 3" in program.said
    assert f"recorder {pid} ended with signal 9" in program.said


@pytest.mark.parametrize("state", ["at work", "stopped"])
def test_nothing_outlives_a_supervisor_that_is_killed_and_the_next_one_goes_on(
    tmp_path: Path, state: str
) -> None:
    program = Supervised(tmp_path)
    with program.started("supervise") as process:
        pid = program.recorder()
        program.wait_for_rows(2)
        if state == "stopped":
            os.kill(pid, signal.SIGSTOP)
        process.kill()
        until(lambda: is_gone(pid), PATIENCE_SECONDS)
    with program.started("supervise") as process:
        program.recorder(other_than=pid)
        program.wait_for_rows(2)
        assert ended(process, signal.SIGTERM)[0] == 0

    proven(program.file.read_text())
    assert program.do("verify").returncode == 0


def test_a_reload_gets_to_both_and_a_status_elsewhere_is_followed(tmp_path: Path) -> None:
    program = Supervised(tmp_path)
    settings = tmp_path / "settings"
    program.environ["PRICE_ENV"] = str(settings)
    status = program.environ.pop("PRICE_STATUS")
    settings.write_text(f"PRICE_STATUS={status}\nPRICE_LOG_LEVEL=ERROR\n")
    other = tmp_path / "other.json"
    with program.quick() as process:
        pid = program.recorder()
        said_before = program.said
        settings.write_text(f"PRICE_STATUS={other}\nPRICE_LOG_LEVEL=INFO\n")
        process.send_signal(signal.SIGHUP)
        program.wait_for_words("settings read again", PATIENCE_SECONDS)
        program.wait_for_rows(5)
        assert json.loads(other.read_text())["pid"] == pid
        os.kill(pid, signal.SIGKILL)
        program.wait_for_words(f"recorder {pid} ended with signal 9; it is started again", PATIENCE_SECONDS)
        assert ended(process, signal.SIGINT)[0] == 0

    assert said_before == ""
    assert "hangs" not in program.said


ASKED_AT_ITS_START = """
import os, pathlib, signal, time
os.kill(os.getpid(), signal.SIGHUP)
pathlib.Path(os.environ["PRICE_STATUS"]).write_text('{"pid": %d}' % os.getpid())
time.sleep(600)
"""


def test_a_reload_does_not_end_one_that_still_starts(tmp_path: Path) -> None:
    program = Supervised(tmp_path)
    with program.quick(sys.executable, "-c", ASKED_AT_ITS_START):
        pid = program.recorder()

    assert f"recorder {pid} launched" in program.said
    assert program.said.count(" launched\n") == 1
    assert "ended with signal 1;" not in program.said


def test_it_goes_on_when_nobody_reads_what_it_says(tmp_path: Path) -> None:
    program = Supervised(tmp_path)
    reader, writer = os.pipe()
    words = [*program._command, "supervise"]
    with subprocess.Popen(words, cwd=tmp_path, env=program.environ, stderr=writer) as process:
        os.close(writer)
        os.close(reader)
        pid = program.recorder()
        os.kill(pid, signal.SIGKILL)
        program.recorder(other_than=pid)
        program.wait_for_rows(1)
        assert ended(process, signal.SIGTERM)[0] == 0


def test_rows_that_a_full_disk_refuses_are_held_while_the_supervisor_looks_on(tmp_path: Path) -> None:
    needs("unshare", "apt install util-linux")
    program = Supervised(tmp_path)
    disk = tmp_path / "disk"
    disk.mkdir()
    program.environ |= {f"PRICE_{one}": f"{disk}/{one}" for one in ("FILE", "STATE", "STATUS")}
    fill = f"mount -t tmpfs -o size=64k none {disk} && head -c 64k /dev/zero >{disk}/full; "
    mend = f"until test -e {tmp_path}/mend; do sleep 0.1; done; rm {disk}/full; sleep 4; cat {disk}/FILE"
    quick = f"{sys.executable} -m tests.supervise.quick 3 {' '.join(RECORDER)}"
    script = f"{fill} {quick} & p=$!; {mend}; kill $p; wait $p"
    inside = ["unshare", "--mount", *(["--user", "--map-root-user"] if os.geteuid() else []), "sh", "-c"]
    program.environ["PYTHONPATH"] = str(ROOT)
    with (
        program.errors.open("ab") as errors,
        subprocess.Popen(
            [*inside, script],
            cwd=tmp_path,
            env=program.environ,
            stderr=errors,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            program.wait_for_words("but cannot be written (No space left on device)", PATIENCE_SECONDS)
            until(
                lambda: program.said.count(" simulated\n") >= 8, PATIENCE_SECONDS, told=lambda: program.said
            )
            (tmp_path / "mend").touch()
            log, _ = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.kill()

    assert program.said.count(" launched\n") == 1
    assert "down" not in log
    assert len(proven(log)) >= 8


# What is not ours.


@pytest.mark.parametrize(
    ("name", "said"),
    [("prices.txt", "; stop that one first"), ("other.txt", " by another name")],
    ids=["the same name of the log", "another name"],
)
def test_a_recorder_that_somebody_else_started_is_named_and_left_alone(
    tmp_path: Path, name: str, said: str
) -> None:
    program = Supervised(tmp_path)
    with program.started("run") as recorder:
        program.wait_for_rows(1)
        if name != program.file.name:
            (tmp_path / name).hardlink_to(program.file)
        program.environ["PRICE_FILE"] = str(tmp_path / name)
        done = program.do("supervise")
        program.wait_for_rows(2)
        assert ended(recorder, signal.SIGTERM)[0] == 0

    assert done.returncode == 1
    assert f"process {recorder.pid} is recording into it{said}" in done.stderr
    assert done.stderr.count("\n") == 1
    proven(program.file.read_text())


def test_a_second_supervisor_is_refused_by_the_number_of_the_first(tmp_path: Path) -> None:
    program = Supervised(tmp_path)
    program.environ["PRICE_FILE"] = str(tmp_path / "not yet there" / "prices.txt")
    with program.started("supervise") as process:
        program.recorder()
        done = program.do("supervise")
        assert ended(process, signal.SIGTERM)[0] == 0

    assert done.returncode == 1
    assert f"process {process.pid} supervises its recorder; stop that one first" in done.stderr


@pytest.mark.parametrize("change", ["its lock file is removed", "its settings name another log"])
def test_the_recorder_of_a_living_supervisor_is_left_alone_whatever_became_of_its_lock(
    tmp_path: Path, change: str
) -> None:
    program = Supervised(tmp_path)
    settings = tmp_path / "settings"
    settings.write_text(f"PRICE_FILE={program.environ.pop('PRICE_FILE')}\n")
    program.environ["PRICE_ENV"] = str(settings)
    with program.started("supervise") as process:
        pid = program.recorder()
        program.wait_for_rows(1)
        if change == "its lock file is removed":
            (tmp_path / ".prices.txt.supervisor").unlink()
        else:
            settings.write_text(f"PRICE_FILE={tmp_path / 'other.txt'}\n")
            process.send_signal(signal.SIGHUP)
            program.wait_for_words("other.txt: a new file is begun", PATIENCE_SECONDS)
        done = program.do("supervise")
        assert program.recorder() == pid
        assert ended(process, signal.SIGTERM)[0] == 0

    assert done.returncode == 1
    assert f"process {pid} is recording into it; stop that one first" in done.stderr
    assert " launched" not in done.stderr


@contextmanager
def left_behind(program: Supervised) -> Iterator["subprocess.Popen[bytes]"]:
    """A recorder as a supervisor leaves it behind on a system that cannot end it; somebody collects it."""
    with (
        program.errors.open("ab") as errors,
        subprocess.Popen(
            RECORDER, cwd=program.folder, env=program.environ, stdin=subprocess.PIPE, stderr=errors
        ) as orphan,
    ):
        thread = threading.Thread(target=orphan.wait)
        thread.start()
        program.recorder()
        yield orphan
        orphan.kill()
        thread.join()


def test_the_orphan_of_an_earlier_supervisor_is_replaced(tmp_path: Path) -> None:
    program = Supervised(tmp_path)
    with left_behind(program) as orphan:
        with program.started("supervise") as process:
            pid = program.recorder(other_than=orphan.pid)
            program.wait_for_rows(1)
            assert ended(process, signal.SIGTERM)[0] == 0
        assert orphan.returncode == 0

    assert f"recorder {orphan.pid} was left by a supervisor that is gone" in program.said
    assert f"recorder {pid} launched" in program.said
    proven(program.file.read_text())


@pytest.mark.parametrize("holder", ["1", "x", "ÿ", ""])
def test_one_that_cannot_be_told_for_certain_is_left_alone(tmp_path: Path, holder: str) -> None:
    program = Supervised(tmp_path)
    with left_behind(program) as orphan:
        (tmp_path / ".prices.txt.lock").write_text(holder)
        done = program.do("supervise")
        assert done.returncode == 1
        assert f"process {holder or 'unknown'} is recording into it" in done.stderr
        assert orphan.poll() is None


def test_the_recorder_of_a_supervisor_whose_lock_cannot_be_taken_is_left_alone(tmp_path: Path) -> None:
    program = Supervised(tmp_path)
    (tmp_path / ".prices.txt.supervisor").symlink_to("elsewhere")  # which no lock follows
    with left_behind(program) as orphan:
        done = program.do("supervise")
        assert done.returncode == 1
        assert f"process {orphan.pid} is recording into it" in done.stderr
        assert orphan.poll() is None


# Refusals.


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"PRICE_INTERVAL": "7"}, "PRICE_INTERVAL=7: must be whole seconds"),
        (
            {"PRICE_SOURCES": "kraken", "SSL_CERT_FILE": "nothing.pem"},
            "ended with status 78: its settings are bad; it is not started again",
        ),
    ],
    ids=["found before a start", "found by the recorder alone"],
)
def test_bad_settings_are_named_and_end_it_with_78(
    tmp_path: Path, settings: dict[str, str], said: str
) -> None:
    program = Supervised(tmp_path)
    program.environ |= settings
    done = program.do("supervise")

    assert done.returncode == 78
    assert said in done.stderr


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--service"], 2, "expected one argument"),
        (["--service", " "], 2, "--service needs the name of a service"),
        (["--service", "price"], 1, "--service is for Windows"),
    ],
    ids=str,
)
def test_without_a_target_it_refuses(tmp_path: Path, words: list[str], status: int, said: str) -> None:
    done = Supervised(tmp_path).do("supervise", *words)

    assert done.returncode == status
    assert said in done.stderr
    assert not (tmp_path / "prices.txt").exists()


def test_without_psutil_it_names_the_line_that_brings_it(tmp_path: Path) -> None:
    program = Supervised(tmp_path)
    (tmp_path / "psutil.py").write_text("raise ModuleNotFoundError('no psutil', name='psutil')\n")
    program.environ["PYTHONPATH"] = str(tmp_path)
    done = program.do("supervise")

    assert done.returncode == 1
    assert "supervise needs psutil, which is missing; type: " in done.stderr
    assert done.stderr.endswith("requirements-supervise.txt\n")


# As process 1 of a container.


def test_as_process_1_it_collects_whatever_ends_passes_signals_on_and_ends_in_order(tmp_path: Path) -> None:
    needs("unshare", "apt install util-linux")
    program = Supervised(tmp_path)
    words = ["--pid", "--fork", "--kill-child", "--mount-proc"]
    program.before = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), *words]
    with program.started("supervise") as outer:
        first = until(lambda: psutil.Process(outer.pid).children(), PATIENCE_SECONDS)[0]
        program.wait_for_words("recorder 2 launched", PATIENCE_SECONDS)
        program.wait_for_rows(1)
        inside = ["nsenter", "-t", str(first.pid), "-p", *(["-U"] if os.geteuid() else []), "sh", "-c"]
        subprocess.run([*inside, "(sleep 0.2) & (sleep 0.1) &"], check=True, timeout=20)
        until(lambda: len(first.children()) == 3, PATIENCE_SECONDS)
        until(lambda: len(first.children()) == 1, PATIENCE_SECONDS)
        first.children()[0].kill()
        program.wait_for_words("recorder 2 ended with signal 9; it is started again in 1 s", PATIENCE_SECONDS)
        program.wait_for_rows(2)
        first.send_signal(signal.SIGHUP)
        program.wait_for_words("settings read again", PATIENCE_SECONDS)
        first.send_signal(signal.SIGTERM)
        assert outer.wait(PATIENCE_SECONDS) == 0

    assert "stopping after the slot" in program.said
    assert not (tmp_path / "status.json").exists()
    proven(program.file.read_text())
