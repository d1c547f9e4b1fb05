"""What must survive a restart: rests, retirements, pairs set aside. One small file, replaced whole."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from price import times
from price.clock import Clock
from price.model import Quote
from price.settings import Settings
from price.sinks.alerts import AlertsSink
from price.smallfile import AtomicFile
from price.source_state import SourceState
from price.text import MALFORMED

_MODE = 0o600
_VERSION = 1
"""Of the file's shape. Keys are only added, and unknown ones ignored: that needs no other number."""
_FAULTS = (OSError, *MALFORMED)


class StateSink:
    """Saves the state of sources and alerts at the end of each slot that changed it."""

    def __init__(self, sources: Mapping[str, SourceState], alerts: AlertsSink, clock: Clock) -> None:
        self._file = AtomicFile(Path("state.json"), _MODE, durable=True)
        self._sources = sources
        self._alerts = alerts
        self._clock = clock

    def configure(self, settings: Settings) -> None:
        """Keeps the state in the file that the settings name."""
        self._file = AtomicFile(settings.state, _MODE, durable=True)

    def slot(self, slot: datetime, quotes: Sequence[Quote]) -> None:  # noqa: ARG002 - the sources know
        """Writes what changed. Raises OSError."""
        self.idle()

    def idle(self) -> None:
        """Writes what changed, also by an answer that came late. Raises OSError."""
        if self._alerts.changed or any(source.changed for source in self._sources.values()):
            self._save()

    def close(self) -> None:
        """What changed is saved already."""

    def _save(self) -> None:
        monotonic = self._clock.monotonic()
        sources = {name: source.saved(monotonic) for name, source in self._sources.items()}
        saved = {
            "version": _VERSION,
            "saved": self._clock.now().isoformat(),
            "sources": sources,
            "alerts": self._alerts.saved(),
        }
        if not self._file.write(json.dumps(saved, indent=1)):
            return  # it stays changed, and is saved at the next slot
        self._alerts.changed = False
        for source in self._sources.values():
            source.changed = False

    def restore(self) -> str:
        """Has the sources go on as saved; returns what is wrong with the file, or nothing.

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
        state = json.loads(self._file.read())
        if state["version"] != _VERSION:
            raise ValueError(f"its version is {state['version']!r}, and this program knows {_VERSION}")
        elapsed = max(0.0, (now - times.parse_iso(state["saved"])).total_seconds())
        for name, saved in state["sources"].items():
            source = self._sources.get(name)
            if source and saved.get("url", source.url) == source.url:
                source.restore(saved, self._clock.monotonic(), elapsed, now)
        if "alerts" in state:
            self._alerts.restore(state["alerts"])
