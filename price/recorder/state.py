"""What must survive a restart: rests, retirements, pairs set aside. One small file, replaced whole."""

import json
import logging
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from price import times
from price.recorder.clock import Clock
from price.recorder.desk import Desk

_FAULTS = (OSError, ValueError, LookupError, TypeError, AttributeError)


class State(logging.Handler):
    """Saves the desks' state at the end of each slot that changed it."""

    def __init__(self, path: Path, desks: Mapping[str, Desk], clock: Clock) -> None:
        super().__init__()
        self.path = path
        self._desks = desks
        self._clock = clock

    def emit(self, record: logging.LogRecord) -> None:
        """Records say nothing that the desks do not know."""

    def flush(self) -> None:
        """Writes what changed. Raises OSError."""
        if any(desk.changed for desk in self._desks.values()):
            self.save()

    def save(self) -> None:
        """Writes the state as of now. Raises OSError."""
        monotonic = self._clock.monotonic()
        sources = {name: desk.saved(monotonic) for name, desk in self._desks.items()}
        saved = {"version": 1, "saved": times.iso(self._clock.now()), "sources": sources}
        replace(self.path, json.dumps(saved, indent=1), 0o600, durable=True)
        for desk in self._desks.values():
            desk.changed = False

    def restore(self) -> str:
        """Has the desks go on as saved; gives what is wrong with the file, or nothing.

        A state that cannot be read costs politeness, not prices: the recorder starts without it.
        """
        try:
            self._restore(self._clock.now())
        except FileNotFoundError:
            return ""
        except _FAULTS as error:
            return str(error) or type(error).__name__
        return ""

    def _restore(self, now: datetime) -> None:
        state = json.loads(self.path.read_text("utf-8"))
        elapsed = max(0.0, (now - times.parse_iso(state["saved"])).total_seconds())
        for name, saved in state["sources"].items():
            if name in self._desks:
                self._desks[name].restore(saved, self._clock.monotonic(), elapsed, now)


def replace(path: Path, text: str, mode: int, *, durable: bool) -> None:
    """Replaces a file as a whole, so that readers see the old text or the new one. Raises OSError."""
    new = path.with_name(f".{path.name}.new")
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.fchmod(descriptor, mode)
        os.write(descriptor, text.encode("utf-8"))
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    new.replace(path)
