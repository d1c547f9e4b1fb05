"""repairs.txt in the folder of a log: its rows, and how rows are added: sorted, and replaced as a whole.

A row that it holds stays. The file is read and written as a stream.
"""

import errno
import heapq
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from price import host, times
from price.backfill.missing import Missing, Slot
from price.errors import PriceError
from price.log import row
from price.log.files import REPAIRS, repairs_file
from price.log.order import LeftOut
from price.log.read import file_blocks
from price.log.row import Row, header_line
from price.report.verify import repair_lines
from price.smallfile import replace

_MODE = 0o644
_NEXT_STEPS = {
    errno.ENOSPC: "make room there and repair again",
    errno.EDQUOT: "make room there and repair again",
    errno.EROFS: "mount it for writing and repair again",
    errno.EACCES: "run this as the owner of the folder that the log is in",
    errno.EPERM: "run this as the owner of the folder that the log is in",
    errno.ELOOP: "a link stands there, which is not followed: remove it and repair again",
}


class Filled(NamedTuple):
    """A row that was learnt, and the interval that its slot is one of."""

    every: int
    row: Row


class RepairsFile:
    """The repairs of one log, locked against another repair as long as it is open. Use it in a `with`."""

    def __init__(self, log: str, *, simulated: bool) -> None:
        """Raises PriceError where another process repairs the log, or its folder takes no files."""
        self.path = Path(log).with_name(REPAIRS)
        self._log = log
        self._simulated = simulated
        self._lock = self._locked()

    def __enter__(self) -> "RepairsFile":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def check(self) -> None:
        """Reads it through once, so that nobody is asked in vain. Raises PriceError for a damaged file."""
        target = self._target()
        if target.exists() and not target.is_file():
            raise PriceError(f"{self.path}: not a file: move it away, repairs belong there")
        file = repairs_file(self._log)
        fault = next((one for one in repair_lines(file) if one.what), None) if file else None
        if fault:
            place = f"{self.path}:{fault.line}"
            raise PriceError(f"{place}: damaged: {fault.what}: mend it or move it away")

    def without_known(self, missing: Missing) -> Missing:
        """The slots that it does not fill yet. Raises PriceError."""
        slots = [unix for unix, _ in missing]
        found = self._rows(min(slots), max(slots) + 1)
        keys = ((times.slot_unix(filled.row[0]), filled.row[1]) for filled in found)
        known = {key for key in keys if key in missing}
        return {slot: missed for slot, missed in missing.items() if slot not in known}

    def add(self, filled: Mapping[Slot, Filled]) -> None:
        """Adds rows for slots that it does not have. Raises PriceError where the disk refuses."""
        if not filled:
            return
        added = sorted(filled.values(), key=_key)
        rows = heapq.merge(self._rows(None, None), added, key=_key)
        try:
            target = self._target()  # a link stays one
            replaced = replace(target, self._lines(rows), _MODE, durable=True)
        except OSError as error:
            raise PriceError(refusal(self.path, error)) from error
        if not replaced:
            raise PriceError(f"{self.path}: another program reads it: repair again when that has ended")

    def _lines(self, rows: Iterable[Filled]) -> Iterator[str]:
        """The text of rows; of several of a slot the first counts: the row that it had."""
        every, before = 0, ("", "")
        for filled in rows:
            if _key(filled) != before:
                before = _key(filled)
                if filled.every != every:
                    every = filled.every
                    yield f"{header_line(every, simulated=self._simulated)}\n"
                yield f"{row.text(filled.row)}\n"

    def _rows(self, since: int | None, until: int | None) -> Iterator[Filled]:
        """Its rows from a Unix time up to, not including, another; `check` has found them sound."""
        file = repairs_file(self._log)
        if file:
            with file.opened() as opened:
                for every, rows in file_blocks(opened, since, until, LeftOut()):
                    yield from (Filled(every, one) for one in rows)

    def _target(self) -> Path:
        """The file itself. Raises PriceError for a link that is neither ours nor the administrator's."""
        if self.path.is_symlink() and self.path.lstat().st_uid not in (0, host.user()):
            raise PriceError(
                f"{self.path}: a link that another user made is not followed: remove it and repair again"
            )
        return self.path.resolve()

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
    """The message where a file in the folder of the log could not be made or written."""
    step = _NEXT_STEPS.get(error.errno or 0, "see to the disk and repair again")
    with suppress(OSError, KeyError, NotImplementedError):
        if is_lock and error.errno == errno.EACCES and path.exists():
            step = f"it belongs to {path.owner()}: run this as that user, or remove it"
    return f"{path}: {error.strerror}: {step}"


def _key(filled: Filled) -> tuple[str, str]:
    return filled.row[0], filled.row[1]
