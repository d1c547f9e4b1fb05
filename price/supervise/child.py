"""The recorder as our own child: started, asked, ended, and never two of them."""

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from price import settings
from price.errors import PriceError
from price.events import NOTICE, Event, log_event
from price.host import children
from price.log.lock import LogLock, Unfit, open_exclusively
from price.supervise.guard import FAULTS, Guard, end
from price.supervise.loop import Ended

END_SECONDS = 5.0
"""How long one that was asked to end has for it; it needs less than one, and rows held may need a disk."""
_BAD_SETTINGS = 78


class Child:
    """A recorder that ends with us."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._command = command
        self._environ = environ
        self._guard = Guard()
        self._process: psutil.Popen | None = None
        self._fault = ""
        """Why it could not be started."""

    @property
    def name(self) -> str:
        return f"recorder {self._process.pid}" if self._process else "no recorder"

    def start(self) -> None:
        """Starts it. Raises SettingsError, and PriceError naming the process that records already."""
        log = settings.load(self._environ).file
        orphan = self._guard.hold(log)
        if orphan is not None:
            text = f"recorder {orphan.pid} was left by a supervisor that is gone; ending it to start another"
            log_event(Event.ORPHAN_ENDED, NOTICE, text)
            end(orphan, END_SECONDS)
        _refuse_second(log)
        try:
            self._process = psutil.Popen(self._command, env=dict(self._environ), **children.options())
        except FAULTS as error:  # no memory for another process, or the program is being replaced
            self._process, self._fault = None, str(error)
            return
        self._guard.note(self._process, self._command)
        log_event(Event.RECORDER_LAUNCHED, logging.INFO, f"{self.name} launched")

    def ended(self) -> Ended | None:
        """How it ended, and whether that is to be mended by a person first."""
        if self._process is None:
            return Ended(f"the recorder cannot be started ({self._fault})")
        status = self._process.poll()
        children.reap(self._process.pid)
        if status is None:
            return None
        words = f"{self.name} {_how(status)}"
        if status == _BAD_SETTINGS:
            return Ended(f"{words}: its settings are bad", _BAD_SETTINGS)
        return Ended(words)

    def at_work(self) -> bool:
        """It is, for as long as it has not ended."""
        return True

    def reload(self) -> None:
        """Passes the request on."""
        if self._process and self._process.poll() is None:
            children.ask_to_reload(self._process.pid)

    def end(self) -> None:
        """Ends it in steps."""
        if self._process:
            end(self._process, END_SECONDS)

    def close(self) -> int:
        """Ends it with us; returns 1 where it was at work and did not end in order."""
        running = self._process is not None and self._process.poll() is None
        self.end()
        self._guard.close()
        status = self._process.poll() if running and self._process else 0
        if status == 0:
            return 0
        log_event(Event.RECORDER_GONE, logging.WARNING, f"{self.name} {_how(status)}")
        return 1


def _how(status: int | None) -> str:
    if status is None:
        return "cannot be ended"
    return f"ended with {'signal' if status < 0 else 'status'} {abs(status)}"


def _refuse_second(log: Path) -> None:
    """Raises PriceError where another process records into a log, by this name of it or another."""
    lock = LogLock(log)
    try:
        with suppress(OSError):  # the recorder knows what to do about a disk that refuses
            lock.hold()
            if log.exists():
                os.close(open_exclusively(log))
    except Unfit as error:
        raise PriceError(f"PRICE_FILE={log}: {error}; mend that or name another file") from error
    finally:
        lock.close()
