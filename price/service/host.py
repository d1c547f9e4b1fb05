"""The process of the service: passes on what the service manager and the recorder say to each other."""

import sys

assert sys.platform == "win32"

import faulthandler
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TextIO

import servicemanager
import win32service
import win32serviceutil

from price.clock import Signal, SystemClock
from price.errors import PriceError, SettingsError
from price.events import Event
from price.handlers.eventlog import EventLog, reporter
from price.service.place import named

_HANGS = "hang.txt"
"""Gets the traceback of a recorder that hangs."""
_HANG_SECONDS = 60
"""As the unit's WatchdogSec: a sign of life comes with each slot and at least every 10 s."""
_START_MS = 30_000
_STOP_MS = 15_000
_NOT_STARTED_BY_IT = 1063


class Host(win32serviceutil.ServiceFramework):  # type: ignore[misc]
    """What pywin32 calls, in threads of its own."""

    _svc_name_ = ""
    environ: ClassVar[Mapping[str, str]]
    rows: ClassVar[bool]

    def __init__(self, args: Any) -> None:
        self._clock = SystemClock()  # first: from the next line on a control may come
        self._state = win32service.SERVICE_START_PENDING
        super().__init__(args)

    def GetAcceptedControls(self) -> int:  # noqa: N802 - pywin32's names
        """Stop, reload, and the early word of a shutdown: then not the late one as well."""
        ours = win32service.SERVICE_ACCEPT_PARAMCHANGE | win32service.SERVICE_ACCEPT_PRESHUTDOWN
        return int(super().GetAcceptedControls() | ours)

    def SvcStop(self) -> None:  # noqa: N802
        """Has the recorder stop; returns before it has."""
        self._show(win32service.SERVICE_STOP_PENDING, _STOP_MS)
        self._clock.post(Signal.STOP)

    def SvcOtherEx(self, control: int, event_type: int, data: object) -> None:  # noqa: N802, ARG002
        """Reloads, or stops before the system does."""
        if control == win32service.SERVICE_CONTROL_PARAMCHANGE:
            self._clock.post(Signal.RELOAD)
        elif control == win32service.SERVICE_CONTROL_PRESHUTDOWN:
            self.SvcStop()

    def SvcInterrogate(self) -> None:  # noqa: N802
        """Reports the state again."""
        self._show(self._state)

    def SvcRun(self) -> None:  # noqa: N802
        """Records until it is told to stop.

        Bad settings end it in order, with an entry for each: as an error they would have it restarted for
        ever. Whatever else ends it is raised: pywin32 then reports 1066, and it is restarted.
        """
        self._show(win32service.SERVICE_START_PENDING, _START_MS)
        # loading takes its time, and the manager gives up on what does not speak to it soon
        from price.recorder.app import App

        log = EventLog(reporter(self._svc_name_), rows=self.rows)
        try:
            self._watch(log)
            App(self.environ, self._clock, talker=log, send=self._hear).run()
        except SettingsError as error:
            for fault in error.faults:
                text = f"{fault}; mend that: price service start{named(self._svc_name_)}"
                log.note(Event.NOT_STARTED, logging.ERROR, text)
        except PriceError as error:
            log.note(Event.NOT_STARTED, logging.ERROR, str(error))
            raise
        finally:
            faulthandler.cancel_dump_traceback_later()
        self._show(win32service.SERVICE_STOP_PENDING)

    def _watch(self, log: EventLog) -> None:
        """Reports how the recorder before this one hung, and has this one end should it hang too.

        The service manager has no watchdog. This one is a thread that needs no Python to run: it notices
        too when all of Python stands still.
        """
        path = Path(_HANGS)
        if path.exists() and (text := path.read_text(encoding="utf-8", errors="replace")):
            log.note(Event.HUNG, logging.ERROR, f"the recorder hung and was ended, while it was here: {text}")
        self._hangs: TextIO = path.open("w", encoding="utf-8")
        self._alive()

    def _alive(self) -> None:
        faulthandler.dump_traceback_later(_HANG_SECONDS, file=self._hangs, exit=True)

    def _hear(self, words: str) -> None:
        """Passes on what the recorder says of itself, in the words of sd_notify(3)."""
        self._alive()
        if words == "READY=1":
            self._show(win32service.SERVICE_RUNNING)
        elif words == "STOPPING=1":
            self._show(win32service.SERVICE_STOP_PENDING, _STOP_MS)

    def _show(self, state: int, wait_ms: int = 5_000) -> None:
        self._state = state
        self.ReportServiceStatus(state, waitHint=wait_ms)


def run(name: str, environ: Mapping[str, str], *, rows: bool) -> int:
    """Is the service until the manager stops it. Raises PriceError where the manager did not start this.

    The working folder is the service's, and `environ` its recorder's.
    """
    Host._svc_name_, Host.environ, Host.rows = name, environ, rows
    servicemanager.Initialize(name, None)
    servicemanager.PrepareToHostSingle(Host)
    try:
        servicemanager.StartServiceCtrlDispatcher()
    except win32service.error as error:
        if error.winerror != _NOT_STARTED_BY_IT:
            raise
        raise PriceError("only the service manager starts this: price service start, or debug") from error
    return 0
