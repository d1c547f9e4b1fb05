"""One file of a log: prices.txt or a rotated one, read from anywhere, block by block, in bounded memory."""

import os
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from price import host, times
from price.log import row
from price.log.row import HEADER_START, read_header

BLOCK = 1 << 16
"""Bytes read at once: what they become fits the processor's cache; larger ones are slower."""
HOP = 1 << 12
"""Bytes read at each step of a binary search: a page holds some whole rows."""
FEW = 3
"""Rows that are looked at where one alone might be out of order."""
LOOK_BACK = 1 << 18
"""Bytes before a range in which a missed row that reaches into it is looked for: 5,000 rows."""
LONGEST = 1 << 16
"""Bytes without a line end that may still become a row; more are skipped as they are read."""
TOO_LONG = b"\0 over 64 KiB without a line end\n"
"""The line that stands in the place of one that was skipped."""

GZIP, BZIP2, XZ = PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")
"""How a file of each form that Python unpacks begins: with logrotate's compresscmd, names do not show it."""


class File:
    """A plain file, open for reading; what is appended later is not seen."""

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        self.every = 0
        """The interval of its first line."""
        self.simulated = False
        self.damage = ""
        """Why it could not be read to its end."""
        self.trailing = ""
        """What is wrong behind the end of its text, if it does not matter."""
        self.reached = 0
        """The offset behind the lines that `blocks` gave last."""
        self.unfinished = False
        """Whether it was found to end in the middle of a line."""

    def read(self, at: int, size: int) -> bytes:
        """The bytes from an offset on; where the disk refuses, none, and `damage` is the reason."""
        try:
            return host.read_at(self.descriptor, size, at)
        except OSError as error:
            self.damage = f"cannot be read further: {error.strerror}"
            return b""

    def chunks(self, start: int, size: int) -> Iterator[bytes]:
        """The bytes from an offset to the end, `size` at a time."""
        at = start
        while at < self.size and (read := self.read(at, min(size, self.size - at))):
            at += len(read)
            yield read

    def blocks(self, start: int = 0, size: int = BLOCK) -> Iterator[tuple[int, bytes]]:
        """Whole lines from the offset `start` on, which is the start of a line, with their offsets."""
        begin = at = self.reached = start
        self.unfinished = skipping = False
        rest = b""
        for read in self.chunks(start, size):
            at += len(read)
            if skipping:
                _, newline, read = read.partition(b"\n")
                if not newline:
                    continue
                skipping, self.reached = False, at - len(read)
                yield begin, TOO_LONG
                begin = at - len(read)
            lines, newline, rest = (rest + read).rpartition(b"\n")
            if newline:
                self.reached = at - len(rest)
                yield begin, lines + newline
                begin = at - len(rest)
            if len(rest) > LONGEST:
                rest, skipping = b"", True
        self.unfinished = bool(rest) or skipping

    def backwards(self, most: int | None = None) -> Iterator[bytes] | None:  # noqa: ARG002
        """Blocks of whole lines, the last one first; what is too long to be a line is passed over.

        None where more than `most` bytes would have to be unpacked for that: never of a plain file.
        """
        return self._backwards()

    def _backwards(self) -> Iterator[bytes]:
        """Reads each byte once and joins it once, however long a stretch without a line end is."""
        end = self.size
        if self.read(max(0, end - 1), 1) != b"\n":
            start = max(0, end - LONGEST)
            end = start + self.read(start, end - start).rfind(b"\n") + 1
        rest, skipping = b"", False
        while end > 0:
            start = max(0, end - BLOCK)
            first, newline, others = self.read(start, end - start).partition(b"\n")
            end = start
            if not newline:  # all of it belongs to one line
                rest, skipping = (first + rest, skipping) if len(rest) < LONGEST else (b"", True)
                continue
            if not skipping:
                others += rest
            else:  # the line that `others` ends in goes on for too long
                others = others[: others.rfind(b"\n") + 1]
            if others:
                yield others
            rest, skipping = first + newline, False
        if rest and not skipping:
            yield rest

    def since(self, slot: str) -> tuple[int, Iterator[bytes]]:
        """The lines from the first row of a slot on, in blocks, and the interval in force at their beginning.

        Before them come the missed rows from before that slot which may reach over it.
        """
        at = self.position(slot) if slot else 0
        start = max(0, at - LOOK_BACK)
        before = self.read(start, at - start) if at else b""
        blocks = (block for _, block in self.blocks(at))
        return self.interval_at(at, before), chain(long_lines(before), blocks)

    def position(self, slot: str) -> int:
        """Where the last row before a slot ends; 0 where there is none."""
        low, high = 0, self.size
        while high - low > 2 * HOP:
            middle = (low + high) // 2
            found = list(islice(places(self.blocks(middle, HOP)), FEW))
            # one of them may be out of order: rather too early, where rows before the slot are passed over
            if found and max(found)[0] < slot:
                low = found[0][1]
            else:
                high = middle
        return end_before(slot, self.blocks(low, HOP), low)

    def last(self) -> str:
        """The slot of the last row; empty where there is none."""
        for block in self.backwards() or ():
            for part in (block[-HOP:], block):  # mostly it is among the last lines
                rows = row.find(part.decode("latin-1"))
                if rows:
                    return rows[-1][0]
        return ""

    def interval_at(self, at: int, before: bytes | None = None) -> int:
        """The interval in force at an offset; `before` is what lies before it, where that was read already.

        A year is too long to search for another header: where the rows before keep the interval of
        the first line, that one is in force.
        """
        start = max(0, at - LOOK_BACK)
        before = self.read(start, at - start) if before is None else before
        every = last_interval(before)
        if not every and start and _usual_step(before) != self.every:
            while start > 0 and not every:
                start, end = max(0, start - BLOCK), start + HOP  # a header may lie across two blocks
                every = last_interval(self.read(start, end - start))
        return every or self.every


