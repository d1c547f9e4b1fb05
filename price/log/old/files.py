"""A file of a log: prices.txt or a rotated sibling, read in place."""

import os
from collections.abc import Iterator

from price.errors import PriceError
from price.log.old import row

_HEADER = b"# price-log 1 every="
BLOCK = 1 << 16
"""Bytes read at once: what they become fits the processor's cache; larger ones are slower."""
HOP = 1 << 12
"""Bytes read at each step of a binary search: a page holds some whole rows."""
LOOK_BACK = 1 << 18
"""Bytes before a range in which a missed row that reaches into it is looked for: 5,000 rows."""


class File:
    """A file of the log, open for reading; what is appended later is not seen."""

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        known = os.fstat(descriptor)
        self.size, self.inode = known.st_size, known.st_ino
        self.every = 0
        """The interval of its first line."""
        self.first = b""
        """The slot of its first row; empty where it has none."""
        self.unfinished = False
        """Whether it was found to end in the middle of a line."""

    def close(self) -> None:
        """Lets go of the file."""
        os.close(self.descriptor)

    def read(self, at: int, size: int) -> bytes:
        """The bytes from an offset on. Raises PriceError where the disk refuses."""
        try:
            return os.pread(self.descriptor, size, at)
        except OSError as error:
            raise PriceError(f"{self.path}: cannot be read: {error.strerror}") from error

    def look(self, *, strict: bool = True) -> None:
        """Reads `every` and `first`. Raises PriceError where the file is no price log.

        Where not `strict`, a file that holds a row is one, whatever its first line says.
        """
        begun = b""
        for _, block in self.blocks(size=HOP):
            for line in row.lines(block):
                if not begun:
                    begun = line
                    self.every = row.every_of(line) or 0
                    if strict and not self.every:
                        raise PriceError(_no_log(self.path, line))
                if is_row(line):
                    self.first = line[: row.SLOT_BYTES]
                    return
            if not self.every:
                break
        begun = begun or self._start()
        if not self.every and not _HEADER.startswith(begun[: len(_HEADER)]):
            raise PriceError(_no_log(self.path, begun))

    def _start(self) -> bytes:
        """The beginning of a file that has no whole line yet."""
        return self.read(0, len(_HEADER))

    def blocks(self, start: int = 0, size: int = BLOCK) -> Iterator[tuple[int, bytes]]:
        """Whole lines from the offset `start` on, which is the start of a line, with their offsets."""
        rest = b""
        at = start
        while at < self.size and (read := self.read(at, min(size, self.size - at))):
            at += len(read)
            lines, end, rest_after = (rest + read).rpartition(b"\n")
            if end:
                yield start, lines + end
                start = at - len(rest_after)
            rest = rest_after
        self.unfinished = bool(rest)

    def position(self, slot: bytes) -> int:
        """Where the last row before a slot ends; 0 where there is none."""
        low, high = 0, self.size
        while high - low > 2 * HOP:
            middle = (low + high) // 2
            start, found = self._row_after(middle)
            if found and found < slot:
                low = start
            else:
                high = middle
        end = low
        for start, line in self._lines(low):
            if is_row(line):
                if line[: row.SLOT_BYTES] >= slot:
                    break
                end = start + len(line)
        return end

    def _row_after(self, offset: int) -> tuple[int, bytes]:
        """The first row that begins after an offset: where, and its slot; b"" where none follows."""
        lines = self._lines(offset)
        next(lines, None)  # the rest of the line that the offset lies in
        return next(((start, line[: row.SLOT_BYTES]) for start, line in lines if is_row(line)), (0, b""))

    def _lines(self, offset: int) -> Iterator[tuple[int, bytes]]:
        for start, block in self.blocks(offset, HOP):
            for line in row.lines(block):
                yield start, line
                start += len(line)

    def since(self, slot: bytes) -> tuple[bytes, int, Iterator[bytes]]:
        """Up to LOOK_BACK bytes up to the last row before a slot, the interval there, and what follows."""
        at = self.position(slot) if slot > self.first else 0
        before = self.read(max(0, at - LOOK_BACK), min(at, LOOK_BACK))
        return before, self._every_before(before, at), (block for _, block in self.blocks(at))

    def _every_before(self, before: bytes, at: int) -> int:
        """The interval in force at an offset.

        A year is too long to search for another header: where the rows before keep the interval of
        the first line, that one is in force.
        """
        header = last_header(before)
        if header or at <= LOOK_BACK or _step(before) == self.every:
            return header or self.every
        while at > 0 and not header:
            start = max(0, at - BLOCK)
            header = last_header(self.read(start, at + HOP - start))
            at = start
        return header or self.every

    def last(self) -> bytes:
        """The slot of the last row; empty where there is none."""
        end = self.size
        while end > 0:
            start = max(0, end - BLOCK)
            # the line that a block begins in counts with the block before it
            lines = self.read(start, min(end + HOP, self.size) - start).split(b"\n")[:-1]
            for line in reversed(lines[1:] if start else lines):
                if is_row(line):
                    return line[: row.SLOT_BYTES]
            end = start
        return b""


def is_row(line: bytes) -> bool:
    """Whether a line begins as a row does; enough to find one's way by."""
    return line[10:11] == b"T" and line[19:21] == b"Z " and line[:4].isdigit()


def _no_log(path: str, line: bytes) -> str:
    return (
        f"{path}: not a price log: it begins {line[:40].decode('latin-1')!a},"
        " not '# price-log 1 every=5s'; name another with --file"
    )


def last_header(lines: bytes) -> int:
    """The interval that the last header in some lines gives; 0 where there is none."""
    at = len(lines)
    while (at := lines.rfind(_HEADER, 0, at)) >= 0:
        every = row.every_of(lines[at:].partition(b"\n")[0])
        if every and (at == 0 or lines[at - 1 : at] == b"\n"):
            return every
    return 0


def _step(rows: bytes) -> int:
    """The interval that the last two rows of one pair keep; 0 where there are no two."""
    start = rows.rfind(b"\n", 0, len(rows) - 1) + 1
    last = rows[start:]
    if not row.is_sound(last):
        return 0
    same = rows.rfind(b" %b " % row.pair_of(last), 0, start)
    before = rows[rows.rfind(b"\n", 0, max(same, 0)) + 1 : rows.find(b"\n", max(same, 0)) + 1]
    if same < 0 or not row.is_sound(before):
        return 0
    return (row.unix_of(last) - row.unix_of(before)) // row.slots_of(before)
