"""What the operator reads while the disk does not take rows, and once it has."""

import logging
from pathlib import Path

from price.events import NOTICE, Event, log_event
from price.text import counted


class HeldReports:
    """Logs each cause of holding rows once, and that they were written, or are lost."""

    def __init__(self) -> None:
        self._causes: set[str | int] = set()

    @property
    def held(self) -> bool:
        """Whether it was reported that rows are held, and not yet that they are written."""
        return bool(self._causes)

    def refused(self, path: Path, error: Exception) -> None:
        """An error keeps rows from the log at `path`."""
        cause = (isinstance(error, OSError) and error.errno) or str(error)
        if cause not in self._causes:
            text = f"{path}: {words(error)}; rows are held in memory until that is mended"
            log_event(Event.ROWS_HELD, logging.ERROR, text)
        self._causes.add(cause)

    def written(self, path: Path, rows: int, span: str, forgotten: int) -> None:
        """All rows that were held, for a time in words, are written; older ones had been given up."""
        written = counted(rows, f"row held for {span} is written", f"rows held for {span} are written")
        lost = f"; {counted(forgotten, 'older one was', 'older ones were')} given up" if forgotten else ""
        log_event(Event.ROWS_WRITTEN, NOTICE, f"{path}: {written}{lost}")
        self._causes.clear()

    def lost(self, path: Path, rows: int) -> None:
        """The recorder stops, and the disk still does not take its rows."""
        text = f"{path}: {counted(rows, 'row')} could not be written; price repair may fill them"
        log_event(Event.ROWS_HELD, logging.ERROR, text)


def words(error: Exception) -> str:
    """The reason of an error, without the name of a file."""
    return (isinstance(error, OSError) and error.strerror) or str(error)
