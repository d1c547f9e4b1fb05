"""What must survive a restart: rests, retirements, pairs set aside. One small file, replaced whole."""

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from price import times
from price.recorder.clock import Clock
from price.recorder.desk import Desk
from price.recorder.wholefile import WholeFile

_MODE = 0o600
_FAULTS = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


class State(logging.Handler):
    """Saves the desks' state at the end of each slot that changed it."""

    def __init__(self, path: Path, desks: Mapping[str, Desk], clock: Clock) -> None:
        super().__init__()
        self._file = WholeFile(path, _MODE, durable=True)
        self._desks = desks
        self._clock = clock

    def keep(self, path: Path) -> None:
        """Names the file to keep the state in from now on."""
        self._file = WholeFile(path, _MODE, durable=True)

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
        saved = {"version": 1, "saved": self._clock.now().isoformat(), "sources": sources}
        self._file.write(json.dumps(saved, indent=1))
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
        state = json.loads(self._file.path.read_text("utf-8"))
        elapsed = max(0.0, (now - times.parse_iso(state["saved"])).total_seconds())
        for name, saved in state["sources"].items():
            if name in self._desks and saved.get("url", self._desks[name].url) == self._desks[name].url:
                self._desks[name].restore(saved, self._clock.monotonic(), elapsed, now)
