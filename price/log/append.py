"""A file that only grows, block by block, each on stable storage before it counts."""

import errno
import os
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from itertools import accumulate
from pathlib import Path

from price import host

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class AppendFile:
    """The log on disk, open or not yet. After an error nothing is known of it: it must be opened again."""

    def __init__(self, path: Path, descriptor: int = -1, size: int = 0) -> None:
        self.path = path
        self.descriptor = descriptor
        self.size = size
        """Bytes that are known to be on stable storage."""
        self.identity = identity_of(descriptor) if descriptor >= 0 else (0, 0)
        self.unsure = False
        """Whether an append has failed."""

    def append(self, blocks: Sequence[bytes]) -> int:
        """Writes blocks with one write(2) and brings them to stable storage; returns how many.

        On a full disk these are as many whole blocks as fit. Raises OSError where that is none; they then
        count as not written, and what there is of them is cut off when the file is opened again.
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

    def left_bytes_in(self, descriptor: int, size: int) -> bool:
        """Whether an open file of `size` bytes ends in what a failed append left, not acknowledged."""
        if not self.unsure or identity_of(descriptor) != self.identity or size <= self.size:
            return False
        # inode numbers are used again: another file hardly has a line end in the same place
        return self.size == 0 or host.read_at(descriptor, 1, self.size - 1) == b"\n"


def identity_of(descriptor: int) -> tuple[int, int]:
    """Device and inode of an open file."""
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino
