"""The handler of the Windows Event Log: one entry a record, of changes and misses, and of rows on request.

An entry's number says what kind of event it is. Its text is Windows' own message 1 to 1000, which is
whatever the program says: EventCreate.exe has these, so no file of ours must stay where it was installed.
"""

import logging
import re
from collections.abc import Callable, Mapping, Sequence

from price.events import Event, details_of, log_event
from price.handlers.fields import fields
from price.text import counted, one_line

MESSAGES = r"%SystemRoot%\System32\EventCreate.exe"
"""The file with the messages 1 to 1000, each of which is the first text of its entry."""
NUMBERS: Mapping[Event, int] = {
    Event.RECORDED: 1,
    Event.MISSED: 2,
    Event.STARTED: 10,
    Event.STOPPING: 11,
    Event.NOT_STARTED: 12,
    Event.HUNG: 13,
    Event.BAD_STATE: 14,
    Event.RELOADING: 20,
    Event.RELOADED: 21,
    Event.RELOAD_REFUSED: 22,
    Event.SOURCE_LOST: 30,
    Event.SOURCE_BACK: 31,
    Event.SOURCE_RETIRED: 32,
    Event.LONG_REST: 33,
    Event.PAIR_ASIDE: 34,
    Event.NO_SOURCE_YET: 35,
    Event.ROWS_HELD: 40,
    Event.ROWS_WRITTEN: 41,
    Event.FILE_BEGUN: 42,
    Event.TAIL_CUT: 43,
    Event.CLOCK_BEHIND: 50,
    Event.CLOCK_WRONG: 51,
    Event.ENTRIES_DROPPED: 60,
    Event.HANDLER_FAILED: 61,
    Event.ALERT_ON: 70,
    Event.ALERT_OVER: 71,
    Event.RECORDER_LAUNCHED: 80,
    Event.RECORDER_GONE: 81,
    Event.RECORDER_HUNG: 82,
    Event.ORPHAN_ENDED: 83,
    Event.SUPERVISOR_ENDS: 84,
    Event.TARGET_BEGUN: 90,
    Event.TARGET_LOST: 91,
    Event.TARGET_BACK: 92,
    Event.TARGET_AHEAD: 93,
    Event.ROW_LEFT_OUT: 94,
    Event.RECORDERS_DIFFER: 95,
}
"""The kinds of event by number, fixed for ever and listed in docs/record.md; 1 to 1000, see MESSAGES."""
OTHER = 1000
"""Of what another library says."""
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
        number = NUMBERS.get(event, OTHER) if event else OTHER
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
