"""The systemd journal, read through cysystemd."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from price.errors import PriceError
from price.events import Event

_HOMES = (Path("/var/log/journal"), Path("/run/log/journal"))
_MILLION = 1_000_000


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
    reader.add_filter(Rule("SYSLOG_IDENTIFIER", "price") & Rule("MESSAGE_ID", Event.RECORDED.value))
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
