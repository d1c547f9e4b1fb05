"""What is asked of Windows' service manager, and its refusals in our words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from price.clock import Clock
from price.errors import PriceError
from price.service.place import named

ACCOUNT = r"NT AUTHORITY\LocalService"
_RESTARTS_MS = (1_000, 5_000, 60_000)
"""Pauses before each restart of a recorder that ended by itself; the last one repeats."""
_RESET_SECONDS = 86_400
"""After a day without a restart the first pause comes first again."""
_STOP_MS = 20_000
"""What it may take to stop at a shutdown of the system; it takes less than a second."""
_UNKNOWN_LEVEL = 124
_SECONDS = 60.0
_STEP_SECONDS = 0.1
_REMOVE_FIRST = "price service remove{named}, then install"
_WORDS = {
    2: f"cannot find its program: {_REMOVE_FIRST}",
    3: f"cannot find its program: {_REMOVE_FIRST}",
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
    1069: f"cannot log on: type {_REMOVE_FIRST}",
    1072: "is being removed: close the window of services, or restart Windows",
    1073: f"is installed already: {_REMOVE_FIRST}",
    1078: "has a display name that is in use: remove the other one, or choose another --name",
    1115: "cannot be started: Windows is shutting down",
}


class State(NamedTuple):
    """What the service manager says of a service."""

    word: str
    pid: int
    code: int
    """Why it ended: 0 in order."""


class Manager:
    """The service manager, asked about one service. `api` is win32service, whose handles close themselves.

    All methods raise PriceError where it refuses.
    """

    def __init__(self, api: Any, name: str, clock: Clock) -> None:
        self._api = api
        self._name = name
        self._clock = clock

    def install(self, command_line: str) -> None:
        """Has the service start with the system, with few rights, and again when it ends by itself."""
        api = self._api
        with self._in_our_words():
            service = api.CreateService(
                api.OpenSCManager(None, None, api.SC_MANAGER_ALL_ACCESS), self._name,
                f"Price recorder ({self._name})", api.SERVICE_ALL_ACCESS, api.SERVICE_WIN32_OWN_PROCESS,
                api.SERVICE_AUTO_START, api.SERVICE_ERROR_NORMAL, command_line, None, 0, None, ACCOUNT, None,
            )  # fmt: skip
            for level, value in _configuration(api).items():
                try:
                    api.ChangeServiceConfig2(service, level, value)
                except api.error as error:
                    if error.winerror != _UNKNOWN_LEVEL:  # Wine does not know all of them
                        raise

    def start(self) -> None:
        """Asks for its start."""
        with self._service() as service:
            self._api.StartService(service, None)

    def stop(self) -> State:
        """Stops it, once it has started, and waits until it has ended."""
        self.wait_while("starting")
        self._control(self._api.SERVICE_CONTROL_STOP)
        return self.wait_while("running", "stopping")

    def reload(self) -> None:
        """Has it read its settings again."""
        self._control(self._api.SERVICE_CONTROL_PARAMCHANGE)

    def remove(self) -> None:
        """Forgets it: it must have been stopped."""
        with self._service() as service:
            self._api.DeleteService(service)

    def state(self) -> State:
        """How it is."""
        with self._service() as service:
            found = self._api.QueryServiceStatusEx(service)
        words = {
            self._api.SERVICE_STOPPED: "stopped",
            self._api.SERVICE_START_PENDING: "starting",
            self._api.SERVICE_STOP_PENDING: "stopping",
            self._api.SERVICE_RUNNING: "running",
        }
        number = found["CurrentState"]
        code = found["ServiceSpecificExitCode"] or found["Win32ExitCode"]
        return State(words.get(number, f"in state {number}"), found["ProcessId"], code)

    def wait_while(self, *words: str) -> State:
        """Waits until its state is another one than these, a minute at most."""
        deadline = self._clock.monotonic() + _SECONDS
        while (state := self.state()).word in words:
            if self._clock.monotonic() > deadline:
                look = f"price service status{named(self._name)}"
                raise PriceError(f"{self._name} has been {state.word} for a minute: {look}")
            self._clock.wait(self._clock.monotonic() + _STEP_SECONDS)
        return state

    def _control(self, control: int) -> None:
        with self._service() as service:
            self._api.ControlService(service, control)

    @contextmanager
    def _service(self) -> Iterator[Any]:
        """Its handle, and refusals in our words."""
        api = self._api
        with self._in_our_words():
            manager = api.OpenSCManager(None, None, api.SC_MANAGER_CONNECT)
            yield api.OpenService(manager, self._name, api.SERVICE_ALL_ACCESS)

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except self._api.error as error:
            words = _WORDS.get(error.winerror)
            said = f"error {error.winerror}: {error.strerror}"
            if words:
                said = words.format(name=self._name, named=named(self._name))
            raise PriceError(f"the service {self._name} {said}") from error


def _configuration(api: Any) -> dict[int, object]:
    """The properties of the service, other than its command and account."""
    return {
        api.SERVICE_CONFIG_DESCRIPTION: "Records cryptocurrency prices as logs, and accounts for every slot.",
        api.SERVICE_CONFIG_FAILURE_ACTIONS: {
            "ResetPeriod": _RESET_SECONDS,
            "RebootMsg": "",
            "Command": "",
            "Actions": [(api.SC_ACTION_RESTART, pause) for pause in _RESTARTS_MS],
        },
        # else only a process that is gone counts, not one that reports an error
        api.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG: True,
        api.SERVICE_CONFIG_PRESHUTDOWN_INFO: _STOP_MS,
        # the one that each process has: to pass through folders
        api.SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO: ["SeChangeNotifyPrivilege"],
    }
