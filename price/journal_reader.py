"""The systemd journal, opened to be read through cysystemd: this machine's, or that of a folder's files."""

import os
from collections.abc import Mapping
from functools import reduce
from operator import and_
from pathlib import Path
from typing import Any

from price.errors import PriceError

MICROSECONDS = 1_000_000
"""The journal's times are so many to a second."""
_HOMES = (Path("/var/log/journal"), Path("/run/log/journal"))


def open_journal(
    fields: Mapping[str, str], otherwise: str, folder: str = "", homes: tuple[Path, ...] = _HOMES
) -> Any:
    """A cysystemd.reader.JournalReader of the entries that have these fields.

    Raises PriceError where there is nothing that could be read; `otherwise` says what helps where there are
    no files at all.
    """
    try:
        from cysystemd.reader import JournalOpenMode, JournalReader, Rule
    except ImportError as error:
        raise PriceError(
            "--from journal needs Linux with systemd, and cysystemd of requirements.txt"
        ) from error
    reader = JournalReader()
    if folder:
        _demand_readable([Path(folder)], "*.journal*", folder, otherwise)
        reader.open_directory(folder)
    else:
        folders = [place for home in homes for place in home.glob("*")]
        _demand_readable(folders, "system*.journal*", "the journal", otherwise)
        reader.open(JournalOpenMode.LOCAL_ONLY)  # the usual mode would be the user's own alone
    reader.add_filter(reduce(and_, (Rule(name, value) for name, value in fields.items())))
    return reader


def _demand_readable(folders: list[Path], pattern: str, what: str, otherwise: str) -> None:
    """Raises PriceError where no file may be read: the journal would then seem to be empty."""
    try:
        files = [file for folder in folders for file in folder.glob(pattern)]
    except PermissionError:
        files = folders
    if not files:
        raise PriceError(f"{what}: there are no journal files: {otherwise}")
    if not any(os.access(file, os.R_OK) for file in files):
        group = _group(files[0])
        raise PriceError(f"{what}: not readable for this user: use sudo, or join the group {group}")


def _group(path: Path) -> str:
    """The group that may read a file, as far as is known."""
    try:
        return path.group()
    except (OSError, KeyError):
        return "systemd-journal"
