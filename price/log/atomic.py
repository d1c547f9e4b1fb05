"""A small file that is replaced as a whole: readers see the old text or the new one, never half of either."""

import errno
import os
from pathlib import Path

from price import host


class AtomicFile:
    """Where the file is, who may read it, and whether it must survive a power cut."""

    def __init__(self, path: Path, mode: int, *, durable: bool) -> None:
        self.path = path
        self._path = str(path)
        self._new = str(path.with_name(f".{path.name}.new"))
        self._mode = mode
        self._durable = durable

    def write(self, text: str) -> None:
        """Replaces the file, making its folder where that is missing. Raises OSError."""
        try:
            self._replace(text)
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._replace(text)

    def _replace(self, text: str) -> None:
        descriptor = os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, self._mode)
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