def places(blocks: Iterable[tuple[int, bytes]]) -> Iterator[tuple[str, int, int]]:
    """The slot of each line that begins with one, in blocks with offsets; where it begins and ends."""
    for start, block in blocks:
        at = start
        for line in block.split(b"\n")[:-1]:  # splitlines() would end them at a carriage return too
            begin, at = at, at + len(line) + 1
            if line[10:11] == b"T" and line[19:21] == b"Z ":  # most other lines are not looked at
                slot = line[: row.SLOT_LENGTH].decode("latin-1")
                if row.is_slot(slot):
                    yield slot, begin, at


def end_before(slot: str, blocks: Iterable[tuple[int, bytes]], end: int) -> int:
    """Where the last row before a slot ends, in blocks with offsets; `end` where there is none."""
    for found, _, behind in places(blocks):
        if found >= slot:
            break
        end = behind
    return end


def long_lines(before: bytes) -> list[bytes]:
    """Of some lines those of several slots, as far back as the interval is the same; the first may be cut."""
    at = max(before.rfind(f"\n{HEADER_START}".encode()), before.find(b"\n")) + 1
    found = []
    while (at := before.find(b" slots=", at)) >= 0:
        begin, at = before.rfind(b"\n", 0, at) + 1, before.find(b"\n", at) + 1
        found.append(before[begin:at])
    return [b"".join(found)] if found else []


def last_interval(block: bytes) -> int:
    """The interval in the last header of some lines; 0 where there is none."""
    start = HEADER_START.encode()
    at = len(block)
    while (at := block.rfind(start, 0, at)) >= 0:
        header = read_header(block[at:].partition(b"\n")[0].decode("latin-1"))
        if header and (at == 0 or block[at - 1 : at] == b"\n"):
            return header.every
    return 0


def _usual_step(block: bytes) -> int:
    """The seconds from slot to slot that most of a pair's last rows keep; 0 where there are no two."""
    rows = row.find(block[-BLOCK:].decode("latin-1"))
    same = [one for one in rows if one[1] == rows[-1][1]][-20:]
    unix = [times.slot_unix(one[0]) for one in same]
    steps = [(after - at) // row.slots(one) for one, at, after in zip(same, unix, unix[1:], strict=False)]
    return max(steps, key=steps.count, default=0)
