"""The handler of the systemd journal, through cysystemd: one entry a record, as docs/record.md says.

cysystemd's own handler is not used: it raises into the caller, loses return codes, and waits for ever,
with the interpreter locked, when journald does not read.
"""

import errno
import logging
import os
import select
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from price.events import Event, log_event
from price.handlers.console import Console
from price.handlers.fields import fields
from price.text import counted

SOCKET = Path("/run/systemd/journal/socket")
PATIENCE_SECONDS = 0.2
"""How long all entries of a slot together may wait for room in journald's queue."""
_LOOK_SECONDS = 0.01
"""How long journald's socket is taken to be where it was last seen: a slot's entries leave in one burst."""

Send = Callable[[dict[str, str]], int]


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether records belong into the journal: systemd started this process, or keeps its stderr.

    Also where journald does not run yet: until it does, records go to stderr.
    """
    if environ.get("SYSTEMD_EXEC_PID") == str(os.getpid()):
        return True
    stderr = os.fstat(2)
    return environ.get("JOURNAL_STREAM") == f"{stderr.st_dev}:{stderr.st_ino}"


def sender() -> Send:
    """What sends an entry; it returns 0 or a negative errno. Raises ImportError without cysystemd."""
    from cysystemd._journal import _send  # the public `send` makes a second dict of the same arguments

    send: Send = _send
    return send


class Journal(logging.Handler):
    """Sends entries to journald.

    While its queue is full they are dropped and counted, and the count is logged afterwards. While it is not
    there, or refuses them, `fallback` gets the records: none goes both ways.
    """

    def __init__(
        self,
        path: Path,
        send: Send,
        monotonic: Callable[[], float],
        fallback: Console | None = None,
        identifier: str = "price",
    ) -> None:
        super().__init__()
        self._identifier = identifier
        self._fallback = fallback
        self._room = Room(path)
        self._send = send
        self._monotonic = monotonic
        self._patience = PATIENCE_SECONDS
        self._seen_until = 0.0
        self._dropped = 0
        self.dropped = 0
        """Entries dropped since the start."""

    def emit(self, record: logging.LogRecord) -> None:
        """Sends an entry. Raises OSError for one that journald refuses, which the fallback then has."""
        if not self._has_room():
            self._dropped += 1
            self.dropped += 1
            return
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            log_event(
                Event.ENTRIES_DROPPED,
                logging.WARNING,
                f"{counted(dropped, 'entry', 'entries')} dropped: journald's queue was full",
            )
        # without the socket libsystemd sends nothing and reports success
        code = self._send(fields(record, self._identifier)) if self._is_there() else -errno.ENOENT
        if code < 0:
            self._fall_back(record)
            raise OSError(-code, f"journald refused an entry: {os.strerror(-code)}")

    def _fall_back(self, record: logging.LogRecord) -> None:
        """Writes a record to the fallback, unless that would have to wait."""
        if self._fallback is None:
            return
        with suppress(OSError, ValueError):  # a closed stderr; a stream without a descriptor is a test's
            if self._fallback.has_room():
                self._fallback.emit(record)
                return
        self.dropped += 1

    def flush(self) -> None:
        """Ends a slot: the next one may wait again, and looks again for the socket."""
        self._patience, self._seen_until = PATIENCE_SECONDS, 0.0
        self._room.refresh()

    def close(self) -> None:
        """Closes the socket."""
        self._room.close()
        super().close()

    def _is_there(self) -> bool:
        now = self._monotonic()
        if now >= self._seen_until and self._room.is_there():
            self._seen_until = now + _LOOK_SECONDS
        return now < self._seen_until

    def _has_room(self) -> bool:
        if self._room.free(0):
            return True
        began = self._monotonic()
        free = self._patience > 0 and self._room.free(self._patience)
        self._patience -= self._monotonic() - began
        return free


class Room:
    """Asks whether journald's queue has room, without sending: cysystemd's send would wait for ever."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._name = str(path)
        self._identity = (0, 0, 0)
        self._socket: socket.socket | None = None
        self._poll = select.poll()
        self.refresh()

    def free(self, seconds: float) -> bool:
        """Whether an entry can be sent now, or within so many seconds.

        True as well where no journald listens: sending is then quick, and says what is wrong.
        """
        return self._socket is None or bool(self._poll.poll(seconds * 1000))

    def is_there(self) -> bool:
        """Whether journald has a socket."""
        return os.access(self._name, os.F_OK)  # Path.exists takes four times as long

    def refresh(self) -> None:
        """Connects again if the journal's socket is another one."""
        try:
            status = self._path.stat()
        except OSError:
            return
        identity = (status.st_dev, status.st_ino, status.st_ctime_ns)  # inode numbers are used again
        if identity != self._identity:
            self.close()
            self._connect()
            self._identity = identity

    def close(self) -> None:
        """Closes the socket."""
        if self._socket is not None:
            self._poll.unregister(self._socket)
            self._socket.close()
            self._socket = None

    def _connect(self) -> None:
        probe = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        probe.setblocking(False)
        try:
            probe.connect(str(self._path))
        except OSError:
            probe.close()
            return
        self._poll.register(probe, select.POLLOUT)
        self._socket = probe
