"""Whether the recorder is at work: it replaces status.json each slot, and at least every 10 s."""

import logging
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from price.clock import Clock
from price.errors import SettingsError
from price.events import Event, log_event
from price.recorder.show_status import FAULTS, read_status
from price.smallfile import foreign, is_none

LOOK_SECONDS = 1.0
_SLOW_SECONDS = 1.0
_BYTES = 16 * 1024


class Limits(NamedTuple):
    """Seconds for which status.json may stand still: three slots, but within these."""

    least: float = 15.0
    most: float = 30.0
    """Up to the first one after a start as well."""


class Signs:
    """For how long status.json has stood still, in seconds in which this process itself ran.

    Not by the wall clock nor by times in the file: clocks step, and slots stand still while rows are held or
    the recorder waits for its clock. Nor by the monotonic clock alone: after a container was frozen, or the
    machine was overloaded, the recorder has had no more time than its supervisor. So a look counts for two
    seconds at most.
    """

    def __init__(self, path: Callable[[], Path], clock: Clock, limits: Limits = Limits()) -> None:
        """`path` says where status.json is, by the settings as they are now. Raises SettingsError."""
        self._where = path
        self._path = path()
        if is_none(self._path):
            text = f"PRICE_STATUS={self._path}: supervise looks at it; for example logs/status.json"
            raise SettingsError([text])
        self._clock = clock
        self._limits = limits
        self._in_doubt = False
        self.begin()

    def begin(self) -> None:
        """Begins to count: a recorder was started. What an earlier one left behind says nothing."""
        self._stamp = _stamp(self._path)
        self.still = 0.0
        self._looked = self._began = self._changed = self._clock.monotonic()

    @property
    def well_seconds(self) -> float:
        """From the start of the recorder to its last sign of life."""
        return self._changed - self._began

    def hung(self) -> bool:
        """Looks once; whether the recorder hangs."""
        now = self._clock.monotonic()
        self.still += min(now - self._looked, 2 * LOOK_SECONDS)
        self._looked = now
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._stamp, self._changed = stamp, now
            self.still, self._in_doubt = 0.0, False
        if self.still < self._limit():
            return False
        if self._says_nothing():
            self.still = 0.0
            return False
        return True

    def _limit(self) -> float:
        """Three slots; where slots are rare status.json is replaced every 10 s all the same."""
        least, most = self._limits
        if self.still < least:
            return least  # which needs no look into the file
        if self.well_seconds:
            with suppress(*FAULTS):
                return min(max(least, 3 * float(read_status(self._path)["interval"])), most)
        return most

    def _says_nothing(self) -> bool:
        """Whether the file may stand still though the recorder is at work.

        It was reloaded and writes elsewhere, or nobody can write there: a recorder that holds rows back since
        the disk is full must not be ended, or they are lost.
        """
        try:
            path = self._where()
        except SettingsError:  # the recorder refuses them too, and goes on with the old ones
            path = self._path
        if path != self._path:
            self._path, self._stamp = path, _stamp(path)
            return True
        if is_none(path):
            return True
        began = self._clock.monotonic()
        fault = foreign(path, any_text=True) or _write_fault(Path(os.path.realpath(path)).parent)
        self._looked = self._clock.monotonic()
        if fault and not self._in_doubt:
            self._in_doubt = True
            text = f"{path} stands still, but cannot be written ({fault}): the recorder may hang, or not"
            log_event(Event.RECORDER_HUNG, logging.WARNING, text)
        return bool(fault) or self._looked - began > _SLOW_SECONDS


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes when the file is replaced; None where it is not there."""
    try:
        status = os.stat(path)  # noqa: PTH116 - once a second, for as long as the machine runs
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _write_fault(folder: Path) -> str:
    """Why no small file can be written into a folder now; empty where it can."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or str(error)
    return ""
