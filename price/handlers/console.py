"""The handler of stderr, for people at a terminal and for what collects lines: one line a record."""

import json
import logging
import select
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

from price import times
from price.events import Event, log_event, quote_of
from price.handlers.fields import fields
from price.text import counted

_PATIENCE_MS = 200
"""How long a slot waits for the reader of its lines, such as a pager or a terminal that was stopped."""


class Console(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes a line of text for each record, or one JSON object where `log_format` says `json`.

    `log_format` is asked for each record: a reload may change it. `identifier` is the JSON object's.

    A pipe that nobody reads, or a terminal stopped with Ctrl-S, would hold the recorder up for ever: lines
    that find no room are left out and counted, and the count is written afterwards.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        log_format: Callable[[], str] = lambda: "text",
        identifier: str = "price",
    ) -> None:
        super().__init__(stream)
        self._log_format = log_format
        self._identifier = identifier
        self._patience_ms = _PATIENCE_MS
        self._left_out = 0
        self.dropped = 0
        """Lines left out since the start."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record's line, if there is room for it. Raises OSError."""
        if not self.has_room():
            self._left_out += 1
            self.dropped += 1
            return
        left_out, self._left_out = self._left_out, 0
        if left_out:
            text = f"{counted(left_out, 'line was', 'lines were')} left out: nobody read stderr"
            log_event(Event.ENTRIES_DROPPED, logging.WARNING, text)
        super().emit(record)

    def has_room(self) -> bool:
        """Whether a line can be written without waiting for longer than a slot may."""
        try:
            descriptor = self.stream.fileno()
        except (OSError, ValueError):  # closed, which writing will tell; or a test's
            return True
        if not hasattr(select, "poll"):  # Windows
            return True
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        if poll.poll(self._patience_ms):
            return True
        self._patience_ms = 0
        return False

    def flush(self) -> None:
        """Ends a slot, or a line: what comes next may wait again."""
        self._patience_ms = _PATIENCE_MS
        super().flush()

    def format(self, record: logging.LogRecord) -> str:
        """The record's line."""
        return _json(record, self._identifier) if self._log_format() == "json" else _text(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002 - logging's name for it
        """Lets the failure rise to the handler that counts it: a closed terminal is no reason to stop."""
        raise


def _text(record: logging.LogRecord) -> str:
    """Quotes begin with their slot, everything else with the time at which it was logged."""
    quote = quote_of(record)
    if quote is not None:
        return f"{times.iso(quote.slot)} {record.getMessage()}"
    logged = datetime.fromtimestamp(record.created, UTC)
    level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
    return f"{times.iso(logged)} {level}{record.getMessage()}"


def _json(record: logging.LogRecord, identifier: str) -> str:
    """The object that `journalctl -o json` prints of the record's entry, without what journald adds.

    So whatever reads the one can read the other. The time is in microseconds, as a text, as it is there.
    """
    microseconds = round(record.created * 1_000_000)
    return json.dumps({"__REALTIME_TIMESTAMP": str(microseconds), **fields(record, identifier)})
