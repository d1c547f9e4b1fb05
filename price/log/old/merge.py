"""Repairs put where they belong: into slots that the log lacks or marks missed. A live row always wins."""

import heapq
from collections.abc import Iterator, Sequence

from price.log.old import row
from price.log.old.chunk import Chunk, long_rows
from price.log.old.files import BLOCK, File

_SMALL = 1 << 13
"""Bytes of repairs.txt read at once: most missed stretches end within."""
_BEHIND = 1 << 62
"""The place within its slot of a row that no live row has a place for: behind them all."""

Repair = tuple[int, bytes, bytes, int]
"""Unix time, pair, row, and the offset of the row in repairs.txt."""
Part = tuple[bytes, int]
"""Rows and their interval."""
Piece = tuple[int, bytes]
"""Unix time and row of a part of a missed stretch."""
Waiting = tuple[int, int, bytes, int, Iterator[Piece]]
"""A piece's Unix time, the place of the live row it was cut from, its row, its interval, what follows."""


class Merger:
    """Merges live chunks with repairs, holding no more than one piece of each missed stretch.

    Within a slot, live rows and what was cut from them keep their order, other repairs come after.
    """

    def __init__(self, repairs: File, pairs: Sequence[bytes], since: int | None, until: int | None) -> None:
        self._file = repairs
        self._pairs = frozenset(pairs)
        self._until = until
        self._coming = self._read(0 if since is None else repairs.position(row.slot_of(since)))
        self._repair: Repair | None = next(self._coming, None)
        self._waiting: list[Waiting] = []
        self._covered: dict[bytes, int] = {}
        """The Unix time up to which live rows account for a pair's slots."""
        self._place = 0

    def merged(self, live: Iterator[Chunk]) -> Iterator[Chunk]:
        """All rows in order, in chunks of a good size again."""
        parts: list[bytes] = []
        size, every = 0, 0
        for rows, step in self._parts(live):
            if parts and (step != every or size >= BLOCK):
                yield Chunk(b"".join(parts), every)
                parts, size = [], 0
            parts.append(rows)
            size, every = size + len(rows), step
        if parts:
            yield Chunk(b"".join(parts), every)

    def _parts(self, live: Iterator[Chunk]) -> Iterator[Part]:
        every = 1
        for chunk in live:
            rows, every, at = chunk.rows, chunk.every, 0
            while at < len(rows):
                quiet = at if self._waiting else self._quiet(rows, at, every)
                if quiet > at:
                    yield rows[at:quiet], every
                    at = quiet
                else:
                    end = rows.index(b"\n", at) + 1
                    yield from self._row(rows[at:end], every)
                    at = end
        yield from self._due(_BEHIND, _BEHIND, every)

    def _quiet(self, rows: bytes, at: int, every: int) -> int:
        """How far from the offset `at` on the rows concern no repair: they pass in one piece."""
        if self._repair is None:
            return len(rows)
        unix = self._repair[0]
        stop = row.offset_of(rows, row.slot_of(unix), at)
        for start, end in long_rows(rows, at, stop):
            if row.unix_of(rows[start:end]) + row.slots_of(rows[start:end]) * every > unix:
                return start
        return stop

    def _row(self, line: bytes, every: int) -> Iterator[Part]:
        unix, pair = row.unix_of(line), row.pair_of(line)
        self._place += 1
        yield from self._due(unix, self._place, every)
        if not row.missed(line):
            self._covered[pair] = unix + 1
            yield line, every
            return
        self._covered[pair] = unix + row.slots_of(line) * every
        self._wait(self._place, every, self._split(line, every))
        yield from self._due(unix, self._place + 1, every)

    def _due(self, unix: int, place: int, every: int) -> Iterator[Part]:
        """What belongs before the place in the slot at `unix`."""
        while True:
            repair = (self._repair[0], _BEHIND) if self._repair else (_BEHIND, _BEHIND)
            if self._waiting and self._waiting[0][:2] < min(repair, (unix, place)):
                _, its_place, line, its_every, rest = heapq.heappop(self._waiting)
                self._wait(its_place, its_every, rest)
                yield line, its_every
            elif self._repair and repair < (unix, place):
                slot, pair, line, _ = self._repair
                self._repair = next(self._coming, None)
                if slot >= self._covered.get(pair, slot):
                    self._covered[pair] = slot + 1
                    yield line, every
            else:
                return

    def _wait(self, place: int, every: int, pieces: Iterator[Piece]) -> None:
        piece = next(pieces, None)
        if piece:
            heapq.heappush(self._waiting, (piece[0], place, piece[1], every, pieces))

    def _split(self, line: bytes, every: int) -> Iterator[Piece]:
        """A missed row as what is repaired of it and what stays missed, one after the other."""
        first, pair = row.unix_of(line), row.pair_of(line)
        end = first + row.slots_of(line) * every
        at = first
        for unix, its_pair, repaired, _ in self._read(self._repair[3]) if self._repair else ():
            if unix >= end:
                break
            if its_pair == pair and unix >= at and (unix - first) % every == 0:
                if unix > at:
                    yield at, row.cut(line, at, (unix - at) // every)
                yield unix, repaired
                at = unix + every
        if at < end:
            yield at, line if at == first else row.cut(line, at, (end - at) // every)

    def _read(self, start: int) -> Iterator[Repair]:
        """The repairs from an offset on that have a price, are well-formed and asked for."""
        for offset, block in self._file.blocks(start, _SMALL):
            at = offset
            for line in row.lines(block):
                if row.is_sound(line) and not row.missed(line):
                    unix, pair = row.unix_of(line), row.pair_of(line)
                    if self._until is not None and unix >= self._until:
                        return
                    if not self._pairs or pair in self._pairs:
                        yield unix, pair, line, at
                at += len(line)
