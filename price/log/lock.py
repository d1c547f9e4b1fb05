"""What keeps a second recorder out of a log: a lock file in its folder, and a claim on the log itself."""

import os
import stat
from pathlib import Path

from price import host
from price.errors import PriceError

LOG_MODE = 0o644


class Unfit(ValueError):
    """What stands at the path can never be recorded into: a foreign file, a folder, another's log."""


class Held(PriceError):
    """Another process has the lock; `holder` is its number as that wrote it."""

    def __init__(self, text: str, holder: str) -> None:
        super().__init__(text)
        self.holder = holder


class LogLock:
    """A file in the log's folder that nobody else can open, held until it is closed.

    Where the file was removed it is taken again; the old one is kept until then. `kind` ends the file's name,
    and `holds` says what the process that has the lock does.
    """

    def __init__(self, log: Path, kind: str = "lock", holds: str = "is recording into it") -> None:
        self._log = log
        self._path = log.with_name(f".{log.name}.{kind}")
        self._holds = holds
        self._descriptor = -1

    def hold(self) -> None:
        """Makes sure of the lock. Raises OSError, and Held naming the process that has it."""
        if self._in_place():
            return
        host.make_folder(self._path.parent)
        try:
            descriptor = host.lock(self._path)
        except OSError as error:
            raise OSError(error.errno, f"its lock, {self._path}: {error.strerror}") from error
        if descriptor is None:
            holder = self._path.read_text("utf-8", "replace").partition("\n")[0] or "unknown"
            raise Held(
                f"PRICE_FILE={self._log}: process {holder} {self._holds};"
                " stop that one first, or name another file",
                holder,
            )
        self.close()
        self._descriptor = descriptor

    def close(self) -> None:
        """Releases the lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _in_place(self) -> bool:
        if self._descriptor < 0 or not self._path.exists():
            return False
        return os.path.samestat(self._path.stat(), os.fstat(self._descriptor))


def open_exclusively(path: Path) -> int:
    """Opens or makes a log, which this process alone writes to until the descriptor is closed.

    Raises OSError, and Unfit where another one has it open by any of its names.
    """
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        raise Unfit("it is not a regular file")  # opening a FIFO would wait for a reader
    try:
        descriptor = host.open_log(path, LOG_MODE)
    except BlockingIOError as error:
        raise Unfit(f"{error.strerror}: close it there first") from error
    holder = host.claim(descriptor)  # the lock file does not see a second name of the same log
    if holder:
        os.close(descriptor)
        raise Unfit(f"process {holder} is recording into it by another name")
    return descriptor
