"""Entries of recorders: in the systemd journal, read through cysystemd, or as lines of JSON."""

import json
import os
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from price import host
from price.errors import PriceError
from price.events import Event
from price.journal_reader import MICROSECONDS, open_journal
from price.text import MALFORMED

_OURS = {"SYSLOG_IDENTIFIER": "price", "MESSAGE_ID": Event.RECORDED.value}
_MOST_BYTES = 64 * 1024
"""Of a line; an entry of a quote has much less."""


class Journald:
    """The entries of recorders in this machine's journal, or in the journal files of a folder."""

    def __init__(self, folder: str = "") -> None:
        """Raises PriceError where there is nothing that could be read."""
        self._reader = open_journal(_OURS, "--from journal:FOLDER names another place", folder)

    def __call__(self, since: int, until: int) -> Iterator[Mapping[str, object]]:
        """The fields of the quotes with a price that were logged from `since` up to `until` (Unix time)."""
        try:
            self._reader.seek_realtime_usec(since * MICROSECONDS)
            for entry in self._reader:
                if entry.get_realtime_usec() >= until * MICROSECONDS:
                    return
                yield entry.data
        except (OSError, SystemError) as error:
            raise PriceError(
                f"the journal cannot be read: {error}: journalctl --verify tells more"
            ) from error


def read_lines(path: str, since: int, until: int) -> Iterator[Mapping[str, object]]:
    """The same of a file with an entry a line, as of `journalctl -o json` or of a recorder's own stderr.

    Other lines are passed over. Raises PriceError where the file cannot be read.
    """
    try:
        with os.fdopen(host.open_to_read(path), "rb") as file:
            for line in _lines(file):
                logged, entry = _entry(line)
                if since * MICROSECONDS <= logged < until * MICROSECONDS and _OURS.items() <= entry.items():
                    yield entry
    except OSError as error:
        raise PriceError(f"{path}: {error.strerror}") from error


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines from here on, without those that are too long to be ours."""
    begins = True
    while line := file.readline(_MOST_BYTES):
        if begins and len(line) < _MOST_BYTES:
            yield line
        begins = line.endswith(b"\n")  # else what follows is the rest of this line


def _entry(line: bytes) -> tuple[int, Mapping[str, object]]:
    """When an entry was made, in microseconds of Unix time, and its fields; (-1, {}) for other lines."""
    try:
        entry = json.loads(line)
        return int(entry["__REALTIME_TIMESTAMP"]), entry
    except MALFORMED:  # a traceback, or another program's JSON
        return -1, {}
