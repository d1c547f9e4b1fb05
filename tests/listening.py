"""Keeps what the program logs while a story runs."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from price.events import ROOT, Event, details_of


class _Listener(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


@contextmanager
def listening(records: list[logging.LogRecord], *handlers: logging.Handler) -> Iterator[None]:
    """Has records come to a list, and to more handlers."""
    all_handlers = [_Listener(records), *handlers]
    for handler in all_handlers:
        ROOT.addHandler(handler)
    try:
        yield
    finally:
        for handler in all_handlers:
            ROOT.removeHandler(handler)


def said(records: Sequence[logging.LogRecord], *events: Event) -> list[str]:
    """What records say of kinds of event."""
    notes = [(details_of(record), record.getMessage()) for record in records]
    return [text for note, text in notes if note and note.event in events]
