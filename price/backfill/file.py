"""repairs.txt beside a log: what is in it, and how rows are added: replaced as a whole, sorted.

A row that it holds stays. The file is read and written as a stream.
"""

import errno
import heapq
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from price import host
from price.backfill.gap import Slot
from price.errors import PriceError
from price.log import line
from price.log.old import row
from price.log.old.files import File
from price.log.old.siblings import REPAIRS, open_repairs

_MODE = 0o644
_NEXT_STEPS = {
    errno.ENOSPC: "make room there and repair again",
    errno.EDQUOT: "make room there and repair again",
    errno.EROFS: "mount it for writing and repair again",
    errno.EACCES: "run this as the owner of that folder, beside whose log it is",
    errno.EPERM: "run this as the owner of that folder, beside whose log it is",
}


class Filled(NamedTuple):
    """A row that was learnt, with its line end, and the interval that its slot is one of."""

    text: bytes
    every: int


class RepairsFile:
    """The repairs of one log, locked against another repair as long as it is open. Use it in a `with`."""

    def __init__(self, log: str) -> None:
        """Raises PriceError where another process repairs the log, or its folder takes no files."""
        self.path = Path(log).with_name(REPAIRS)
        self._log = log
        self._lock = self._locked()

    def __enter__(self) -> "RepairsFile":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def check(self) -> None:
        """Reads it through once, so that nobody is asked in vain. Raises PriceError for a damaged file."""
        if self.path.exists() and not self.path.is_file():
            raise PriceError(f"{self.path}: not a file: move it away, repairs belong there")
        file = open_repairs(self._log, strict=False)
        if file:
            try:
                for _ in _rows(file, 0):
                    pass
            finally:
                file.close()

    def known(self, start: int, end: int) -> set[Slot]:
        """The slots from `start` up to `end` (Unix time) that it fills. Raises PriceError."""
        found: set[Slot] = set()
        file = self._open()
        if file:
            try:
                for slot, _ in _rows(file, file.position(row.slot_of(start))):
                    if slot[0] >= end:
                        break
                    found.add(slot)
            finally:
                file.close()
        return found

    def add(self, filled: Mapping[Slot, Filled]) -> None:
        """Adds rows for slots that it does not have. Raises PriceError: damage, or the disk refuses."""
        if not filled:
            return
        target = self.path.resolve()  # a link stays one
        new = target.with_name(f".{target.name}.new")
        file = self._open()
        try:
            old = _rows(file, 0) if file else iter(())
            self._write(new, heapq.merge(old, sorted(filled.items()), key=itemgetter(0)))
            new.replace(target)
            host.sync_folder(target.parent)
        except BaseException as error:
            with suppress(OSError):
                new.unlink()
            if isinstance(error, OSError):
                raise PriceError(refusal(self.path, error)) from error
            raise
        finally:
            if file:
                file.close()

    def _write(self, path: Path, rows: Iterable[tuple[Slot, Filled]]) -> None:
        every, before = 0, None
        with path.open("wb") as draft:
            os.fchmod(draft.fileno(), _MODE)  # whatever the umask
            for slot, filled in rows:
                if slot == before:
                    continue  # the row that it had comes first
                before = slot
                if filled.every != every:
                    every = filled.every
                    draft.write(line.header(every).encode("ascii") + b"\n")
                draft.write(filled.text)
            draft.flush()
            host.sync(draft.fileno())

    def _open(self) -> File | None:
        return open_repairs(self._log)

    def _locked(self) -> int:
        path = self.path.with_name(f".{REPAIRS}.lock")
        try:
            lock = host.lock(path)
        except OSError as error:
            raise PriceError(refusal(path, error, is_lock=True)) from error
        if lock is None:
            raise PriceError(f"{self.path}: another repair of this log is under way: wait for its end")
        return lock


def refusal(path: Path, error: OSError, *, is_lock: bool = False) -> str:
    """What to say where a file beside the log could not be made or written."""
    step = _NEXT_STEPS.get(error.errno or 0, "see to the disk and repair again")
    with suppress(OSError, KeyError, NotImplementedError):
        if is_lock and error.errno == errno.EACCES and path.exists():
            step = f"it belongs to {path.owner()}: run this as that user, or remove it"
    return f"{path}: {error.strerror}: {step}"


def _rows(file: File, start: int) -> Iterator[tuple[Slot, Filled]]:
    """The rows from an offset on. Raises PriceError for a damaged file."""
    every, number = file.every, 0
    before: Slot = (0, b"")
    pairs: set[bytes] = set()
    """Those of the slot `before`."""
    for _, block in file.blocks(start):
        for text in row.lines(block):
            number += 1
            if text.startswith(b"#"):
                headed = row.every_of(text)
                if not headed and text.startswith(b"# price-log"):
                    raise PriceError(_damaged(file, text, start, number))
                every = headed or every
                continue
            slot = _slot(text)
            if slot[0] != before[0]:
                pairs = set()
            if not every or slot[0] < before[0] or slot[1] in pairs:
                raise PriceError(_damaged(file, text, start, number))
            pairs.add(slot[1])
            yield slot, Filled(text, every)
            before = slot
    if file.unfinished:
        raise PriceError(_damaged(file, b"the end", start, number + 1))


def _slot(text: bytes) -> Slot:
    """The slot of a line; one before all others where it is no repair."""
    if row.is_sound(text) and not row.missed(text):
        with suppress(PriceError):  # no such day
            return row.unix_of(text), row.pair_of(text)
    return (-1, b"")


def _damaged(file: File, text: bytes, start: int, number: int) -> str:
    """What to say of the line that is the `number`th from an offset on."""
    shown = ascii(text.decode("latin-1").rstrip("\n")[:60])
    place = f"{file.path}:{number}" if start == 0 else file.path
    return f"{place}: damaged at {shown}: price verify tells more; mend it or move it away"
