"""The log as one sorted sequence of rows: all its files, ranges of it, repairs merged.

Ranges are found by binary search: there is no index to keep, and no file is read or mapped as a whole.
"""

from collections.abc import Iterable, Iterator

from price.log.old import row
from price.log.old.chunk import Chunk, clipped, only, reaching, sums
from price.log.old.files import File
from price.log.old.siblings import open_log, open_repairs


class PriceLog:
    """A price log, opened for one question: what is appended later is not seen. Use it in a `with`.

    `pairs` (as in the rows, such as b"BTC-USD") limits it to these; none means all.
    Raises PriceError where there is no log, or where it cannot be read.
    """

    def __init__(self, path: str, pairs: Iterable[bytes] = (), *, live_only: bool = False) -> None:
        self.pairs = tuple(pairs)
        self.skipped = 0
        """Lines left out so far since they are no rows."""
        self.unseen = set(self.pairs)
        """Those of `pairs` of which no row has come so far."""
        self.files = open_log(path)
        self.repairs = None if live_only else open_repairs(path)

    def __enter__(self) -> "PriceLog":
        return self

    def __exit__(self, *_: object) -> None:
        for file in [*self.files, *self._repairs()]:
            file.close()

    def _repairs(self) -> list[File]:
        return [self.repairs] if self.repairs else []

    def first(self) -> int | None:
        """The Unix time of the first row, repairs included; None for a log without rows."""
        slots = [file.first for file in [*self.files, *self._repairs()]]
        return row.unix_of(min(slots)) if slots else None

    def last(self) -> int | None:
        """The Unix time of the last row, repairs included; None for a log without rows."""
        slots = [file.last() for file in [*self.files[-1:], *self._repairs()]]
        return row.unix_of(max(slots)) if slots else None

    def pairs_between(self, since: int | None, until: int | None) -> set[bytes]:
        """The pairs that have rows in a range. Rows are counted rather than read: 0.5 s for a year."""
        found: set[bytes] = set()
        for chunk in self.chunks(since, until, checked=False):
            if chunk.rows.count(b"\n") != sum(chunk.rows.count(b" %b " % pair) for pair in found):
                found.update(map(row.pair_of, row.lines(row.sound(chunk.rows))))
        return found

    def chunks(
        self, since: int | None = None, until: int | None = None, *, checked: bool = True
    ) -> Iterator[Chunk]:
        """The rows from the Unix time `since` up to, not including, `until`, in order, repairs merged.

        Missed rows are clipped at the edges. Lines that are no rows are left out, except where the
        caller looks at each column itself (`checked=False`).
        """
        for chunk in self._merged(since, until, checked=checked):
            self.unseen -= {pair for pair in self.unseen if b" %b " % pair in chunk.rows}
            yield chunk

    def _merged(self, since: int | None, until: int | None, *, checked: bool) -> Iterator[Chunk]:
        if self.repairs is None:
            return self._live(since, until, checked=checked)
        live = self._live(since, until, checked=True)  # which slots have a row is asked of each line
        from price.log.old.merge import Merger  # most logs have no repairs

        return Merger(self.repairs, self.pairs, since, until).merged(live)

    def _live(self, since: int | None, until: int | None, *, checked: bool) -> Iterator[Chunk]:
        """The rows of prices.txt and its siblings alone."""
        start = row.slot_of(since) if since is not None else b""
        end = row.slot_of(until) if until is not None else b"~"
        for number, file in enumerate(self._between(start, end)):
            before, every, blocks = file.since(start)
            if number == 0 and since is not None:
                yield from self._wanted(reaching(before, every, since, until), until, checked=False)
            for block in blocks:
                for chunk in sums(block, every):
                    every = chunk.every
                    over = row.last_slot(chunk.rows) >= end
                    if over:
                        rows = row.sound(chunk.rows)
                        chunk.rows = rows[: row.offset_of(rows, end)]
                    yield from self._wanted(chunk, until, checked=checked)
                    if over:
                        return

    def _wanted(self, chunk: Chunk, until: int | None, *, checked: bool) -> Iterator[Chunk]:
        """The chunk without lines that are no rows or of other pairs, clipped; nothing if none is left."""
        if checked:
            rows = row.sound(chunk.rows)
            if rows is not chunk.rows:
                self.skipped += chunk.rows.count(b"\n") - rows.count(b"\n")
                chunk.rows = rows
        if self.pairs:
            chunk.rows = only(chunk.rows, self.pairs)
        if until is not None and b" slots=" in chunk.rows:
            chunk.rows = clipped(chunk.rows, chunk.every, until)
        if chunk.rows:
            yield chunk

    def _between(self, start: bytes, end: bytes) -> Iterator[File]:
        """The files that may hold rows from `start` up to `end`: a file ends where the next begins."""
        ends = [*(file.first for file in self.files), b"~"][1:]
        for file, after in zip(self.files, ends, strict=True):
            if after > start and file.first < end:
                yield file
