"""The lock that keeps a second recorder out of a log: a file beside it that nobody else can open."""

import os
from pathlib import Path

from price import host
from price.errors import PriceError


class LogLock:
    """Held until it is closed; taken again where its file was removed, the old one kept until then."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._path = log.with_name(f".{log.name}.lock")
        self._descriptor = -1

    def hold(self) -> None:
        """Makes sure of the lock. Raises OSError, and PriceError naming the process that holds it."""
        if self._in_place():
            return
        host.make_folder(self._path.parent)
        try:
            descriptor = host.lock(self._path)
        except OSError as error:
            raise OSError(error.errno, f"its lock, {self._path}: {error.strerror}") from error
        if descriptor is None:
            holder = self._path.read_text("ascii").strip() or "unknown"
            raise PriceError(
                f"PRICE_FILE={self._log}: process {holder} is recording into it;"
                " stop that one first, or name another file"
            )
        self.close()
        self._descriptor = descriptor

    def close(self) -> None:
        """Gives the lock up."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _in_place(self) -> bool:
        if self._descriptor < 0 or not self._path.exists():
            return False
        return os.path.samestat(self._path.stat(), os.fstat(self._descriptor))
