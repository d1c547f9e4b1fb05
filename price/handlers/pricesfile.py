"""The handler of prices.txt: the rows of a slot in one write, held while the disk refuses them."""

import logging
import os
import re
from collections import deque
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from price import host, line, times
from price.errors import PriceError
from price.handlers.appendfile import AppendFile
from price.quote import Pair, Quote
from price.record import NOTICE, Event, quote_of, say
from price.tail import Count, Tail, count_since, read_tail
from price.wire import excerpt

HELD_MOST_BYTES = 64 * 1024 * 1024
_DAY_SECONDS = 86400
_SHOWN_OF_CUT = 1000


class _Block(NamedTuple):
    """The rows of a slot."""

    slot: datetime
    rows: int
    text: bytes


class PricesFile(logging.Handler):
    """Records become rows; `flush` brings the rows of a slot to the disk and never fails: it holds them."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.stored: datetime | None = None
        """The last slot on stable storage."""
        self._file = AppendFile(path)
        self._pairs: frozenset[Pair] = frozenset()
        self._interval = 0
        self._lock = -1
        self._header_due = False
        self._slot: list[Quote] = []
        self._held: deque[_Block] = deque()
        self._trouble = ""
        self._forgotten = 0

    @property
    def held(self) -> int:
        """How many rows wait for the disk."""
        return sum(block.rows for block in self._held)

    def start(self, pairs: Collection[Pair], interval: int) -> Tail:
        """Locks and opens the log, mends its end, and gives what its last rows say of the pairs.

        `interval` is in seconds. Raises PriceError where the file cannot be recorded into.
        """
        self._pairs, self._interval = frozenset(pairs), interval
        try:
            self._claim()
            self._open()
            tail = self._tail()
        except (OSError, ValueError) as error:
            text = f"PRICE_FILE={self.path}: {_words(error)}; mend that or name another file"
            raise PriceError(text) from error
        self._header_due |= tail.interval != interval or tail.drop_absent()
        return tail

    def change(self, pairs: Collection[Pair], interval: int) -> None:
        """Goes on with other pairs or another interval: a header begins a new sum for them."""
        self._header_due |= interval != self._interval or not self._pairs.issuperset(pairs)
        self._pairs, self._interval = frozenset(pairs), interval

    def counts(self, midnight: datetime) -> dict[str, Count]:
        """The slots of each pair since midnight that the file accounts for. Raises OSError."""
        return count_since(self._file.descriptor, self._file.size, midnight, self._interval)

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps a quote for the slot's flush."""
        quote = quote_of(record)
        if quote is not None:
            self._slot.append(quote)

    def flush(self) -> None:
        """Writes the slot's rows, after those that are still held."""
        if self._slot:
            text = "".join(f"{line.write(quote)}\n" for quote in self._slot).encode("ascii")
            self._held.append(_Block(self._slot[-1].slot, len(self._slot), text))
            self._slot = []
            self._forget_oldest()
        if self._held:
            self._write_held()

    def close(self) -> None:
        """Lets go of the file, its lock, and rows that are still held."""
        self._held.clear()
        self._file.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
        super().close()

    def _write_held(self) -> None:
        try:
            if not self._file.in_place():
                self._reopen()
            header = f"{line.header(self._interval)}\n".encode() if self._header_due else b""
            self._file.append(header + b"".join(block.text for block in self._held))
        except (OSError, ValueError, PriceError) as error:
            self._file.close()
            self._complain(_words(error))
            return
        if self._trouble:
            self._recovered()
        self._header_due = False
        self.stored = self._held[-1].slot
        self._held.clear()

    def _reopen(self) -> None:
        """Goes on in whatever file the path now leads to, which begins with a header."""
        before = self._file.identity
        self._claim()
        self._open()
        self._header_due |= self._file.identity != before

    def _open(self) -> None:
        unsure = self._file.unsure
        cut = self._file.open()
        if cut and not unsure:
            shown = excerpt(cut, _SHOWN_OF_CUT)
            text = f"{self.path}: its end was not a whole row and was cut off: {shown}"
            say(Event.TAIL_CUT, logging.WARNING, text)
        if self._file.size == 0:
            self._header_due = True
            say(Event.FILE_BEGUN, logging.INFO, f"{self.path}: a new file is begun")

    def _tail(self) -> Tail:
        """The end of the file or, where it has no rows, of the file that was rotated away last."""
        tail = read_tail(self._file.descriptor, self._file.size, self._pairs)
        older = _rotated(self.path)
        if tail.rows or older is None:
            return tail
        with older.open("rb") as file:
            return read_tail(file.fileno(), older.stat().st_size, self._pairs)

    def _claim(self) -> None:
        """Locks the log against a second recorder. Raises PriceError naming the one that holds it."""
        path = self.path.parent / f".{self.path.name}.lock"
        if self._lock >= 0 and path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = host.lock(path)
        if lock is None:
            holder = path.read_text("ascii").strip() or "unknown"
            raise PriceError(
                f"PRICE_FILE={self.path}: process {holder} is recording into it;"
                " stop that one first, or name another file"
            )
        if self._lock >= 0:
            os.close(self._lock)
        self._lock = lock

    def _forget_oldest(self) -> None:
        """Bounds what is held: a day of slots, at most 64 MiB."""
        while (
            len(self._held) > _DAY_SECONDS // self._interval
            or sum(len(block.text) for block in self._held) > HELD_MOST_BYTES
        ):
            self._forgotten += self._held.popleft().rows

    def _complain(self, words: str) -> None:
        if not self._trouble:
            text = f"{self.path}: {words}; rows are held in memory and the journal has them: mend the disk"
            say(Event.ROWS_HELD, logging.ERROR, text)
        self._trouble = words

    def _recovered(self) -> None:
        span = times.span((self._held[-1].slot - self._held[0].slot).total_seconds())
        lost = f"; {self._forgotten} older ones were given up" if self._forgotten else ""
        text = f"{self.path}: {self.held} rows held for {span} are written{lost}"
        say(Event.ROWS_WRITTEN, NOTICE, text)
        self._trouble, self._forgotten = "", 0


def _words(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _rotated(path: Path) -> Path | None:
    """The newest file that was rotated away from a path and not compressed."""
    name = re.compile(re.escape(path.name) + r"[-.]\d+")
    files = [one for one in path.parent.iterdir() if name.fullmatch(one.name)]
    return max(files, key=lambda one: one.stat().st_mtime, default=None)
