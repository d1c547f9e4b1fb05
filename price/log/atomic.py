"""A small file that is replaced as a whole: readers see the old text or the new one, never half of either."""

import errno
import os
from pathlib import Path

from price import host
from price.log.append import make_folder

_EVERYONE = 0o044
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class AtomicFile:
    """Where the file is, who may read it, and whether it must survive a power cut."""

    def __init__(self, path: Path, mode: int, *, durable: bool) -> None:
        self.path = path
        real = os.path.realpath(path)  # a link stays one: what it leads to is replaced
        self._path = real
        self._new = os.path.join(os.path.dirname(real), f".{os.path.basename(real)}.new")  # noqa: PTH118, PTH119, PTH120
        self._mode = mode
        self._durable = durable

    def write(self, text: str) -> None:
        """Replaces the file, making its folder where that is missing. Raises OSError."""
        try:
            self._replace(text)
        except FileNotFoundError:
            folder = Path(self._path).parent
            if self._mode & _EVERYONE:
                make_folder(folder)
            else:
                folder.mkdir(parents=True, exist_ok=True)
            self._replace(text)

    def _replace(self, text: str) -> None:
        descriptor = self._draft()
        try:
            os.fchmod(descriptor, self._mode)  # whatever the umask
            content = text.encode("utf-8")
            written = os.write(descriptor, content)
            if written != len(content):  # a disk that is nearly full takes a part
                raise OSError(errno.ENOSPC, f"only {written} of {len(content)} bytes could be written")
            if self._durable:
                host.sync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(self._new, self._path)  # noqa: PTH105 - 15 µs a slot dearer through Path

    def _draft(self) -> int:
        """A draft that is ours alone: what stands in its place, a link too, is removed and not written to."""
        try:
            return os.open(self._new, _FLAGS, self._mode)
        except FileExistsError:  # a crash left it
            os.unlink(self._new)  # noqa: PTH108 - as above
            return os.open(self._new, _FLAGS, self._mode)
