"""What is asked of Windows' service manager, and its refusals in our words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from price.errors import PriceError
from price.service.place import named

ACCOUNT = r"NT AUTHORITY\LocalService"
DESCRIPTION = "Records cryptocurrency prices as logs, and accounts for every slot."
RESTARTS_MS = (1_000, 5_000, 60_000)
"""Pauses before each restart of a recorder that ended by itself; the last one repeats."""
RESET_SECONDS = 86_400
"""After a day without a restart the first pause comes first again."""
PRIVILEGES = ["SeChangeNotifyPrivilege"]
"""The one that each process has: to pass through folders."""
STOP_MS = 20_000
"""What it may take to stop at a shutdown of the system; it takes less than a second."""
_UNKNOWN_LEVEL = 124
_SECONDS = 60.0
_STEP_SECONDS = 0.1
_ANYTHING = 0xF01FF
_WORDS = {
    2: "cannot find its program: price service remove{named}, then install",
    3: "cannot find its program: price service remove{named}, then install",
    5: "is not yours to change: open the terminal with 'Run as administrator' and repeat",
    123: "cannot have that name: use letters, digits and '-'",
    1052: "has no such control: it is another program's service",
    1053: "did not answer in time: see its entries in the Event Log",
    1055: "the service manager is busy: repeat in a minute",
    1056: "runs already: price service status{named}",
    1058: "is disabled: type sc config {name} start= auto",
    1060: "is not installed: price service install{named}",
    1061: "is just starting or stopping: repeat in a minute",
    1062: "does not run: price service start{named}",
    1067: "ended during its start: see its entries in the Event Log",
    1069: "cannot log on: type price service remove{named}, then install",
    1072: "is being removed: close the window of services, or restart Windows",
    1073: "is installed already: price service remove{named}, then install",
    1078: "has a display name that is in use: remove the other one, or choose another --name",
    1115: "cannot be started: Windows is shutting down",
}


class Clock(Protocol):
    """Time, and waiting."""

    def monotonic(self) -> float:
        """Seconds that never step back."""
        ...

    def wait(self, until: float) -> object | None:
        """Waits until a moment of `monotonic`."""
        ...


class State(NamedTuple):
    """What the service manager says of a service."""

    number: int
    word: str
    pid: int
    code: int
    """Why it ended: 0 in order."""


class Manager:
    """The service manager, asked about one service. `api` is pywin32's win32service.

    All methods raise PriceError where it refuses.
    """

    def __init__(self, api: Any, name: str, clock: Clock) -> None:
        self._api = api
        self._name = name
        self._clock = clock

    def install(self, command_line: str) -> list[str]:
        """Has the service start with the system; returns what this Windows does not know how to do."""
        api = self._api
        with self._asked(), self._scm(api.SC_MANAGER_ALL_ACCESS) as scm:
            service = api.CreateService(
                scm, self._name, f"Price recorder ({self._name})", _ANYTHING, api.SERVICE_WIN32_OWN_PROCESS,
                api.SERVICE_AUTO_START, api.SERVICE_ERROR_NORMAL, command_line, None, 0, None, ACCOUNT, None,
            )  # fmt: skip
            try:
                return [what for what, level, value in extras(api) if not self._set(service, level, value)]
            finally:
                api.CloseServiceHandle(service)

    def _set(self, service: Any, level: int, value: object) -> bool:
        try:
            self._api.ChangeServiceConfig2(service, level, value)
        except self._api.error as error:
            if error.winerror != _UNKNOWN_LEVEL:
                raise
            return False
        return True

    def start(self) -> State:
        """Starts it, and waits until it records or has ended."""
        with self._asked(), self._opened() as service:
            self._api.StartService(service, None)
        return self._wait_while(self._api.SERVICE_START_PENDING)

    def stop(self) -> State:
        """Stops it, once it has started, and waits until it has ended."""
        self._wait_while(self._api.SERVICE_START_PENDING)
        with self._asked(), self._opened() as service:
            self._api.ControlService(service, self._api.SERVICE_CONTROL_STOP)
        return self._wait_while(self._api.SERVICE_STOP_PENDING, self._api.SERVICE_RUNNING)

    def reload(self) -> None:
        """Has it read its settings again."""
        with self._asked(), self._opened() as service:
            self._api.ControlService(service, self._api.SERVICE_CONTROL_PARAMCHANGE)

    def remove(self) -> None:
        """Forgets it: it must have been stopped."""
        with self._asked(), self._opened() as service:
            self._api.DeleteService(service)

    def state(self) -> State:
        """How it is."""
        with self._asked(), self._opened() as service:
            found = self._api.QueryServiceStatusEx(service)
        words = {
            self._api.SERVICE_STOPPED: "stopped",
            self._api.SERVICE_START_PENDING: "starting",
            self._api.SERVICE_STOP_PENDING: "stopping",
            self._api.SERVICE_RUNNING: "running",
        }
        number = found["CurrentState"]
        code = found["ServiceSpecificExitCode"] or found["Win32ExitCode"]
        return State(number, words.get(number, f"in state {number}"), found["ProcessId"], code)

    def _wait_while(self, *states: int) -> State:
        deadline = self._clock.monotonic() + _SECONDS
        while (state := self.state()).number in states:
            if self._clock.monotonic() > deadline:
                look = f"price service status{named(self._name)}"
                raise PriceError(f"{self._name} has been {state.word} for a minute: {look}")
            self._clock.wait(self._clock.monotonic() + _STEP_SECONDS)
        return state

    @contextmanager
    def _scm(self, access: int) -> Iterator[Any]:
        scm = self._api.OpenSCManager(None, None, access)
        try:
            yield scm
        finally:
            self._api.CloseServiceHandle(scm)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        with self._scm(self._api.SC_MANAGER_CONNECT) as scm:
            service = self._api.OpenService(scm, self._name, _ANYTHING)
            try:
                yield service
            finally:
                self._api.CloseServiceHandle(service)

    @contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            yield
        except self._api.error as error:
            name, words = self._name, _WORDS.get(error.winerror, "")
            said = words.format(name=name, named=named(name)) or f"error {error.winerror}: {error.strerror}"
            raise PriceError(f"the service {name} {said}") from error


def extras(api: Any) -> list[tuple[str, int, object]]:
    """What is set of a service beside its start: in words, for the message of a Windows without it."""
    restart = api.SC_ACTION_RESTART
    recovery = {
        "ResetPeriod": RESET_SECONDS,
        "RebootMsg": "",
        "Command": "",
        "Actions": [(restart, pause) for pause in RESTARTS_MS],
    }
    return [
        ("its description", api.SERVICE_CONFIG_DESCRIPTION, DESCRIPTION),
        ("to restart it when it ends by itself", api.SERVICE_CONFIG_FAILURE_ACTIONS, recovery),
        ("to restart it when it reports an error", api.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, True),
        ("to wait for it at a shutdown", api.SERVICE_CONFIG_PRESHUTDOWN_INFO, STOP_MS),
        ("to take all other privileges", api.SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, PRIVILEGES),
    ]
