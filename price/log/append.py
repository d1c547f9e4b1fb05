"""A file that only grows, block by block, each on stable storage before it counts."""

import errno
import os
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from itertools import accumulate
from pathlib import Path

from price import host
from price.log.cut import Cut, keep, sound_end
from price.log.lock import LOG_MODE, open_exclusively

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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

    def open(self, most_lines: int) -> Cut | None:
        """Opens or makes the file and cuts off what a crash left at its end; returns what it cut.

        `most_lines` is how many rows a slot has. What a failed append of this process left behind is cut and
        not returned: it is written again. The file that was open before stays so until the new one is, so
        that its lock is never given up in between. Raises OSError, and Unfit for what is no price log.
        """
        if self.descriptor >= 0 and (host.LOG_IS_EXCLUSIVE or self.links == 0):
            self.close()  # it keeps us out as well; or it is gone, and takes room on a disk that may be full
        host.make_folder(self.path.parent)
        descriptor = open_exclusively(self.path)
        try:
            status = os.fstat(descriptor)
            cut = None
            ours = self._ends_in_ours(descriptor, status)
            end = self.size if ours else sound_end(descriptor, status.st_size, most_lines)
            if end < status.st_size:
                if not ours:
                    cut = keep(descriptor, end, self.path.with_name(f"{self.path.name}.cut"))
                os.ftruncate(descriptor, end)
            if end == 0:
                host.set_mode(descriptor, LOG_MODE)  # whatever the umask: everyone may read prices
                host.sync_folder(self.path.resolve().parent)  # where the file is, not a link to it
            host.sync(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self.close()
        host.claim(descriptor)  # now that the old descriptor no longer holds the lock
        self.descriptor, self.size, self.unsure = descriptor, end, False
        self.identity = (status.st_dev, status.st_ino)
        return cut

    def append(self, blocks: Sequence[bytes]) -> int:
        """Writes blocks with one write(2) and brings them to stable storage; returns how many.

        On a full disk these are as many whole blocks as fit. Raises OSError where that is none; they then
        count as not written, and the next `open` takes back what there is of them.
        """
        self.unsure = True
        count = len(blocks)
        while True:
            try:
                written = os.write(self.descriptor, b"".join(blocks[:count]))
                break
            except OSError as error:
                if error.errno not in _FULL or count == 1:
                    raise
                count //= 2  # some file systems refuse a write as a whole where a smaller one fits
        ends = [0, *accumulate(map(len, blocks[:count]))]
        fits = bisect_right(ends, written) - 1
        size = ends[fits]
        if size < written:
            os.ftruncate(self.descriptor, self.size + size)  # readers should not see half a row for long
        if fits == 0:
            raise OSError(errno.ENOSPC, f"only {written} of {len(blocks[0])} bytes could be written")
        host.sync(self.descriptor)
        self.size += size
        self.unsure = False
        return fits

    def in_place(self) -> bool:
        """Whether the path still leads to this file, and the file is as this process left it."""
        try:
            status = self.path.stat()
        except OSError:
            return False
        same = (status.st_dev, status.st_ino) == self.identity
        return self.descriptor >= 0 and not self.unsure and same and status.st_size == self.size

    @property
    def links(self) -> int:
        """By how many names the open file can be reached: 0 once it is gone."""
        return os.fstat(self.descriptor).st_nlink

    def close(self) -> None:
        """Closes the file."""
        if self.descriptor >= 0:
            descriptor, self.descriptor = self.descriptor, -1
            with suppress(OSError):  # blocks that were synced are safe, and others do not count
                os.close(descriptor)

    def _ends_in_ours(self, descriptor: int, status: os.stat_result) -> bool:
        """Whether a failed append left something behind: it was never acknowledged and is written again."""
        if not self.unsure or (status.st_dev, status.st_ino) != self.identity or status.st_size <= self.size:
            return False
        # inode numbers are used again: another file hardly has a line end in the same place
        return self.size == 0 or host.read_at(descriptor, 1, self.size - 1) == b"\n"
