"""A rotated file that was packed with gzip: it has no offsets to go to, so it is streamed."""

import zlib
from collections.abc import Iterator
from itertools import chain

from price.errors import PriceError
from price.log.old import row
from price.log.old.files import BLOCK, HOP, LOOK_BACK, File, is_row, last_header


class PackedFile(File):
    """A .gz file: it has no offsets to go to, so it is streamed from its beginning."""

    def blocks(self, start: int = 0, size: int = BLOCK) -> Iterator[tuple[int, bytes]]:
        """Whole lines with their offsets in the unpacked text. Raises PriceError for a damaged file."""
        rest = b""
        for read in self._unpacked(size):
            lines, end, rest_after = (rest + read).rpartition(b"\n")
            if end:
                yield start, lines + end
                start += len(lines) + 1
            rest = rest_after
        self.unfinished = bool(rest)

    def _start(self) -> bytes:
        return next(self._unpacked(HOP), b"")

    def _unpacked(self, size: int) -> Iterator[bytes]:
        at, member, whole = 0, zlib.decompressobj(31), True
        try:
            while packed := self.read(at, size):
                at += len(packed)
                while packed.strip(b"\0") or not whole:
                    text = member.decompress(packed, size)
                    packed, whole = member.unconsumed_tail, member.eof
                    if whole:  # one gzip file may follow another
                        packed, member = member.unused_data, zlib.decompressobj(31)
                    if text:
                        yield text
                    if not packed:
                        break
        except zlib.error as error:
            raise PriceError(f"{self.path}: damaged ({error}): restore it from a copy") from error
        if not whole:
            raise PriceError(f"{self.path}: damaged (cut short): restore it from a copy")

    def since(self, slot: bytes) -> tuple[bytes, int, Iterator[bytes]]:
        """As of a plain file; but what lies before is unpacked on the way."""
        read, every = b"", self.every
        blocks = (block for _, block in self.blocks())
        for block in blocks:
            every = last_header(read[:-LOOK_BACK]) or every
            read = read[-LOOK_BACK:] + block
            if _last_row(block) >= slot:
                break
        at = _position(read, slot)
        return read[:at], last_header(read[:at]) or every, chain([read[at:]], blocks)

    def last(self) -> bytes:
        """The slot of the last row; empty where there is none."""
        slot = b""
        for _, block in self.blocks():
            slot = _last_row(block) or slot
        return slot


def _last_row(block: bytes) -> bytes:
    """The slot of the last row in a block of lines; empty where it has none."""
    end = len(block)
    while end > 0:
        start = block.rfind(b"\n", 0, end - 1) + 1
        if is_row(block[start:end]):
            return block[start : start + row.SLOT_BYTES]
        end = start
    return b""


def _position(lines: bytes, slot: bytes) -> int:
    """Where the last row before a slot ends; 0 where there is none."""
    at = end = 0
    for line in row.lines(lines):
        at += len(line)
        if is_row(line):
            if line[: row.SLOT_BYTES] >= slot:
                break
            end = at
    return end
