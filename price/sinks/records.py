"""The sink of log records: a slot's quotes as records, and the handlers that take all records."""

import logging
from collections.abc import Sequence
from datetime import datetime

from price.events import ALERTS, ROOT, log_quote
from price.model import Quote
from price.safely import Failures
from price.settings import Settings


class _Guard(logging.Handler):
    """Passes records on to a handler, which has a lock of its own.

    Whatever the handler raises is counted, not raised into the recorder.
    """

    def __init__(self, handler: logging.Handler, failures: Failures) -> None:
        super().__init__()
        self.handler = handler
        self._failures = failures

    def handle(self, record: logging.LogRecord) -> bool:
        """Passes a record on, if it is of the handler's level."""
        if record.levelno >= self.handler.level or record.name == ALERTS.name:
            self._failures.call(self.handler, "take a record", self.handler.handle, record)
        return True


class RecordsSink:
    """Logs quotes once their rows are on the disk, or held; owns the handlers of the program's loggers."""

    def __init__(self, handlers: Sequence[logging.Handler], failures: Failures) -> None:
        self._guards = [_Guard(handler, failures) for handler in handlers]

    def configure(self, settings: Settings) -> None:
        """Has the handlers take all records of the configured level."""
        ROOT.setLevel(logging.DEBUG)  # each handler has a level of its own
        ROOT.propagate = False
        for guard in self._guards:
            guard.handler.setLevel(settings.log_level)
            ROOT.addHandler(guard)  # once, however often it is added

    def slot(self, slot: datetime, quotes: Sequence[Quote]) -> None:  # noqa: ARG002 - quotes know theirs
        """Logs the quotes of a slot. Raises what a handler's flush raises."""
        for quote in quotes:
            log_quote(quote)
        self.idle()

    def idle(self) -> None:
        """Has handlers check their connections."""
        for guard in self._guards:
            guard.handler.flush()

    def close(self) -> None:
        """Closes the handlers."""
        for guard in self._guards:
            ROOT.removeHandler(guard)
            guard.handler.close()
