"""Entries of the journal as lines of JSON: of `journalctl -o json`, or of a recorder's own stderr."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from price import host
from price.errors import PriceError
from price.events import Event
from price.smallfile import refuse_other
from price.text import MALFORMED

_MILLION = 1_000_000
_DIGITS = re.compile(r"\d{1,19}", re.ASCII)
_OURS = {"SYSLOG_IDENTIFIER": "price", "MESSAGE_ID": Event.RECORDED.value}
_MOST_BYTES = 64 * 1024
"""Of a line; an entry of a quote has much less."""
_LATER_LINES = 1000
"""So many later lines in a row end a search: some may have been written while the clock was wrong."""


class Lines:
    """The entries of recorders in a file; lines that are none of theirs are passed over."""

    def __init__(self, path: str) -> None:
        """Raises PriceError where there is no file that could be read."""
        self._path = path
        self._begun = (0, 0)
        """The time from which was read last, and the offset at which its entries begin."""
        with self._open():
            pass

    def __call__(self, since: int, until: int) -> Iterator[Mapping[str, object]]:
        """The fields of the quotes with a price that were logged from `since` up to `until` (Unix time).

        A caller that asks for stretches in order has the file read once: each search begins where the
        entries of the one before do.
        """
        with self._open() as file:
            before, offset = self._begun
            file.seek(offset if before <= since else 0)
            begun, later = False, 0
            for line in _lines(file):
                entry = _entry(line)
                logged = _logged(entry)
                if logged is None or logged < since * _MILLION:
                    continue
                if logged >= until * _MILLION:
                    later += 1
                    if later == _LATER_LINES:
                        return
                    continue
                later = 0
                if not begun:
                    begun, self._begun = True, (since, file.tell() - len(line))
                if _OURS.items() <= entry.items():
                    yield entry

    def _open(self) -> BinaryIO:
        try:
            refuse_other(os.stat(self._path))  # noqa: PTH116 - before the open, which would wait for a FIFO
            return os.fdopen(host.open_to_read(self._path), "rb")
        except (OSError, ValueError) as error:
            raise PriceError(f"{self._path}: {getattr(error, 'strerror', None) or error}") from error


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines from here on, without those that are too long to be ours."""
    begins = True
    while line := file.readline(_MOST_BYTES):
        if begins and len(line) < _MOST_BYTES:
            yield line
        begins = line.endswith(b"\n")  # else what follows is the rest of this line


def _entry(line: bytes) -> Mapping[str, object]:
    """The object of a line; an empty one for a line of something else, such as a traceback."""
    try:
        entry = json.loads(line)
    except MALFORMED:
        return {}
    return entry if isinstance(entry, dict) else {}


def _logged(entry: Mapping[str, object]) -> int | None:
    """When an entry was made, in microseconds of Unix time."""
    text = entry.get("__REALTIME_TIMESTAMP")
    return int(text) if isinstance(text, str) and _DIGITS.fullmatch(text) else None
