"""Which sources are lost and which are back: one record per change, whatever the number of slots between."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from price import times
from price.events import NOTICE, Event, log_event, log_source_event
from price.model import Quote, Reading
from price.settings import Settings
from price.text import counted

_NETWORK_WORDS = ("unreachable", "timeout")


class _Loss(NamedTuple):
    since: datetime
    slots: int


class ChangesSink:
    """Compares the readings of each slot with those of the slots before.

    A source counts as back while one of its readings is usable; one that rests is neither lost nor back.
    """

    def __init__(self, holds_real_prices: Callable[[], bool]) -> None:
        self._holds_real_prices = holds_real_prices
        self._lost: dict[str, _Loss] = {}
        self._first = True

    def configure(self, settings: Settings) -> None:
        """Forgets sources that are no longer asked: they are neither lost nor back."""
        self._lost = {source: loss for source, loss in self._lost.items() if source in settings.sources}

    def slot(self, slot: datetime, quotes: Sequence[Quote]) -> None:
        """Logs which sources the slot lost and which it brought back."""
        readings: dict[str, list[Reading]] = {}
        for quote in quotes:
            for reading in quote.readings:
                readings.setdefault(reading.source, []).append(reading)
        for source, known in readings.items():
            self._compare(source, known, slot)
        if self._first and all(one.why in _NETWORK_WORDS for known in readings.values() for one in known):
            apart = ", and PRICE_FILE to another file" if self._holds_real_prices() else ""
            hint = f"to see rows without a network set PRICE_SOURCES=simulated{apart}"
            log_event(Event.NO_SOURCE_YET, NOTICE, f"no source can be reached; {hint}")
        self._first = False

    def idle(self) -> None:
        """Nothing changes between slots."""

    def close(self) -> None:
        """Nothing is open."""

    def _compare(self, source: str, readings: Sequence[Reading], slot: datetime) -> None:
        if any(not reading.why for reading in readings):
            self._back(source, slot)
        elif source in self._lost:
            self._lost[source] = self._lost[source]._replace(slots=self._lost[source].slots + 1)
        elif asked := [reading for reading in readings if reading.why != "resting"]:
            self._lost[source] = _Loss(slot, 1)
            detail = f" ({asked[0].detail})" if asked[0].detail else ""
            log_source_event(Event.SOURCE_LOST, logging.WARNING, source, f"lost: {asked[0].why}{detail}")

    def _back(self, source: str, slot: datetime) -> None:
        loss = self._lost.pop(source, None)
        if loss is not None:
            length = times.span((slot - loss.since).total_seconds())
            slots = counted(loss.slots, "slot")
            log_source_event(Event.SOURCE_BACK, NOTICE, source, f"back after {length}: it missed {slots}")
