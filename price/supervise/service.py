"""A Windows service in place of a child: our own, or one by NSSM. It outlives its supervisor."""

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from price import times
from price.errors import PriceError
from price.events import Event, log_event
from price.recorder.show_status import FAULTS as STATUS_FAULTS
from price.recorder.show_status import read_status
from price.service.manager import Manager
from price.supervise.child import FAULTS
from price.supervise.loop import Ended

_NEAR_SECONDS = 60.0


class Service:
    """What is seen of a service: its state, its process, and whether it left a status.json behind."""

    def __init__(
        self,
        name: str,
        manager: Manager,
        status: Callable[[], Path],
        process: Callable[[int], Any] = psutil.Process,
    ) -> None:
        """Raises PriceError where there is no such service."""
        self.name = f"service {name}"
        self._manager = manager
        self._status = status
        self._process = process
        self._stopped = False
        """Whether it was stopped in order, which is somebody's wish."""
        manager.state()

    def start(self) -> None:
        """Starts it, unless it runs: the service manager, or NSSM, may have been faster."""
        self._stopped = False
        if self._runs():
            return
        level, text = logging.INFO, f"{self.name} started"
        try:
            self._manager.start()
        except PriceError as error:
            level, text = logging.WARNING, str(error)
        log_event(Event.RECORDER_LAUNCHED, level, text)

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
            state = self._manager.state()
            return state.word != "stopped" and bool(self._process(state.pid).is_running())
        except (PriceError, *FAULTS):
            return False

    def _recorder(self) -> Any | None:
        """The process that writes status.json, if there is proof that it is the service's own.

        It is the service's process or, where that is NSSM's, a child of it; and it began when status.json
        says that the recorder began, so that it is not another one that was given its number since.
        """
        try:
            status = read_status(self._status())
            process, own = self._process(int(status["pid"])), self._manager.state().pid
            began = times.unix(times.parse_iso(status["started"]))
            near = abs(process.create_time() - began) <= _NEAR_SECONDS
            related = bool(own) and (own == process.pid or _parent(process) in (own, None))
        except (PriceError, *STATUS_FAULTS, *FAULTS):
            return None
        else:
            return process if near and related else None


def _parent(process: Any) -> int | None:
    """The number of a process's parent; None where the system does not say, as under Wine."""
    with suppress(*FAULTS):
        parent: int = process.ppid()
        return parent
    return None
