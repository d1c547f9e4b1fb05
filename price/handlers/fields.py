"""A log record as the journal's fields, which are also those of a JSON line: docs/record.md lists them."""

import logging
from functools import cache

from price import times
from price.events import NOTICE, details_of
from price.log.row import plain
from price.model import Quote, Reading

_UNTIMELY = ("stale", "backward")
_PRIORITIES = (
    (logging.CRITICAL, "2"),
    (logging.ERROR, "3"),
    (logging.WARNING, "4"),
    (NOTICE, "5"),
    (logging.INFO, "6"),
)


def fields(record: logging.LogRecord, identifier: str = "price") -> dict[str, str]:
    """The fields of a record; `identifier` is what `journalctl -t` finds."""
    found = {
        "MESSAGE": _sendable(record.getMessage()),
        "PRIORITY": priority(record.levelno),
        "SYSLOG_IDENTIFIER": identifier,
        "LOGGER": _sendable(record.name),
    }
    note = details_of(record)
    if note is not None:
        found["MESSAGE_ID"] = note.event.value
        if note.source:
            found["PRICE_SOURCE"] = note.source
        if note.quote is not None:
            _add_quote(note.quote, found)
        if note.alert is not None:
            found |= {f"PRICE_{name.upper()}": text for name, text in note.alert.fields().items()}
    return found


@cache
def priority(level: int) -> str:
    """The syslog priority of a logging level: never above critical, which would reach every terminal."""
    return next((priority for least, priority in _PRIORITIES if level >= least), "7")


def _add_quote(quote: Quote, found: dict[str, str]) -> None:
    found["PRICE_PAIR"] = str(quote.pair)
    found["PRICE_SLOT"] = times.iso(quote.slot)
    if quote.price is None:
        found["PRICE_REASON"] = quote.reason
    else:
        found["PRICE_VALUE"] = plain(quote.price)
        found["PRICE_SOURCES"] = ",".join(quote.sources)
    if quote.readings:
        found["PRICE_QUOTES"] = " ".join([f"{reading.source}={_said(reading)}" for reading in quote.readings])


def _said(reading: Reading) -> str:
    """The price that a source gave, so that the choice can be recomputed, or why it did not count."""
    if reading.price is None or reading.why in _UNTIMELY:
        return reading.why
    return plain(reading.price)


def _sendable(value: str) -> str:
    """A text without the lone surrogates that UTF-8 cannot hold."""
    return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode("utf-8")
