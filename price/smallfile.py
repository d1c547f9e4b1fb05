"""Small files at places that somebody else may have filled: never waited for, never read without bound."""

import errno
import os
import re
import stat
from pathlib import Path

from price import host

REPAIRS = "repairs.txt"
"""The file beside a log that holds its repairs."""
MOST_BYTES = 1024 * 1024
_OURS = re.compile(rb'\s*\{\s*"version"\s*:\s*(?:"[^"]{0,40}"|\d{1,9})\s*,\s*"(?:pid|saved)"')
_HEAD_BYTES = 4096
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISREG, ""),
)


def read_small(path: str | Path, most: int = MOST_BYTES) -> str:
    """The text of a regular file.

    Raises OSError, and ValueError for anything that is no regular file, for more than `most` bytes and
    for what is not UTF-8.
    """
    return read_bytes(path, most).decode("utf-8")


def read_bytes(path: str | Path, most: int = MOST_BYTES, *, head: bool = False) -> bytes:
    """The bytes of a regular file, with `head` its first ones. Raises OSError and ValueError as above."""
    _refuse_other(os.stat(path))  # noqa: PTH116 - before the open, which may change a device
    descriptor = host.open_to_read(path)  # should it have become a FIFO since, that does not wait
    with os.fdopen(descriptor, "rb") as file:
        _refuse_other(os.fstat(descriptor))
        found = file.read(most if head else most + 1)
    if len(found) > most:
        raise ValueError(f"it is larger than {most} bytes")
    return found


def draft_of(path: Path) -> Path:
    """Where a file that is replaced whole is written first."""
    return path.with_name(f".{path.name}.new")


def is_none(path: Path) -> bool:
    """Whether a path is /dev/null, directly or through links: no file is wanted. Windows' NUL counts too."""
    return os.path.realpath(path) == os.path.realpath(os.devnull) or path.as_posix() == "/dev/null"


def foreign(path: str | Path, *, any_text: bool = False) -> str:
    """What stands at a path and must not be replaced; empty where nothing or a file of ours stands there.

    Ours is a regular file (through links) that begins like a state.json or status.json of any version, or
    holds nothing: a power cut may leave a new file empty or full of zeros. With `any_text` each regular
    file is: ours, but damaged.
    """
    try:
        head = read_bytes(path, _HEAD_BYTES, head=True)
    except ValueError as error:
        return str(error)
    except OSError as error:  # what is not there or not to be read: writing it will say what is wrong
        return "it is a link in a circle" if error.errno == errno.ELOOP else ""
    ours = any_text or _OURS.match(head) or not head.strip(b"\0")
    return "" if ours else "it is another program's file"


def _refuse_other(status: os.stat_result) -> None:
    kind = next((words for test, words in _KINDS if test(status.st_mode)), "a device")
    if kind:
        raise ValueError(f"it is {kind}, not a file")
