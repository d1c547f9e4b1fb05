"""A Windows service, and one by NSSM, watched through stand-ins for Windows' service manager and psutil."""

import json
from pathlib import Path
from typing import Any

import psutil
import pytest

from price import times
from price.errors import PriceError
from price.service.manager import Manager
from price.supervise.service import Service
from tests.fakes import FakeClock
from tests.test_service import Api

STARTED = "2026-11-20T15:52:04Z"
BEGAN = times.unix(times.parse_iso(STARTED)) - 1.0
SERVICE, NSSM, RECORDER, STRANGER = 100, 200, 300, 400


class Process:
    """What psutil knows of a process."""

    def __init__(self, pid: int, parent: int | OSError = 1, began: float = BEGAN) -> None:
        self.pid = pid
        self.alive = True
        self._parent = parent
        self._began = began

    def ppid(self) -> int:
        if isinstance(self._parent, OSError):
            raise self._parent
        return self._parent

    def create_time(self) -> float:
        return self._began

    def is_running(self) -> bool:
        return self.alive

    def kill(self) -> None:
        self.alive = False


class Windows(Api):
    """Its service manager with one service `price`, and its processes."""

    def __init__(
        self, folder: Path, *processes: Process, pid: int = SERVICE, refuse: dict[str, int] | None = None
    ) -> None:
        super().__init__(refuse=refuse)
        self.file = folder / "status.json"
        self.processes = {process.pid: process for process in processes}
        self.state = self.SERVICE_RUNNING
        self.service_pid = pid

    def QueryServiceStatusEx(self, service: object) -> dict[str, int]:  # noqa: N802 - Windows' name
        return {
            "CurrentState": self.state,
            "ProcessId": self.service_pid,
            "Win32ExitCode": 0,
            "ServiceSpecificExitCode": 0,
        }

    def watched(self) -> Service:
        return Service("price", Manager(self, "price", FakeClock()), lambda: self.file, self.process)

    def writes(self, pid: int, started: str = STARTED) -> None:
        """What a recorder says of itself."""
        self.file.write_text(json.dumps({"pid": pid, "started": started, "interval": 5}))

    def process(self, pid: int) -> Any:
        if pid not in self.processes:
            raise psutil.NoSuchProcess(pid)
        return self.processes[pid]

    @property
    def starts(self) -> int:
        """How often the service was started."""
        return len(self.said("StartService"))


def test_one_that_runs_is_not_started(tmp_path: Path) -> None:
    windows = Windows(tmp_path, Process(SERVICE))
    service = windows.watched()
    service.start()

    assert windows.starts == 0
    assert service.ended() is None
    assert service.at_work()
    assert service.close() == 0
    assert windows.processes[SERVICE].alive, "it outlives its supervisor"


@pytest.mark.parametrize("refuse", [{}, {"StartService": 1053}], ids=["started", "refused"])
@pytest.mark.parametrize("state", [1, 4], ids=["stopped", "said to run without a process"])
def test_one_without_a_process_is_started_by_the_service_manager(
    tmp_path: Path, state: int, refuse: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    windows = Windows(tmp_path, refuse=refuse)
    windows.state = state
    windows.watched().start()

    assert windows.starts == 1
    said = "the service price did not answer in time" if refuse else "service price started"
    assert said in caplog.text


def test_one_that_was_killed_left_its_status_behind_and_is_started_again(tmp_path: Path) -> None:
    windows = Windows(tmp_path, Process(SERVICE))
    windows.writes(SERVICE)
    service = windows.watched()
    windows.processes.clear()

    ended = service.ended()

    assert ended is not None
    assert (ended.words, ended.status) == ("service price has no process any more", None)


def test_one_that_was_stopped_in_order_is_left_alone_until_it_runs_again(tmp_path: Path) -> None:
    windows = Windows(tmp_path, Process(SERVICE))
    service = windows.watched()
    windows.state, windows.service_pid = windows.SERVICE_STOPPED, 0

    assert (service.ended(), service.at_work()) == (None, False)
    windows.state, windows.service_pid = windows.SERVICE_RUNNING, SERVICE
    assert (service.ended(), service.at_work()) == (None, True)
    assert windows.starts == 0


@pytest.mark.parametrize(
    ("process", "pid", "certain"),
    [
        (Process(SERVICE), SERVICE, True),
        (Process(RECORDER, parent=NSSM), NSSM, True),
        (Process(RECORDER, parent=OSError(22, "WinError 87")), NSSM, True),
        (Process(RECORDER), NSSM, False),
        (Process(RECORDER, parent=NSSM, began=BEGAN + 3600), NSSM, False),
        (Process(SERVICE, began=BEGAN - 3600), SERVICE, False),
    ],
    ids=["the service", "NSSM's child", "no word of parents", "of another", "began later", "began before"],
)
def test_of_one_that_hangs_its_recorder_is_ended_if_that_is_certain_and_nothing_else(
    tmp_path: Path, process: Process, pid: int, certain: bool, caplog: pytest.LogCaptureFixture
) -> None:
    others = [Process(NSSM), Process(STRANGER)]
    windows = Windows(tmp_path, process, *others, pid=pid)
    windows.writes(process.pid)
    windows.watched().end()

    assert process.alive != certain
    assert all(other.alive for other in others)
    assert ("which process is its recorder is not certain; nothing is ended" in caplog.text) != certain


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"pid": "x"}', '{"pid": null}', '{"pid": 100, "started": 7}']
)
def test_a_status_that_makes_no_sense_ends_nothing(tmp_path: Path, text: str) -> None:
    own = Process(SERVICE)
    windows = Windows(tmp_path, own)
    windows.file.write_text(text)
    windows.watched().end()

    assert own.alive


def test_a_service_that_is_not_there_is_refused_with_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(PriceError, match=r"^the service price is not installed: price service install$"):
        Windows(tmp_path, refuse={"OpenService": 1060}).watched()
