"""A small file that is replaced as a whole: readers see the old text or the new one, never half of either.

Nothing that somebody else put in its place is ever lost: what is no regular file is not touched, another
file's text is kept under the name with `.kept`, and only what was written here is removed.
"""

import errno
import os
from pathlib import Path

from price import host
from price.log.append import make_folder
from price.smallfile import draft_of, foreign, is_none, read_small

_EVERYONE = 0o044
_MOST_BYTES = 64 * 1024 * 1024


class AtomicFile:
    """Where the file is, who may read it, and whether it must survive a power cut; none at /dev/null."""

    def __init__(self, path: Path, mode: int, *, durable: bool) -> None:
        self.path = path
        self._path = str(path)
        self._real: Path | None = None
        """Where the path leads through links: the links stay."""
        self._written: tuple[int, int] | None = None
        """Device and inode of what was written last."""
        self._mode = mode
        self._durable = durable

    def read(self) -> str:
        """Its text. Raises OSError, also where there is to be none, and ValueError for what cannot be it."""
        if is_none(self.path):
            raise FileNotFoundError(errno.ENOENT, "no such file is wanted", self._path)
        return read_small(self._path, _MOST_BYTES)

    def write(self, text: str) -> bool:
        """Replaces the file, making its folder where that is missing; whether that was possible now.

        On Windows it is not while somebody reads it: the old text stays, and is to be replaced later.
        Raises OSError.
        """
        if not self._is_mine():
            self._real = None if is_none(self.path) else Path(os.path.realpath(self._path))
            if self._real:
                _keep_foreign(self._real)
        if self._real is None:
            return True
        try:
            return self._replace(self._real, text)
        except FileNotFoundError:
            if self._mode & _EVERYONE:
                make_folder(self._real.parent)
            else:
                self._real.parent.mkdir(parents=True, exist_ok=True)
            return self._replace(self._real, text)

    def remove(self) -> None:
        """Removes the file if it is what was written here last. Raises OSError."""
        if self._real and self._is_mine():
            host.remove(self._real)

    def _is_mine(self) -> bool:
        try:
            status = os.stat(self._path)  # noqa: PTH116 - for each slot
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._written

    def _replace(self, real: Path, text: str) -> bool:
        draft = str(draft_of(real))
        content = text.encode("utf-8")
        descriptor = open_new(draft, self._mode)
        try:
            host.set_mode(descriptor, self._mode)  # whatever the umask
            written = os.write(descriptor, content)
            if written != len(content):  # a disk that is nearly full takes a part
                raise OSError(errno.ENOSPC, f"only {written} of {len(content)} bytes could be written")
            if self._durable:
                host.sync(descriptor)
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        replaced = host.replace(draft, real)
        if replaced:
            self._written = status.st_dev, status.st_ino
        return replaced


def open_new(draft: str, mode: int) -> int:
    """A new file; what has its name, a draft that a crash left or a link, is removed and never written to."""
    try:
        return host.open_new(draft, mode)
    except FileExistsError:
        os.unlink(draft)  # noqa: PTH108 - for each slot
        return host.open_new(draft, mode)


def _keep_foreign(real: Path) -> None:
    """Gives another file's text a second name. Raises OSError for what is no file, or was kept before."""
    words = foreign(real, any_text=True)
    if words:
        raise OSError(errno.EEXIST, f"{words}, and is not touched", str(real))
    if foreign(real):
        real.with_name(f"{real.name}.kept").hardlink_to(real)
