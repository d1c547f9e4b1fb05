"""Going on from a position in a log: what a follower, of a database for example, reads next.

    reader = LogReader("logs/prices.txt", at_slot(since))   # or Position(), for all of the log
    for every, rows in reader.read():                       # what has come since the last time
        ...                                                 # `reader.position` is behind these rows

A position is a file and an offset in its text. Files are renamed, packed, copied and truncated, replaced
and removed by others; a file is known again by its inode and its first row, or, packed or copied, by its
first row alone. Where it is gone the reader goes on by time, with the first row after the last one.
Every (slot, pair) comes once and in order. An unfinished last line is left for the next time.
"""

from collections.abc import Iterator
from typing import NamedTuple

from price import times
from price.log import row
from price.log.file import BLOCK, File
from price.log.files import LogFile, log_files
from price.log.order import Block, LeftOut
from price.log.read import parsed
from price.log.row import Row

_WHOLE = 1 << 62
"""Bytes: what is appended while a file is read belongs to the answer here."""


class Position(NamedTuple):
    """How far a log was read; by default not at all."""

    device: int = 0
    inode: int = 0
    """Which file; 0 where only `slot` shows how far."""
    first: str = ""
    """The slot of the file's first row."""
    offset: int = 0
    """Bytes of the file's text (unpacked) that were read: the start of a line."""
    every: int = 0
    """The interval in force there, in seconds."""
    slot: str = ""
    """The slot of the last row."""
    pairs: tuple[str, ...] = ()
    """The pairs whose rows of that slot were read."""


def at_slot(unix: int) -> Position:
    """The position before the rows of a slot, given as a Unix time."""
    return Position(slot=times.slot_text(unix - 1)) if unix > times.FIRST_SECOND else Position()


class LogReader:
    """Reads what has come since a position."""

    def __init__(self, path: str, position: Position) -> None:
        self.path = path
        self.position = position
        """Behind the rows that `read` yielded last."""
        self.left = LeftOut()
        """What was left out since `left.forget()`."""

    def read(self) -> Iterator[Block]:
        """The rows that have come, in lists of one interval.

        Raises PriceError where the log cannot be read; the same position can be tried again later.
        """
        listed = log_files(self.path)
        self.left.files = {file.path: file.fault for file in listed if file.fault}
        for file in self._from_here([file for file in listed if file.first and not file.fault]):
            file.size = _WHOLE
            try:
                with file.opened() as opened:
                    yield from self._file(file, opened)
                    if opened.damage:
                        self.left.damaged[file.path] = opened.damage
            except OSError:
                return  # renamed a moment ago: the next reading finds it again

    def _from_here(self, files: list[LogFile]) -> list[LogFile]:
        """The file that the position is in, and those after it; by time where it is gone."""
        known = [at for at, file in enumerate(files) if file.first == self.position.first]
        same = [at for at in known if files[at].identity == (self.position.device, self.position.inode)]
        for at in same or known:
            if files[at].packed or files[at].size >= self.position.offset:
                return files[at:]
        self.position = self.position._replace(device=0, inode=0, first="", offset=0)
        later = (at for at, file in enumerate(files) if file.first > self.position.slot)
        return files[max(0, next(later, len(files)) - 1) :]

    def _file(self, file: LogFile, opened: File) -> Iterator[Block]:
        """The rows of a file behind the position, or behind its slot where that is in another file."""
        place = self.position
        device, inode = file.identity
        here = place.first == file.first
        if here and (file.packed or not place.offset or opened.read(place.offset - 1, 1) == b"\n"):
            offset, every = place.offset, place.every
        else:  # another file, or one that was changed under us
            offset = 0 if file.packed or not place.slot else opened.position(place.slot)
            every = file.every if file.packed else opened.interval_at(offset)
        self.position = place._replace(
            device=device, inode=inode, first=file.first, offset=offset, every=every
        )
        for start, block in opened.blocks(offset):
            known = self.left.lines
            parts = list(parsed(block.decode("latin-1"), every, self.left))
            if self.left.lines > known and not self.left.place:
                self.left.place = f"{file.path}:{_line_number(opened, start, block)}"
            for number, (interval, found) in enumerate(parts, 1):
                every, rows = interval, self._news(found)
                # a part that is not the block's last is found again by its slot, not by its offset
                offset = opened.reached if number == len(parts) else offset
                self.position = self.position._replace(offset=offset, every=every)
                if rows:
                    slot = rows[-1][0]
                    before = self.position.pairs if slot == self.position.slot else ()
                    pairs = {*before, *(one[1] for one in rows if one[0] == slot)}
                    self.position = self.position._replace(slot=slot, pairs=tuple(sorted(pairs)))
                    yield every, rows

    def _news(self, rows: list[Row]) -> list[Row]:
        """The rows that come after the position, each slot and pair once."""
        last, pairs = self.position.slot, set(self.position.pairs)
        news = []
        for one in rows:
            if one[0] > last:
                last, pairs = one[0], {one[1]}
                news.append(one)
            elif one[0] == last and pairs and one[1] not in pairs:  # a slot without pairs was read whole
                pairs.add(one[1])
                news.append(one)
        return news


def _line_number(file: File, start: int, block: bytes) -> int:
    """The number of the first line that is no row, in a block that begins at an offset of a file."""
    before, left = 0, start
    for chunk in file.chunks(0, BLOCK):
        before += chunk[:left].count(b"\n")
        left -= len(chunk)
        if left <= 0:
            break
    lines = enumerate(block.decode("latin-1").split("\n"), before + 1)
    return next(number for number, line in lines if line[:1] != "#" and not row.find(f"{line}\n"))
