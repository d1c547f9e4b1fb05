"""What the end of a log says: how far each pair's rows go, its last prices, and whether they are made up.

A recorder reads this at its start, so it must be quick behind any log. It goes backwards from the last
row, through the rotated files if it has to, and stops once it knows everything:

- the last row of each pair and the interval in force: within 4 MiB of the newest file that has rows;
- each pair's last price, and those young enough to be an anchor: farther back, through older files, within
  16 MiB of text with prices. Blocks of missed rows alone cost next to nothing and are passed over;
- for a log whose header does not say that it is simulated: its newest price, however far back.
"""

import os
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from price import host, times
from price.log import quotes, row
from price.log.older import Text, older_texts
from price.model import Pair, Quote

_BLOCK_BYTES = 64 * 1024
_LONGEST_LINE = 64 * 1024
_ROWS_BYTES = 4 * 1024 * 1024
_PRICES_BYTES = 16 * 1024 * 1024
_FAR = times.unix(datetime(9000, 1, 1, tzinfo=UTC))
"""A row from here on would leave no slot to record."""


class LogEnd:
    """What the end of a log says."""

    def __init__(self, path: Path = Path(), size: int = 0) -> None:
        self.path = path
        self.size = size
        """Bytes of the log's own file, `path`."""
        self.interval: int | None = None
        """In force at the end, in seconds; None where no line tells."""
        self.simulated: bool | None = None
        """Whether its prices are made up; None for a log that has none and does not say so."""
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


def read_end(descriptor: int, size: int, pairs: Collection[Pair], recent_seconds: int) -> LogEnd:
    """What the last rows of one file say; `size` ends in a line end. Raises OSError."""
    search = _Search(pairs, recent_seconds)
    search.look(_plain(descriptor, size))
    return search.end


def read_log_end(
    path: Path, descriptor: int, size: int, pairs: Collection[Pair], recent_seconds: int
) -> LogEnd:
    """What the last rows of a log say: of its file, open, and as far as needed of those rotated away."""
    search = _Search(pairs, recent_seconds)
    search.end.path, search.end.size = path, size
    search.look(_plain(descriptor, size))
    if not search.done:
        status = os.fstat(descriptor)
        for text in older_texts(
            path, (status.st_dev, status.st_ino), search.end.skipped, lambda: search.rows_wanted
        ):
            search.look(text)
            if search.done:
                break
    return search.end


def is_simulated(path: Path) -> bool | None:
    """Whether a log holds made-up prices; None where it has none and does not say. Raises OSError."""
    known = path if path.exists() else Path(os.devnull)  # rotated, and not begun anew
    with known.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        return read_log_end(path, file.fileno(), size, (), 0).simulated


def _plain(descriptor: int, size: int) -> Text:
    return Text(lambda at, count: host.read_at(descriptor, count, at), size)


class _Search:
    """What is known so far, and what is still looked for."""

    def __init__(self, pairs: Collection[Pair], recent_seconds: int) -> None:
        self.end = LogEnd()
        self._rowless = {str(pair).encode() for pair in pairs}
        self._priceless = set(self._rowless)
        self._recent_seconds = recent_seconds
        self._recent = b""
        """The slot from which on rows are recent."""
        self._past_recent = False
        self._rows_left, self._prices_left = _ROWS_BYTES, _PRICES_BYTES

    @property
    def done(self) -> bool:
        """Whether nothing is looked for any more."""
        return not (self.rows_wanted or self._prices_wanted or self.end.simulated is None)

    @property
    def rows_wanted(self) -> bool:
        """Whether it is not known yet how far the rows go, without which slots would be lost."""
        unknown = self._rowless or self.end.interval is None or not self._past_recent
        return self._rows_left > 0 and bool(unknown)

    @property
    def _prices_wanted(self) -> bool:
        return self._prices_left > 0 and bool(self._priceless or not self._past_recent)

    def look(self, text: Text) -> None:
        """Goes backwards through a file, which is older than those before."""
        if not text.is_end:  # what its last rows say is not known, and older ones must not stand for it
            self._rows_left = self._prices_left = 0  # what is left to learn is whether it is simulated
            self._priceless, self._recent = set(), b"~"
        if self.end.simulated is None and text.size:
            header = row.read_header(text.read(0, 4096).partition(b"\n")[0].decode("ascii", "replace"))
            self.end.simulated = True if header and header.simulated else None
        for block in blocks_backwards(text):
            self._look_at(block)
            if self.done:
                return
        if self.end.rows:  # the rows of a pair are in one file: each begins with a header of its own
            self._rows_left = 0

    def _look_at(self, block: bytes) -> None:
        priced = block.count(b"\n") > block.count(b" - ")
        rows, prices = self.rows_wanted, self._prices_wanted
        self._rows_left -= len(block)
        self._prices_left -= len(block) if priced else len(block) // 16
        if not rows and not priced:
            return
        named = (self._rowless if rows else set()) | (self._priceless if prices else set())
        all_lines = (
            not self._past_recent or self.end.simulated is None or (rows and self.end.interval is None)
        )
        if not all_lines and not any(b" %b " % pair in block for pair in named):
            return
        for text in reversed(block.split(b"\n")[:-1]):
            self._look_at_line(text, rows=rows)
            if self.done:
                return

    def _look_at_line(self, text: bytes, *, rows: bool) -> None:
        if text.startswith(b"#"):
            if rows:
                self._note_header(text)
            return
        slot, pair, price, *_ = [*text.split(b" ", 3), b"", b""]
        recent = slot >= self._recent
        self._past_recent |= not recent
        wanted = rows and (recent or self.end.interval is None or pair in self._rowless)
        if price != b"-":
            wanted |= recent or pair in self._priceless or self.end.simulated is None
        if wanted:
            self._note(text, rows=rows)

    def _note_header(self, text: bytes) -> None:
        if self.end.interval is None:
            header = row.read_header(text.decode("ascii", "replace"))
            self.end.interval = header.every if header else None

    def _note(self, text: bytes, *, rows: bool) -> None:
        try:
            quote = quotes.read(text.decode("ascii"))
        except ValueError:
            return
        name = str(quote.pair).encode()
        if not self._recent:
            since = max(0, times.unix(quote.slot) - self._recent_seconds)
            self._recent = times.iso(times.from_unix(since)).encode()
        if rows:
            self._note_row(quote)
            self._rowless.discard(name)
        if quote.price is not None:
            if self.end.simulated is None:
                self.end.simulated = "simulated" in quote.sources
            if name in self._priceless or text[:20] >= self._recent:
                self.end.recent.setdefault(quote.pair, []).insert(0, quote)
            self._priceless.discard(name)

    def _note_row(self, quote: Quote) -> None:
        later = self.end.rows.setdefault(quote.pair, quote)
        if self.end.interval is None and later is not quote:
            # every slot has a row, so two rows in a row tell the interval
            self.end.interval = int((later.slot - quote.slot).total_seconds()) // quote.slots or None


def blocks_backwards(text: Text) -> Iterator[bytes]:
    """Blocks of whole lines, the last one first; what is too long to be a line is passed over.

    Each byte is read once and joined once, however long a stretch without a line end is.
    """
    end, rest, skipping = text.size, b"", False
    while end > 0:
        start = max(0, end - _BLOCK_BYTES)
        first, newline, others = text.read(start, end - start).partition(b"\n")
        end = start
        if not newline:  # all of it belongs to one line
            rest, skipping = (first + rest, skipping) if len(rest) < _LONGEST_LINE else (b"", True)
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
