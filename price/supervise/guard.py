"""One supervisor a log, and what an earlier one left behind: a file beside the log, locked while we run."""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from price import host
from price.errors import PriceError
from price.host import children
from price.text import MALFORMED

FAULTS = (psutil.Error, OSError)
"""What psutil raises; on some systems a bare OSError."""


class Guard:
    """Held until it is closed; none where the folder cannot be written: the recorder has a lock too."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._descriptor = -1

    def hold(self, log: Path) -> psutil.Process | None:
        """Takes the lock of a log; returns the child of an earlier supervisor that is still there.

        Raises PriceError naming another supervisor.
        """
        path = log.with_name(f".{log.name}.supervisor")
        if path == self._path:
            return None
        with suppress(OSError):
            host.make_folder(path.parent)
            before = path.read_text("utf-8", "replace") if path.exists() else ""
            holder, _, note = before.partition("\n")
            descriptor = host.lock(path)
            if descriptor is None:
                raise PriceError(
                    f"{log}: process {holder or 'unknown'} supervises its recorder; stop that one first"
                )
            self.close()
            self._path, self._descriptor = path, descriptor
            os.write(descriptor, note.encode())  # still true, should we end before there is another child
            return _orphan(note)
        return None

    def note(self, child: psutil.Process, command: Sequence[str]) -> None:
        """Notes the child, for the supervisor that comes after us should we be killed."""
        if self._descriptor < 0:
            return
        with suppress(*FAULTS):
            note = json.dumps([child.pid, _begun(child), host.place(), *command])
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"{os.getpid()}\n{note}\n".encode())

    def close(self) -> None:
        """Gives the lock up."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._path, self._descriptor = None, -1


def _orphan(note: str) -> psutil.Process | None:
    """The process that a note is about; None where that is gone, or where there is any doubt.

    Its number alone says nothing: numbers are used again. It must have begun at the same moment, in the same
    place, with the same command.
    """
    with suppress(*MALFORMED, *FAULTS):
        pid, begun, place, *command = json.loads(note)
        process = psutil.Process(pid)
        same = begun == _begun(process) and place == host.place() and command == process.cmdline()
        return process if same else None
    return None


def _begun(process: psutil.Process) -> float:
    """When a process began: on Linux in seconds since the boot, as the clock may have been set meanwhile."""
    begun: float = process.create_time() - (psutil.boot_time() if psutil.LINUX else 0)
    return round(begun, 2)


def end(process: Any, seconds: float) -> None:
    """Ends a process in steps: asks it, waits so many seconds, kills it."""
    with suppress(*FAULTS):
        try:
            children.ask_to_end(process)
            process.wait(seconds)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(seconds)
