"""A packed file of a log: it has no offsets to go to, so it is unpacked as it is read, from its beginning."""

import bz2
import lzma
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain

from price.log import row
from price.log.file import BLOCK, BZIP2, GZIP, LOOK_BACK, XZ, File, end_before, last_interval, long_lines

_KEPT_BLOCKS = 64
_MOST_MEMORY = 256 << 20
"""Bytes that an xz file may ask for."""


class _Gzip:
    """zlib's object in the form of those of bz2 and lzma."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(31)
        self.eof, self.needs_input, self.unused_data = False, True, b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        member = self._member
        text = member.decompress(member.unconsumed_tail + data, max_length)
        self.eof, self.needs_input, self.unused_data = (
            member.eof,
            not member.unconsumed_tail,
            member.unused_data,
        )
        return text


_Member = _Gzip | bz2.BZ2Decompressor | lzma.LZMADecompressor
"""What unpacks one member of a file."""
_FORMS: dict[bytes, Callable[[], _Member]] = {
    GZIP: _Gzip,
    BZIP2: bz2.BZ2Decompressor,
    XZ: lambda: lzma.LZMADecompressor(memlimit=_MOST_MEMORY),
}


class PackedFile(File):
    """A .gz, .bz2 or .xz file. Where it is damaged, `damage` is the reason after the last block."""

    def chunks(self, start: int, size: int) -> Iterator[bytes]:
        """The unpacked text from an offset in it on; what lies before is unpacked all the same."""
        try:
            for text in self._unpacked(super().chunks(0, size)):
                if len(text) > start:
                    yield text[start:]
                start = max(0, start - len(text))
        except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
            self.damage = self.damage or f"damaged ({error}): restore it from a copy"

    def _unpacked(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for packed in chunks:
            rest = packed + (next(chunks, b"") if len(packed) < 8 else b"")
            while rest:  # one member may follow another
                form = next((form for magic, form in _FORMS.items() if rest.startswith(magic)), None)
                if form is None:
                    if rest.strip(b"\0"):  # gzip -d warns as well, and succeeds
                        self.trailing = "bytes behind its end are no packed text and were ignored"
                    return
                member = form()
                yield from _texts(member, rest, chunks)
                if not member.eof:
                    self.damage = self.damage or "damaged (cut short): restore it from a copy"
                    return
                rest = member.unused_data
                if len(rest) < 8:  # not enough to know how the next one begins
                    rest += next(chunks, b"")

    def since(self, slot: str) -> tuple[int, Iterator[bytes]]:
        """As of a plain file; but what lies before is unpacked on the way."""
        read, every = b"", self.every
        blocks = (block for _, block in self.blocks())
        for block in blocks:
            every = last_interval(read[:-LOOK_BACK]) or every
            read = read[-LOOK_BACK:] + block
            if any(one[0] >= slot for one in row.find(block.decode("latin-1"))[-1:]):
                break
        at = end_before(slot, [(0, read)], 0)
        return last_interval(read[:at]) or every, chain(long_lines(read[:at]), [read[at:]], blocks)

    def backwards(self, most: int | None = None) -> Iterator[bytes] | None:
        """The blocks of its last 4 MiB; None where it has more than `most` bytes of text."""
        kept: deque[bytes] = deque(maxlen=_KEPT_BLOCKS)
        size = 0
        for _, block in self.blocks():
            kept.append(block)
            size += len(block)
            if most is not None and size > most:
                return None
        return reversed(kept)


def _texts(member: _Member, packed: bytes, more: Iterator[bytes]) -> Iterator[bytes]:
    """What a member holds, at most a block at a time, however well it was packed."""
    while True:
        text = member.decompress(packed, BLOCK)
        if text:
            yield text
        if member.eof:
            return
        packed = b"" if not member.needs_input else next(more, b"")
        if not packed and member.needs_input:
            return
