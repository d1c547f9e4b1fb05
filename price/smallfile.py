"""Small files at places that somebody else may have filled.

They are never waited for and never read without bound. They are replaced as a whole: readers see the old text
or the new one, never half of either. Nothing that somebody else put there is ever lost: what is no regular
file is not touched, another file's text is kept under the name with `.kept`, and only what was written here
is removed.
"""

import errno
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from price import host

SCHEMA = 1
"""Of status.json. Keys are only added, and unknown ones ignored: that needs no other number."""
MOST_BYTES = 1024 * 1024
_OURS = re.compile(rb'\s*\{\s*"version"\s*:\s*(?:"[^"]{0,40}"|\d{1,9})\s*,\s*"(?:pid|saved)"')
_HEAD_BYTES = 4096
_EVERYONE = 0o044
_OUR_MOST_BYTES = 64 * 1024 * 1024
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
    refuse_other(os.stat(path))  # noqa: PTH116 - before the open, which may change a device
    descriptor = host.open_to_read(path)  # should it have become a FIFO since, that does not wait
    with os.fdopen(descriptor, "rb") as file:
        refuse_other(os.fstat(descriptor))
        found = file.read(most if head else most + 1)
    if len(found) > most:
        raise ValueError(f"it is larger than {most} bytes")
    return found


@cache  # a recorder asks it each slot
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


class AtomicFile:
    """Where the file is, who may read it, and whether it must survive a power cut; none at /dev/null."""

    def __init__(self, path: Path, mode: int, *, durable: bool) -> None:
        self.path = path
        self._real: Path | None = None
        """Where the path leads through links: the links stay."""
        self._written: tuple[int, ...] | None = None
        """What tells the text written last from another: others may write there, or reuse the inode."""
        self._mode = mode
        self._durable = durable

    def read(self) -> str:
        """Its text. Raises OSError, also where there is to be none, and ValueError for what cannot be it."""
        if is_none(self.path):
            raise FileNotFoundError(errno.ENOENT, "no such file is wanted", str(self.path))
        return read_small(self.path, _OUR_MOST_BYTES)

    def write(self, text: str) -> bool:
        """Replaces the file, making its folder where that is missing; whether that was possible now.

        On Windows it is not while somebody reads it: the old text stays, and is to be replaced later.
        Raises OSError.
        """
        if not self._is_mine():
            self._real = None if is_none(self.path) else Path(os.path.realpath(self.path))
            if self._real:
                _keep_foreign(self._real)
                self._make_folder(self._real.parent)
        if self._real is None:
            return True
        try:
            status = replace(self._real, [text], self._mode, durable=self._durable)
        except OSError as error:  # a full disk names no file
            error.filename = error.filename or str(self._real)
            raise
        if status:
            self._written = _identity(status)
        return status is not None

    def remove(self) -> None:
        """Removes the file if it is what was written here last. Raises OSError."""
        if self._real and self._is_mine():
            host.remove(self._real)

    def _make_folder(self, folder: Path) -> None:
        if self._mode & _EVERYONE:
            host.make_folder(folder)
        else:
            folder.mkdir(parents=True, exist_ok=True)

    def _is_mine(self) -> bool:
        try:
            status = self.path.stat()
        except OSError:
            return False
        return _identity(status) == self._written


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def replace(path: Path, parts: Iterable[str], mode: int, *, durable: bool) -> os.stat_result | None:
    """Replaces a file with a new one of these parts; None where Windows refuses, since somebody reads it.

    Whatever has the name of the draft, a link perhaps, is never written to. Raises OSError, and what `parts`
    raises: then the old file stays, and no draft.
    """
    draft = draft_of(path)
    try:
        with os.fdopen(_open_new(draft, mode), "wb") as file:
            host.set_mode(file.fileno(), mode)  # whatever the umask
            file.writelines(part.encode() for part in parts)
            file.flush()
            if durable:
                host.sync(file.fileno())
        status = draft.lstat()  # now that it is closed: until then Windows may not know its time
        replaced = host.replace(str(draft), path)
        if durable:
            host.sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    return status if replaced else None


def _open_new(draft: Path, mode: int) -> int:
    """A new file; what has its name, a draft that a crash left or a link, is removed."""
    try:
        return host.open_new(str(draft), mode)
    except FileExistsError:
        draft.unlink()
        return host.open_new(str(draft), mode)


def _keep_foreign(real: Path) -> None:
    """Gives another file's text a second name. Raises OSError for what is no file, or was kept before."""
    words = foreign(real, any_text=True)
    if words:
        raise OSError(errno.EEXIST, f"{words}, and is not touched", str(real))
    if foreign(real):
        real.with_name(f"{real.name}.kept").hardlink_to(real)


def refuse_other(status: os.stat_result) -> None:
    """Raises ValueError for what is no regular file."""
    kind = next((words for test, words in _KINDS if test(status.st_mode)), "a device")
    if kind:
        raise ValueError(f"it is {kind}, not a file")
