"""Entries of recorders: in the systemd journal, read through cysystemd, or as lines of JSON."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from price import host
from price.errors import PriceError
from price.events import Event
from price.text import MALFORMED

_HOMES = (Path("/var/log/journal"), Path("/run/log/journal"))
_MILLION = 1_000_000
_OURS = {"SYSLOG_IDENTIFIER": "price", "MESSAGE_ID": Event.RECORDED.value}
_MOST_BYTES = 64 * 1024
"""Of a line; an entry of a quote has much less."""


class Journald:
    """The entries of recorders in this machine's journal, or in the journal files of a folder."""

    def __init__(self, folder: str = "", homes: tuple[Path, ...] = _HOMES) -> None:
        """Raises PriceError where there is nothing that could be read."""
        self._reader = _opened(folder, homes)

    def __call__(self, since: int, until: int) -> Iterator[Mapping[str, object]]:
        """The fields of the quotes with a price that were logged from `since` up to `until` (Unix time)."""
        try:
            self._reader.seek_realtime_usec(since * _MILLION)
            for entry in self._reader:
                if entry.get_realtime_usec() >= until * _MILLION:
                    return
                yield entry.data
        except (OSError, SystemError) as error:
            raise PriceError(
                f"the journal cannot be read: {error}: journalctl --verify tells more"
            ) from error


def _opened(folder: str, homes: tuple[Path, ...]) -> Any:
    try:
        from cysystemd.reader import JournalOpenMode, JournalReader, Rule
    except ImportError as error:
        raise PriceError(
            "--from journal needs Linux with systemd, and cysystemd of requirements.txt"
        ) from error
    reader = JournalReader()
    if folder:
        _demand_readable([Path(folder)], "*.journal*", folder)
        reader.open_directory(folder)
    else:
        _demand_readable(
            [place for home in homes for place in home.glob("*")], "system*.journal*", "the journal"
        )
        reader.open(JournalOpenMode.LOCAL_ONLY)  # the usual mode would be the user's own alone
    identifier, message_id = (Rule(name, value) for name, value in _OURS.items())
    reader.add_filter(identifier & message_id)
    return reader


def _demand_readable(folders: list[Path], pattern: str, what: str) -> None:
    """Raises PriceError where no file may be read: the journal would then seem to be empty."""
    try:
        files = [file for folder in folders for file in folder.glob(pattern)]
    except PermissionError:
        files = folders
    if not files:
        raise PriceError(f"{what}: there are no journal files: --from journal:FOLDER names another place")
    if not any(os.access(file, os.R_OK) for file in files):
        group = _group(files[0])
        raise PriceError(
            f"{what}: not readable for this user: sudo price repair ..., or join the group {group}"
        )


def _group(path: Path) -> str:
    """The group that may read a file, as far as is known."""
    try:
        return path.group()
    except (OSError, KeyError):
        return "systemd-journal"


def read_lines(path: str, since: int, until: int) -> Iterator[Mapping[str, object]]:
    """The same of a file with an entry a line, as of `journalctl -o json` or of a recorder's own stderr.

    Other lines are passed over. Raises PriceError where the file cannot be read.
    """
    try:
        with os.fdopen(host.open_to_read(path), "rb") as file:
            for line in _lines(file):
                logged, entry = _entry(line)
                if since * _MILLION <= logged < until * _MILLION and _OURS.items() <= entry.items():
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
