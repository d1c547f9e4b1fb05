"""Writes a log: the rows of a slot in one write, held while the disk refuses them."""

import logging
import os
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from price import host, times
from price.errors import PriceError
from price.events import NOTICE, Event, log_event
from price.log import line
from price.log.append import AppendFile, make_folder
from price.log.old.rotated import rotated_tail
from price.log.old.tail import Count, Tail, count_since, read_tail
from price.model import Pair, Quote
from price.settings import Settings
from price.wire import excerpt

HELD_MOST_BYTES = 64 * 1024 * 1024
_DAY_SECONDS = 86400
_SHOWN_OF_CUT = 5000


class _Block(NamedTuple):
    """The rows of a slot; or those that stand for slots whose rows were given up."""

    first: datetime
    """The slot of the first row, which may be a missed one from before."""
    slot: datetime
    rows: int
    """How many of them wait to be written; none where they were given up."""
    text: bytes
    interval: int
    """In seconds."""
    begins: bool
    """Whether a new sum begins with it."""


class LogWriter:
    """One log, locked and open. `write` brings the rows of a slot to the disk, or holds them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stored: datetime | None = None
        """The last slot on stable storage."""
        self._file = AppendFile(path)
        self._pairs: frozenset[Pair] = frozenset()
        self._interval = 0
        self._lock = -1
        self._header_due = False
        """Whether what is written next needs a header before it."""
        self._sum_due = False
        """Whether the next slot begins a new sum; slots that are held still belong to the one before."""
        self._held: deque[_Block] = deque()
        self._real = False
        """Whether it holds real prices."""
        self._strange = False
        """Whether the path leads to a file whose end has yet to be compared with what is held."""
        self._trouble = ""
        self._forgotten = 0
        self._end = times.EPOCH
        """The last slot that rows in the file account for."""

    @property
    def held(self) -> int:
        """How many rows wait for the disk."""
        return sum(block.rows for block in self._held)

    def start(self, settings: Settings) -> Tail:
        """Locks and opens the log, mends its end, and returns what its last rows say of the pairs.

        Raises PriceError where the file cannot be recorded into.
        """
        interval = settings.interval
        self._pairs, self._interval = frozenset(settings.pairs), interval
        try:
            self._claim()
            self._open()
            tail = self._tail()
            absent = tail.drop_absent(interval)
            self._end = max(tail.last_slots().values(), default=times.EPOCH)
            self._real = any("simulated" not in quote.sources for quote in tail.priced.values())
            self._keep_apart(settings)
        except PriceError:
            self.close()
            raise
        except (OSError, ValueError) as error:
            self.close()
            raise self._unusable(error) from error
        self._header_due |= absent or tail.interval != interval
        self._header_due |= not self._pairs.issubset(tail.rows)  # it may have been here long ago
        return tail

    def configure(self, settings: Settings) -> None:
        """Goes on with other pairs or another interval: a header begins a new segment for them.

        Raises PriceError for made-up prices in a log of real ones.
        """
        self._keep_apart(settings)
        pairs, interval = settings.pairs, settings.interval
        self._sum_due |= interval != self._interval or not self._pairs.issuperset(pairs)
        self._pairs, self._interval = frozenset(pairs), interval

    def _keep_apart(self, settings: Settings) -> None:
        """Keeps made-up prices out of a log of real ones. Raises PriceError."""
        if "simulated" in settings.sources and self._real:
            raise PriceError(
                f"PRICE_FILE={self.path}: it holds real prices: simulated ones need a file of their own,"
                f" for example PRICE_FILE={self.path.with_name('simulated.txt')}"
            )

    def counts(self, midnight: datetime) -> dict[str, Count]:
        """The slots of each pair since midnight that the file accounts for. Raises PriceError."""
        try:
            return count_since(self._file.descriptor, self._file.size, midnight, self._interval)
        except OSError as error:
            raise self._unusable(error) from error

    def write(self, quotes: Sequence[Quote]) -> None:
        """Writes the slot's rows, after those that are still held. Raises ValueError for no row at all."""
        if quotes:
            text = _text(quotes)
            first, slot = quotes[0].slot, quotes[-1].slot
            self._real |= any(
                quote.price is not None and "simulated" not in quote.sources for quote in quotes
            )
            self._held.append(_Block(first, slot, len(quotes), text, self._interval, self._sum_due))
            self._sum_due = False
            self._give_up_oldest()
        if self._held:
            self._write_held()

    def close(self) -> None:
        """Lets go of the file, its lock, and rows that are still held."""
        self._held.clear()
        self._file.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _write_held(self) -> None:
        try:
            if not self._file.in_place():
                self._reopen()
            if self._held:
                self._file.append(b"".join(self._texts()))
        except (OSError, ValueError, PriceError) as error:
            self._file.close()
            self._complain(_words(error))
            return
        if self._trouble:
            self._recovered()
        if self._held:
            self._header_due = False
            self.stored = self._end = self._held[-1].slot
            self._held.clear()

    def _texts(self) -> Iterator[bytes]:
        header_due = self._header_due
        for block in self._held:
            if header_due or block.begins:
                yield f"{line.header(block.interval)}\n".encode()
            yield block.text
            header_due = False

    def _reopen(self) -> None:
        """Goes on in whatever file the path now leads to, with a header where rows of ours are missing."""
        before, size = self._file.identity, self._file.size
        self._claim()
        self._open()
        self._strange |= self._file.identity != before or self._file.size < size
        if self._strange:
            self._header_due = True
            self._drop_known()
            self._strange = False

    def _drop_known(self) -> None:
        """Lets go of held rows that another file has too. Raises ValueError where it ends after others."""
        descriptor, size = self._file.descriptor, self._file.size
        end = max(read_tail(descriptor, size, self._pairs).last_slots().values(), default=times.EPOCH)
        self._end = end
        begin = max(0, size - HELD_MOST_BYTES)
        known = os.pread(descriptor, size - begin, begin) if self._held[0].first <= end else b""
        while self._held and self._held[0].first <= end:
            block = self._held[0]
            if block.rows:
                if block.text not in known:
                    raise ValueError(f"it ends at {times.iso(end)}, after rows that are still to be written")
                self.stored = block.slot
            self._held.popleft()

    def _open(self) -> None:
        cut = self._file.open()
        if cut:
            shown = excerpt(cut, _SHOWN_OF_CUT)
            text = f"{self.path}: its end was not a whole row and was cut off: {shown}"
            log_event(Event.TAIL_CUT, logging.WARNING, text)
        if self._file.size == 0:
            self._header_due = True
            if not self._trouble:  # else it is opened for every slot
                log_event(Event.FILE_BEGUN, logging.INFO, f"{self.path}: a new file is begun")

    def _tail(self) -> Tail:
        """The end of the file or, where it has no rows, of the file that was rotated away last."""
        tail = read_tail(self._file.descriptor, self._file.size, self._pairs)
        return tail if tail.rows else rotated_tail(self.path, self._pairs) or tail

    def _claim(self) -> None:
        """Locks the log against a second recorder. Raises PriceError naming the one that holds it."""
        path = self.path.parent / f".{self.path.name}.lock"
        if self._lock >= 0 and path.exists() and os.path.samestat(path.stat(), os.fstat(self._lock)):
            return
        make_folder(path.parent)
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

    def _unusable(self, error: Exception) -> PriceError:
        named = getattr(error, "filename", None)  # it may be one that was rotated away
        sibling = isinstance(named, str) and named.startswith(str(self.path)) and named != str(self.path)
        what = f"{named}: " if sibling else ""
        return PriceError(f"PRICE_FILE={self.path}: {what}{_words(error)}; mend that or name another file")

    def _give_up_oldest(self) -> None:
        """Bounds what is held: a day of slots, at most 64 MiB. The slots before that become `late`."""
        while (
            sum(block.rows > 0 for block in self._held) > _DAY_SECONDS // self._interval
            or sum(len(block.text) for block in self._held) > HELD_MOST_BYTES
        ):
            oldest = [self._held.popleft()]
            if not oldest[0].rows:
                oldest.append(self._held.popleft())
            self._forgotten += oldest[-1].rows
            self._held.appendleft(_given_up(oldest, self._end))

    def _complain(self, words: str) -> None:
        if not self._trouble:
            text = f"{self.path}: {words}; rows are held in memory and the journal has them: mend the disk"
            log_event(Event.ROWS_HELD, logging.ERROR, text)
        self._trouble = words

    def _recovered(self) -> None:
        slots = [block.slot for block in self._held if block.rows] or [times.EPOCH]
        span = times.span((slots[-1] - slots[0]).total_seconds())
        lost = f"; {self._forgotten} older ones were given up" if self._forgotten else ""
        text = f"{self.path}: {self.held} rows held for {span} are written{lost}"
        log_event(Event.ROWS_WRITTEN, NOTICE, text)
        self._trouble, self._forgotten = "", 0


def _given_up(blocks: Sequence[_Block], end: datetime) -> _Block:
    """One block in the place of several: for each pair a row over all its slots after `end`.

    It is in the last interval, which may have slots where those before had none.
    """
    last = blocks[-1]
    first: dict[Pair, datetime] = {}
    after: dict[Pair, datetime] = {}
    for block in blocks:
        for row in map(line.read, block.text.decode("ascii").splitlines()):
            step = timedelta(seconds=block.interval)
            first.setdefault(row.pair, times.next_slot(max(row.slot - step, end), last.interval))
            after[row.pair] = row.slot + step * row.slots
    slots = {pair: times.slots_between(slot, after[pair], last.interval) for pair, slot in first.items()}
    late = [Quote(first[pair], pair, reason="late", slots=count) for pair, count in slots.items() if count]
    begins = any(block.begins for block in blocks)
    return last._replace(first=blocks[0].first, rows=0, text=_text(late), begins=begins)


def _text(quotes: Sequence[Quote]) -> bytes:
    return "".join(f"{line.write(quote)}\n" for quote in quotes).encode("ascii")


def _words(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
