"""The handler of the Windows Event Log: one entry a record, of changes and misses, and of rows on request.

An entry's number says what kind of event it is (`Event.number`). Its text is Windows' own message 1 to 1000,
which is whatever the program says: EventCreate.exe has these, so no file of ours must stay where it was
installed.
"""

import logging
import re
from collections.abc import Callable, Sequence

from price.events import Event, details_of, log_event
from price.handlers.fields import fields
from price.text import counted, one_line

MESSAGES = r"%SystemRoot%\System32\EventCreate.exe"
"""The file with the messages 1 to 1000, each of which is the first text of its entry."""
OTHER = 1000
"""The number of what another library says."""
ERROR, WARNING, INFORMATION = 1, 2, 4
"""Types of entries."""
_CATEGORIES = {"price": 1, "price.quote": 2, "price.source": 3, "price.alert": 4}
_INSERT = re.compile(r"%(?=\d)")

Report = Callable[[int, int, int, Sequence[str]], None]
"""Writes an entry: its type, category, number and texts. Raises OSError."""


def reporter(source: str) -> Report:
    """What writes entries of a source. Raises ImportError without pywin32, OSError where Windows refuses."""
    import win32evtlog

    try:
        handle = win32evtlog.RegisterEventSource(None, source)
    except win32evtlog.error as error:
        raise OSError(error.winerror, error.strerror) from error

    def report(kind: int, category: int, number: int, texts: Sequence[str]) -> None:
        try:
            win32evtlog.ReportEvent(handle, kind, category, number, None, texts, None)
        except win32evtlog.error as error:
            raise OSError(error.winerror, error.strerror) from error

    return report


class EventLog(logging.Handler):
    """Writes entries. Those that Windows refuses are counted, and the count is logged afterwards."""

    def __init__(self, report: Report, *, rows: bool) -> None:
        super().__init__()
        self._report = report
        self._rows = rows
        self._dropped = 0
        self.dropped = 0
        """Entries refused since the start."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes an entry. Raises OSError for one that Windows refuses."""
        details = details_of(record)
        event = details.event if details else None
        if event is Event.RECORDED and not self._rows:
            return  # one a slot fills the log of Windows in some days
        found = fields(record)
        texts = [found.pop("MESSAGE"), *(f"{name}={value}" for name, value in found.items())]
        self._send(event, record.levelno, record.name, texts)
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            text = f"{counted(dropped, 'entry', 'entries')} dropped: the Event Log refused them"
            log_event(Event.ENTRIES_DROPPED, logging.WARNING, text)

    def note(self, event: Event, level: int, text: str) -> None:
        """Writes an entry of what happens while nothing is recorded. Raises OSError."""
        self._send(event, level, "price", [one_line(text)])

    def _send(self, event: Event | None, level: int, logger: str, texts: Sequence[str]) -> None:
        number = event.number if event else OTHER
        kind = ERROR if level >= logging.ERROR else WARNING if level >= logging.WARNING else INFORMATION
        try:
            self._report(kind, _CATEGORIES.get(logger, 1), number, [_plain(text) for text in texts])
        except OSError:
            self._dropped += 1
            self.dropped += 1
            raise


def _plain(text: str) -> str:
    """A text in which the Event Viewer sees no %1, in whose place it would put something else."""
    return _INSERT.sub("% ", text)
