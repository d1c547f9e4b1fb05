"""Which sources are lost and which are back: one record per change, whatever the number of slots between."""

import logging
from dataclasses import dataclass
from datetime import datetime

from price import times
from price.events import NOTICE, Event, log_event, log_source_event, quote_of
from price.model import Reading

_NETWORK_WORDS = ("unreachable", "timeout")


@dataclass(slots=True)
class _Loss:
    since: datetime
    slots: int


class Changes(logging.Handler):
    """Compares the readings of each slot with those of the slots before.

    A source counts as there while one of its readings is usable; resting says nothing either way.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lost: dict[str, _Loss] = {}
        self._readings: dict[str, list[Reading]] = {}
        self._slot: datetime | None = None
        self._first = True

    def emit(self, record: logging.LogRecord) -> None:
        """Takes the readings of a quote."""
        quote = quote_of(record)
        if quote is not None and quote.readings:
            self._slot = quote.slot
            for reading in quote.readings:
                self._readings.setdefault(reading.source, []).append(reading)

    def flush(self) -> None:
        """Says which sources the slot lost and which it brought back."""
        readings, self._readings = self._readings, {}
        if not readings or self._slot is None:
            return
        # a source that a reload took out is asked nothing: it is neither lost nor back
        self._lost = {source: loss for source, loss in self._lost.items() if source in readings}
        for source, said in readings.items():
            self._compare(source, said, self._slot)
        if self._first and all(one.why in _NETWORK_WORDS for said in readings.values() for one in said):
            hint = "no source can be reached; to see rows without a network: PRICE_SOURCES=simulated make run"
            log_event(Event.NO_SOURCE_YET, NOTICE, hint)
        self._first = False

    def _compare(self, source: str, said: list[Reading], slot: datetime) -> None:
        if any(not reading.why for reading in said):
            self._back(source, slot)
        elif source in self._lost:
            self._lost[source].slots += 1
        elif asked := [reading for reading in said if reading.why != "resting"]:
            self._lost[source] = _Loss(slot, 1)
            detail = f" ({asked[0].detail})" if asked[0].detail else ""
            log_source_event(Event.SOURCE_LOST, logging.WARNING, source, f"lost: {asked[0].why}{detail}")

    def _back(self, source: str, slot: datetime) -> None:
        loss = self._lost.pop(source, None)
        if loss is not None:
            length = times.span((slot - loss.since).total_seconds())
            slots = "1 slot" if loss.slots == 1 else f"{loss.slots} slots"
            log_source_event(Event.SOURCE_BACK, NOTICE, source, f"back after {length}: it missed {slots}")
