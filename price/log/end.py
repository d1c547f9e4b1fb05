"""What the end of a log shows: how far each pair's rows go, its last prices, and whether they are made up.

A recorder reads this at its start, so it must be quick behind any log. It goes backwards from the last
row, through the rotated files if it has to, and stops once it knows everything:

- the last row of each pair and the interval in force: within 4 MiB of the newest file that has rows;
- each pair's last price, and those young enough to be an anchor: farther back, through older files, within
  16 MiB of text with prices. Blocks of missed rows alone cost next to nothing and are passed over;
- for a log whose header does not state that it is simulated: its newest price, however far back.
"""

import os
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from price import host, times
from price.errors import PriceError
from price.log import row
from price.log.file import File, last_interval
from price.log.files import log_files
from price.log.row import read_header
from price.model import Pair, Quote

_ROWS_BYTES = 4 * 1024 * 1024
_PRICES_BYTES = 16 * 1024 * 1024
_MOST_UNPACKED_BYTES = 64 * 1024 * 1024
"""A packed file has to be unpacked from its beginning: this much takes half a second."""
_FAR = times.unix(datetime(9000, 1, 1, tzinfo=UTC))
"""A row from here on would leave no slot to record."""


class LogEnd:
    """What the end of a log shows."""

    def __init__(self, path: Path = Path(), size: int = 0) -> None:
        self.path = path
        self.size = size
        """Bytes of the log's own file, `path`."""
        self.interval: int | None = None
        """In force at the end, in seconds; None where no line states it."""
        self.simulated: bool | None = None
        """Whether its prices are made up; None for a log that has none and does not state it."""
        self.rows: dict[Pair, Quote] = {}
        """The last row of each pair."""
        self.recent: dict[Pair, list[Quote]] = {}
        """Rows with a price, the oldest first: the last one of each pair, and those of the last minutes."""
        self.skipped: list[str] = []
        """Rotated files that could not be read, each with the reason."""

    @property
    def priced(self) -> dict[Pair, Quote]:
        """The last row with a price of each pair."""
        return {pair: quotes[-1] for pair, quotes in self.recent.items()}

    def last_slots(self) -> dict[Pair, datetime]:
        """The last slot that each pair's rows account for. Raises ValueError for one that no clock shows."""
        found: dict[Pair, datetime] = {}
        for pair, quote in self.rows.items():
            end = times.unix(quote.slot) + (quote.slots - 1) * (self.interval or 0)
            if not 0 <= end < _FAR:
                known = f"{times.iso(quote.slot)} {pair}"
                raise ValueError(f"its row of {known} is damaged: it reaches to a time that no clock shows")
            found[pair] = times.from_unix(end)
        return found

    def drop_absent(self, interval: int) -> bool:
        """Forgets pairs that were not recorded up to the end of the log; whether there were any.

        Their missing slots, `interval` seconds apart from now on, lie before rows of other pairs, where no
        row can be added any more. Raises ValueError as `last_slots` does.
        """
        end = max((quote.slot for quote in self.rows.values()), default=None)
        last = self.last_slots()
        absent = [pair for pair in last if end and times.next_slot(last[pair], interval) < end]
        for pair in absent:
            del self.rows[pair]
        return bool(absent)


class _OwnFile(File):
    """The log's own file, open. Reading it raises OSError: without it nothing is known."""

    def __init__(self, path: str, descriptor: int, size: int) -> None:
        super().__init__(path, descriptor)
        self.size = size
        header = read_header(self.read(0, 4096).partition(b"\n")[0].decode("latin-1"))
        self.simulated = bool(header and header.simulated)

    def read(self, at: int, size: int) -> bytes:
        return host.read_at(self.descriptor, size, at)


def files_backwards(path: Path, descriptor: int, size: int, skipped: list[str]) -> Iterator[File]:
    """The open file of a log, then those rotated away from it, the newest first.

    Files that cannot be read, or not to their end, are added to `skipped`, with the reason. Raises OSError.
    """
    own = _OwnFile(str(path), descriptor, size)
    yield own
    try:
        files = log_files(str(path))
    except PriceError as error:
        skipped.append(str(error))
        return
    status = os.fstat(descriptor)
    older = [file for file in files if file.identity != (status.st_dev, status.st_ino)]
    skipped += [f"{file.path}: {file.fault}" for file in older if file.fault]
    for file in reversed([file for file in older if not file.fault]):
        try:
            with file.opened() as opened:
                try:
                    yield opened
                finally:  # also where the caller asks for no older file
                    skipped += [f"{file.path}: {opened.damage}"] if opened.damage else []
        except OSError as error:
            skipped.append(f"{file.path}: {error.strerror}")


def read_end(descriptor: int, size: int, pairs: Collection[Pair], recent_seconds: int) -> LogEnd:
    """What the last rows of one file show; `size` ends in a line end. Raises OSError."""
    search = _Search(LogEnd(), pairs, recent_seconds)
    search.look(_OwnFile("", descriptor, size))
    return search.end


def read_log_end(
    path: Path, descriptor: int, size: int, pairs: Collection[Pair], recent_seconds: int
) -> LogEnd:
    """What the last rows of a log show: of its file, open, and as far as needed of those rotated away."""
    search = _Search(LogEnd(path, size), pairs, recent_seconds)
    for file in files_backwards(path, descriptor, size, search.end.skipped):
        search.look(file)
        if search.done:
            break
    return search.end


