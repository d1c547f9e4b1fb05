"""What must survive a restart: rests, retirements, pairs set aside. One small file, replaced whole."""

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from price import times
from price.log.atomic import AtomicFile
from price.recorder.clock import Clock
from price.recorder.source_state import SourceState

_MODE = 0o600
_FAULTS = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


class State(logging.Handler):
    """Saves the states' state at the end of each slot that changed it."""

    def __init__(self, path: Path, states: Mapping[str, SourceState], clock: Clock) -> None:
        super().__init__()
        self._file = AtomicFile(path, _MODE, durable=True)
        self._states = states
        self._clock = clock

    def keep(self, path: Path) -> None:
        """Names the file to keep the state in from now on."""
        self._file = AtomicFile(path, _MODE, durable=True)

    def emit(self, record: logging.LogRecord) -> None:
        """Records say nothing that the states do not know."""

    def flush(self) -> None:
        """Writes what changed. Raises OSError."""
        if any(state.changed for state in self._states.values()):
            self.save()

    def save(self) -> None:
        """Writes the state as of now. Raises OSError."""
        monotonic = self._clock.monotonic()
        sources = {name: state.saved(monotonic) for name, state in self._states.items()}
        saved = {"version": 1, "saved": self._clock.now().isoformat(), "sources": sources}
        self._file.write(json.dumps(saved, indent=1))
        for state in self._states.values():
            state.changed = False

    def restore(self) -> str:
        """Has the states go on as saved; gives what is wrong with the file, or nothing.

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
            if name in self._states and saved.get("url", self._states[name].url) == self._states[name].url:
                self._states[name].restore(saved, self._clock.monotonic(), elapsed, now)
