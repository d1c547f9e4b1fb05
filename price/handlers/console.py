"""The handler for people at a terminal: one line a record on stderr."""

import logging
from datetime import UTC, datetime

from price import times
from price.events import quote_of


class Console(logging.StreamHandler):  # type: ignore[type-arg]
    """Quotes begin with their slot, everything else with the time at which it was said."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's line."""
        quote = quote_of(record)
        if quote is not None:
            return f"{times.iso(quote.slot)} {record.getMessage()}"
        said = datetime.fromtimestamp(record.created, UTC)
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        return f"{times.iso(said)} {level}{record.getMessage()}"

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002 - logging's name for it
        """Lets the failure rise to the handler that counts it: a closed terminal is no reason to stop."""
        raise
