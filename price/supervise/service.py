"""A Windows service in place of a child: our own, or one by NSSM. It outlives its supervisor."""

import logging
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from price import times
from price.errors import PriceError
from price.events import Event, log_event
from price.recorder.show_status import FAULTS as STATUS_FAULTS
from price.recorder.show_status import read_status
from price.supervise.child import FAULTS
from price.supervise.loop import Ended

_SC_SECONDS = 60
_RUNNING_ALREADY = 1056
_NEAR_SECONDS = 60.0

GET_SERVICE: Callable[[str], Any] | None = getattr(psutil, "win_service_get", None)
"""None where there are no such services."""
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


class Service:
    """What is seen of a service: its state, its process, and whether it left a status.json behind."""

    def __init__(
        self,
        service: str,
        status: Callable[[], Path],
        environ: Mapping[str, str],
        *,
        get: Callable[[str], Any] | None = GET_SERVICE,
        process: Callable[[int], Any] = psutil.Process,
        run: Run = subprocess.run,
    ) -> None:
        """Raises PriceError where there is no such service, nor any at all."""
        if get is None:
            raise PriceError("--service is for Windows; leave it out, or have systemd start price.service")
        self._service = service
        self._status = status
        self._sc = environ.get("SystemRoot", r"C:\Windows") + r"\System32\sc.exe"
        self._get, self._process, self._run = get, process, run
        self._stopped = False
        """Whether it was stopped in order, which is somebody's wish."""
        try:
            get(service).status()
        except FAULTS as error:
            raise PriceError(
                f"--service {service}: cannot be asked ({error}); `sc query` lists services,"
                " `price service install` makes one"
            ) from error

    @property
    def name(self) -> str:
        return f"service {self._service}"

    def start(self) -> None:
        """Starts it, unless it runs: the service manager, or NSSM, may have been faster."""
        self._stopped = False
        if self._runs():
            return
        done = self._run(
            [self._sc, "start", self._service], capture_output=True, timeout=_SC_SECONDS, check=False
        )
        level, result = logging.INFO, "started"
        if done.returncode not in (0, _RUNNING_ALREADY):
            level, result = logging.WARNING, f"cannot be started: sc.exe ended with status {done.returncode}"
        log_event(Event.RECORDER_LAUNCHED, level, f"{self.name} {result}")

    def ended(self) -> Ended | None:
        """How it ended; None also where it was stopped in order: then it left no status.json behind."""
        if self._runs():
            self._stopped = False
            return None
        self._stopped = self._stopped or not self._status().exists()
        return None if self._stopped else Ended(f"{self.name} has no process any more")

    def at_work(self) -> bool:
        """Unless somebody stopped it."""
        return not self._stopped

    def reload(self) -> None:
        """Nothing: `price service reload` does that."""

    def end(self) -> None:
        """Ends its recorder; the service manager, NSSM or we start it again."""
        process = self._recorder()
        if process is None:
            text = f"{self.name}: which process is its recorder is not certain; nothing is ended"
            log_event(Event.RECORDER_HUNG, logging.ERROR, text)
            return
        with suppress(*FAULTS):
            process.kill()

    def close(self) -> int:
        """Leaves it as it is."""
        return 0

    def _runs(self) -> bool:
        """Whether it has a live process, whatever state it is said to be in."""
        try:
            service = self._get(self._service)
            pid = service.pid()
            alive = pid is not None and self._process(pid).is_running()
            return bool(alive) and service.status() != "stopped"
        except FAULTS:
            return False

    def _recorder(self) -> Any | None:
        """The process that writes status.json, if there is proof that it is the service's own.

        It is the service's process or, where that is NSSM's, a child of it; and it began when status.json
        says that the recorder began, so that it is not another one that was given its number since.
        """
        try:
            status = read_status(self._status())
            process, own = self._process(int(status["pid"])), self._get(self._service).pid()
            began = times.unix(times.parse_iso(status["started"]))
            near = abs(process.create_time() - began) <= _NEAR_SECONDS
            related = own is not None and (own == process.pid or _parent(process) in (own, None))
        except (*STATUS_FAULTS, *FAULTS):
            return None
        else:
            return process if near and related else None


def _parent(process: Any) -> int | None:
    """The number of a process's parent; None where the system does not say."""
    with suppress(*FAULTS):
        parent: int = process.ppid()
        return parent
    return None