def is_simulated(path: Path) -> bool | None:
    """Whether a log holds made-up prices; None where it has none and does not state it. Raises OSError."""
    known = path if path.exists() else Path(os.devnull)  # rotated, and not begun again
    with known.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        return read_log_end(path, file.fileno(), size, (), 0).simulated


class _Search:
    """What is known so far, and what is still looked for."""

    def __init__(self, end: LogEnd, pairs: Collection[Pair], recent_seconds: int) -> None:
        self.end = end
        self._rowless = {str(pair) for pair in pairs}
        self._priceless = set(self._rowless)
        self._recent_seconds = recent_seconds
        self._recent = ""
        """The slot from which on rows are recent."""
        self._past_recent = False
        self._rows_left, self._prices_left = _ROWS_BYTES, _PRICES_BYTES

    @property
    def done(self) -> bool:
        """Whether nothing is looked for any more."""
        return not (self._rows_wanted or self._prices_wanted or self.end.simulated is None)

    @property
    def _rows_wanted(self) -> bool:
        """Whether it is not known yet how far the rows go, without which slots would be lost."""
        unknown = self._rowless or self.end.interval is None or not self._past_recent
        return self._rows_left > 0 and bool(unknown)

    @property
    def _prices_wanted(self) -> bool:
        return self._prices_left > 0 and bool(self._priceless or not self._past_recent)

    def look(self, file: File) -> None:
        """Goes backwards through a file, which is older than those before."""
        # without its rows slots would be lost, however long it takes to unpack them
        blocks = file.backwards(None if self._rows_wanted else _MOST_UNPACKED_BYTES)
        if blocks is None:  # its last rows are not known, and older ones must not stand for it
            self.end.skipped.append(f"{file.path}: it is packed, and too long to be unpacked at the start")
            self._rows_left = self._prices_left = 0  # what is left to learn is whether it is simulated
            self._priceless, self._recent = set(), "~"
        if self.end.simulated is None and file.simulated:
            self.end.simulated = True
        for block in blocks or ():
            self._look_at(block)
            if self.done:
                return
        if self.end.rows:  # the rows of a pair are in one file: each begins with a header of its own
            self._rows_left = 0

    def _look_at(self, block: bytes) -> None:
        priced = block.count(b"\n") > block.count(b" - ")
        rows_wanted = self._rows_wanted
        self._rows_left -= len(block)
        self._prices_left -= len(block) if priced else len(block) // 16
        if not rows_wanted and not priced:
            return
        all_rows = not self._past_recent or None in (self.end.interval, self.end.simulated)
        if not all_rows and not any(
            f" {pair} ".encode() in block for pair in self._rowless | self._priceless
        ):
            return
        if rows_wanted and self.end.interval is None:
            self.end.interval = last_interval(block) or None
        for one in reversed(row.find(block.decode("latin-1"))):
            slot, pair, price, basis, _ = one
            if not self._recent:
                self._recent = times.slot_text(max(0, times.slot_unix(slot) - self._recent_seconds))
            recent = slot >= self._recent
            self._past_recent |= not recent
            if rows_wanted and (recent or self.end.interval is None or pair in self._rowless):
                self._note_row(one)
            if price == row.MISSED:
                continue
            if self.end.simulated is None:
                self.end.simulated = "simulated" in basis.split(",")
            if recent or pair in self._priceless:
                quote = row.quote_of(one)
                self.end.recent.setdefault(quote.pair, []).insert(0, quote)
                self._priceless.discard(pair)

    def _note_row(self, one: row.Row) -> None:
        quote = row.quote_of(one)
        self._rowless.discard(one[1])
        later = self.end.rows.setdefault(quote.pair, quote)
        if self.end.interval is None and later is not quote:
            # every slot has a row, so two rows one after the other show the interval
            self.end.interval = int((later.slot - quote.slot).total_seconds()) // quote.slots or None


class Count:
    """Slots of a pair: with a price, and without."""

    def __init__(self) -> None:
        self.recorded = 0
        self.missed = 0


def count_day(
    path: Path, size: int, midnight: datetime, interval: int, counts: dict[str, Count]
) -> Iterator[None]:
    """Adds the slots from `midnight` on to `counts`, a block (64 KiB) at each step, the last rows first.

    The log is read up to `size`, what it was when it was opened. Raises OSError.
    """
    since, start = times.unix(midnight), times.iso(midnight)
    # of files that overlap the newer one counts: rows from `oldest` on are counted already
    oldest = within = "~"
    descriptor = host.open_to_read(path)
    try:
        for file in files_backwards(path, descriptor, size, []):
            blocks = file.backwards(_MOST_UNPACKED_BYTES)
            if blocks is None:
                return
            for block in blocks:
                rows = row.find(block.decode("latin-1"))
                for one in rows:
                    if one[0] >= oldest:  # not the end of what counts: one may be out of order
                        continue
                    if one[2] == row.MISSED:
                        before = max(0, (since - times.slot_unix(one[0])) // interval)
                        counts.setdefault(one[1], Count()).missed += max(0, row.slots(one) - before)
                    elif one[0] >= start:
                        counts.setdefault(one[1], Count()).recorded += 1
                within = rows[0][0] if rows else within
                yield
                if within < start:
                    return
            oldest = min(oldest, within)
    finally:
        os.close(descriptor)
