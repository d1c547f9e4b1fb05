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
from typing import NoReturn

from price.events import Event, log_event
from price.handlers.console import Console
from price.handlers.fields import fields
from price.text import counted

SOCKET = Path("/run/systemd/journal/socket")
PATIENCE_SECONDS = 0.2
"""How long all entries of a slot together may wait for room in journald's queue."""
_LOOK_SECONDS = 0.01
"""How long journald's socket is taken to be where it was last seen: a slot's entries leave in one burst."""

Send = Callable[..., int]
"""Sends an entry with the fields that are its arguments; returns 0 or a negative errno."""


def default_talker(
    environ: Mapping[str, str],
    monotonic: Callable[[], float],
    log_format: Callable[[], str],
    identifier: str = "price",
) -> logging.Handler:
    """The handler of all records: the journal where systemd runs the program, else the terminal; never both.

    `log_format` returns the form of lines on stderr, `text` or `json`; `identifier` is what `journalctl -t`
    finds.
    """
    console = Console(log_format=log_format, identifier=identifier)
    if not wanted(environ):
        return console
    try:
        from cysystemd.journal import send
    except ImportError:
        return console  # systemd keeps what is written there, though without the fields
    return Journal(SOCKET, send, monotonic, console, identifier)


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether records belong into the journal: systemd started this process, or keeps its stderr.

    Also where journald does not run yet: until it does, records go to stderr.
    """
    if environ.get("SYSTEMD_EXEC_PID") == str(os.getpid()):
        return True
    stderr = os.fstat(2)
    return environ.get("JOURNAL_STREAM") == f"{stderr.st_dev}:{stderr.st_ino}"


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
        fallback: Console,
        identifier: str = "price",
    ) -> None:
        super().__init__()
        self._queue = Queue(path)
        self._send = send
        self._monotonic = monotonic
        self._fallback = fallback
        self._identifier = identifier
        self._patience = PATIENCE_SECONDS
        self._seen_until = 0.0
        self._dropped = 0
        self._dropped_unreported = 0

    @property
    def dropped(self) -> int:
        """Entries since the start that went nowhere."""
        return self._dropped + self._fallback.dropped

    def emit(self, record: logging.LogRecord) -> None:
        """Sends an entry. Raises OSError for one that journald refuses, which the fallback then has."""
        if not self._is_there():
            self._refuse(record, errno.ENOENT)  # libsystemd would send nothing and report success
        if not self._has_room():
            self._dropped += 1
            self._dropped_unreported += 1
            return
        if self._dropped_unreported:
            dropped, self._dropped_unreported = self._dropped_unreported, 0
            text = f"{counted(dropped, 'entry', 'entries')} dropped: journald's queue was full"
            log_event(Event.ENTRIES_DROPPED, logging.WARNING, text)
        code = self._send(**fields(record, self._identifier))
        if code < 0:
            self._refuse(record, -code)

    def flush(self) -> None:
        """Ends a slot: the next one may wait again, and looks again for the socket."""
        self._patience, self._seen_until = PATIENCE_SECONDS, 0.0

    def close(self) -> None:
        """Closes the socket."""
        self._queue.close()
        super().close()

    def _refuse(self, record: logging.LogRecord, number: int) -> NoReturn:
        """Passes a record to the fallback and raises OSError of this number."""
        try:
            self._fallback.emit(record)
        except (OSError, ValueError):  # a closed stderr
            self._dropped += 1
        raise OSError(number, f"journald refused an entry: {os.strerror(number)}")

    def _is_there(self) -> bool:
        now = self._monotonic()
        if now >= self._seen_until and self._queue.is_there():
            self._seen_until = now + _LOOK_SECONDS
        return now < self._seen_until

    def _has_room(self) -> bool:
        if self._queue.has_room(0):
            return True
        began = self._monotonic()
        has_room = self._patience > 0 and self._queue.has_room(self._patience)
        self._patience -= self._monotonic() - began
        return has_room


class Queue:
    """Looks at journald's queue without sending: cysystemd's `send` would wait for ever for room in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity = (0, 0, 0)
        self._socket: socket.socket | None = None
        self._poll = select.poll()

    def is_there(self) -> bool:
        """Whether journald has a socket; connects to it where it is another one than before."""
        try:
            status = self._path.stat()
        except OSError:
            return False
        identity = (status.st_dev, status.st_ino, status.st_ctime_ns)  # inode numbers are used again
        if identity != self._identity:
            self.close()
            self._identity = identity
            with suppress(OSError):
                self._connect()
        return True

    def has_room(self, seconds: float) -> bool:
        """Whether an entry can be sent now, or within so many seconds.

        True as well where no journald listens: sending is then quick, and says what is wrong.
        """
        return self._socket is None or bool(self._poll.poll(seconds * 1000))

    def close(self) -> None:
        """Closes the socket."""
        if self._socket is not None:
            self._poll.unregister(self._socket)
            self._socket.close()
            self._socket = None

    def _connect(self) -> None:
        probe = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        try:
            probe.connect(str(self._path))
        except OSError:
            probe.close()
            raise
        self._poll.register(probe, select.POLLOUT)
        self._socket = probe
