"""A file that only grows, block by block, each on stable storage before it counts."""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from price import host
from price.log.old.tail import sound_end

_MODE = 0o644
_START = b"# price-log "


class AppendFile:
    """The log on disk. After an error nothing is known of it until it is opened again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        """Bytes that are known to be on stable storage."""
        self.descriptor = -1
        self.identity = (0, 0)
        """Device and inode of the file last opened."""
        self.unsure = False
        """Whether an append failed since the file was last opened."""

    def open(self) -> bytes:
        """Opens or makes the file and cuts its end back to the last sound line; gives what it cut.

        What a failed append of this process left behind is cut and not given: it is written again.
        Raises OSError, and ValueError for a file that is not a price log.
        """
        self.close()
        make_folder(self.path.parent)
        descriptor = self._open()
        try:
            status = os.fstat(descriptor)
            ours = self._ends_in_ours(descriptor, status)
            end = self.size if ours else self._sound_end(descriptor, status)
            cut = os.pread(descriptor, status.st_size - end, end)
            if cut:
                os.ftruncate(descriptor, end)
            if end == 0:
                os.fchmod(descriptor, _MODE)  # whatever the umask: everyone may read prices
                host.sync_folder(self.path.resolve().parent)  # where the file is, not a link to it
            host.sync(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self.descriptor, self.size, self.unsure = descriptor, end, False
        self.identity = (status.st_dev, status.st_ino)
        return b"" if ours else cut

    def append(self, block: bytes) -> None:
        """Writes a block with one write(2) and brings it to stable storage. Raises OSError.

        After an error the block counts as not written; the next `open` takes back what there is of it.
        """
        self.unsure = True
        written = os.write(self.descriptor, block)
        if written != len(block):
            os.ftruncate(self.descriptor, self.size)  # readers should not see half a row for long
            raise OSError(errno.ENOSPC, f"only {written} of {len(block)} bytes could be written")
        host.sync(self.descriptor)
        self.size += written
        self.unsure = False

    def in_place(self) -> bool:
        """Whether the path still leads to this file, and the file is as this process left it."""
        if self.descriptor < 0:
            return False
        try:
            status = self.path.stat()
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self.identity and status.st_size == self.size

    def close(self) -> None:
        """Lets go of the file."""
        if self.descriptor >= 0:
            descriptor, self.descriptor = self.descriptor, -1
            with suppress(OSError):  # says nothing of blocks that were synced, and others do not count
                os.close(descriptor)

    def _open(self) -> int:
        if self.path.exists() and not stat.S_ISREG(self.path.stat().st_mode):
            raise ValueError("it is not a regular file")  # opening a FIFO would wait for a reader
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(self.path, flags, _MODE)
        if not host.claim(descriptor):  # the lock beside it does not see a second name of the same file
            os.close(descriptor)
            raise ValueError("another process is recording into it by another name")
        return descriptor

    def _ends_in_ours(self, descriptor: int, status: os.stat_result) -> bool:
        """Whether a failed append left something behind: it was never acknowledged and is written again."""
        if not self.unsure or (status.st_dev, status.st_ino) != self.identity or status.st_size <= self.size:
            return False
        # inode numbers are used again: another file hardly has a line end in the same place
        return self.size == 0 or os.pread(descriptor, 1, self.size - 1) == b"\n"

    def _sound_end(self, descriptor: int, status: os.stat_result) -> int:
        head = os.pread(descriptor, len(_START), 0)
        if head and not head.startswith(_START):
            torn = _START.startswith(head) or not head.strip(b"\0")
            if not torn or status.st_size > 4096:
                raise ValueError("it is not a price log: its first line is not '# price-log …'")
            return 0
        return sound_end(descriptor, status.st_size)


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it that are missing, on stable storage. Raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        host.sync_folder(folder.parent)
