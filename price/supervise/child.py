"""The recorder as our own child: started, asked, ended, and never two of them."""

import logging
import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from price import host, settings
from price.errors import PriceError
from price.events import NOTICE, Event, log_event
from price.log.lock import Held, LogLock, Unfit, open_exclusively
from price.supervise.loop import Ended

FAULTS = (psutil.Error, OSError)
"""What psutil raises; on some systems a bare OSError."""
_END_SECONDS = 5.0
"""How long one that was asked to end has for it; it needs less than one, and rows held may need a disk."""
_BAD_SETTINGS = 78


class Child:
    """A recorder that ends with us.

    Its standard input is a pipe from us, at whose end it stops in order: so it is asked to end, on every
    system, and so it ends where we are killed and the system does not kill it too.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._command = command
        self._environ = environ
        self._log: Path | None = None
        self._alone: LogLock | None = None
        """Keeps a second supervisor of the log away."""
        self._process: psutil.Popen | None = None
        self._fault = ""
        """Why it could not be started."""

    @property
    def name(self) -> str:
        return f"recorder {self._process.pid}" if self._process else "no recorder"

    def start(self) -> None:
        """Starts it. Raises SettingsError, and PriceError naming the process that records or supervises."""
        log = settings.load(self._environ).file
        alone = self._be_alone(log)
        try:
            _refuse_second(log)
        except Held as held:
            orphan = self._orphan(held.holder) if alone else None
            if orphan is None:
                raise
            text = f"recorder {orphan.pid} was left by a supervisor that is gone; ending it to start another"
            log_event(Event.ORPHAN_ENDED, NOTICE, text)
            _end(orphan)
            _refuse_second(log)
        try:
            self._process = psutil.Popen(
                self._command, env=dict(self._environ), stdin=subprocess.PIPE, **host.child_options()
            )
        except FAULTS as error:  # no memory for another process, or the program is being replaced
            self._process, self._fault = None, str(error)
            return
        log_event(Event.RECORDER_LAUNCHED, logging.INFO, f"{self.name} launched")

    def _be_alone(self, log: Path) -> bool:
        """Whether we have the supervisor's lock of the log: not where the folder cannot be written.

        Raises Held naming another supervisor that has it.
        """
        if self._alone is None or log != self._log:  # settings have changed
            if self._alone:
                self._alone.close()
            self._log, self._alone = log, LogLock(log, "supervisor", "supervises its recorder")
        try:
            self._alone.hold()
        except OSError:
            return False
        return True

    def _orphan(self, holder: str) -> psutil.Process | None:
        """The process that records into our log, if a supervisor that is gone left it; None in any doubt.

        A number alone says nothing: it may be of another machine or container. Its command line must be that
        of our own children, which end with our pipe: nobody types that. And its parent must not supervise:
        our lock does not show that where a lock file was removed, or settings name another log since.
        """
        with suppress(ValueError, *FAULTS):
            process = psutil.Process(int(holder))
            if process.cmdline() == list(self._command) and not self._is_supervised(process):
                return process
        return None

    def _is_supervised(self, recorder: psutil.Process) -> bool:
        """Whether its parent is another supervisor; False where the system does not say, as under Wine."""
        *ours, _, _ = self._command[1:]
        with suppress(*FAULTS):
            parent = recorder.parent()
            words = parent.cmdline()[1:] if parent and parent.pid != os.getpid() else []
            return words[: len(ours) + 1] == [*ours, "supervise"]
        return False

    def ended(self) -> Ended | None:
        """How it ended, and whether that is to be mended by a person first."""
        if self._process is None:
            return Ended(f"the recorder cannot be started ({self._fault})")
        status = self._process.poll()
        host.reap(self._process.pid)
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
            host.ask_to_reload(self._process.pid)

    def end(self) -> None:
        """Ends it in steps."""
        if self._process:
            _end(self._process)

    def close(self) -> int:
        """Ends it with us; returns 1 where it was at work and did not end in order."""
        running = self._process is not None and self._process.poll() is None
        self.end()
        if self._alone:
            self._alone.close()
        status = self._process.poll() if running and self._process else 0
        if status == 0:
            return 0
        log_event(Event.RECORDER_GONE, logging.WARNING, f"{self.name} {_how(status)}")
        return 1


def _how(status: int | None) -> str:
    if status is None:
        return "cannot be ended"
    return f"ended with {'signal' if status < 0 else 'status'} {abs(status)}"


def _end(process: Any) -> None:
    """Ends a process in steps: asks it, waits, kills it."""
    with suppress(*FAULTS):
        pipe = getattr(process, "stdin", None)
        if pipe:
            pipe.close()
        else:  # an orphan; on Windows this does not ask
            process.terminate()
        process.resume()  # one that was stopped
    with suppress(*FAULTS):
        try:
            process.wait(_END_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(_END_SECONDS)


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
