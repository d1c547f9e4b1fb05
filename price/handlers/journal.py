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
from pathlib import Path

from price.events import Event, log_event
from price.handlers.console import Console
from price.handlers.fields import fields
from price.text import counted

SOCKET = Path("/run/systemd/journal/socket")
PATIENCE_SECONDS = 0.2
"""How long all entries of a slot together may wait for room in journald's queue."""
_LOOK_SECONDS = 0.01
"""How long journald's socket is taken to be the one last seen: a slot's entries leave in one burst."""

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
        self._path = str(path)
        self._send = send
        self._monotonic = monotonic
        self._fallback = fallback
        self._identifier = identifier
        self._probe = _socket()
        self._poll = select.poll()
        self._connected_to = (0, 0, 0)
        self._seen_until = 0.0
        self._patience = PATIENCE_SECONDS
        self._dropped = 0
        self._dropped_unreported = 0

    @property
    def dropped(self) -> int:
        """Entries since the start that went nowhere."""
        return self._dropped + self._fallback.dropped

    def emit(self, record: logging.LogRecord) -> None:
        """Sends an entry. Raises OSError for one that journald refuses, which the fallback then has."""
        code = self._sent(record)
        if code < 0:
            self._fall_back(record)
            raise OSError(-code, f"journald refused an entry: {os.strerror(-code)}")

    def flush(self) -> None:
        """Ends a slot: the next one may wait again, and looks again for the socket."""
        self._patience, self._seen_until = PATIENCE_SECONDS, 0.0

    def close(self) -> None:
        """Closes the socket."""
        self._probe.close()
        super().close()

    def _sent(self, record: logging.LogRecord) -> int:
        """Sends an entry, or drops it where there is no room; returns 0 or a negative errno."""
        try:
            has_room = self._has_room()
        except OSError as error:
            return -(error.errno or errno.EIO)
        if not has_room:
            self._dropped += 1
            self._dropped_unreported += 1
            return 0
        if self._dropped_unreported:
            dropped, self._dropped_unreported = self._dropped_unreported, 0
            text = f"{counted(dropped, 'entry', 'entries')} dropped: journald's queue was full"
            log_event(Event.ENTRIES_DROPPED, logging.WARNING, text)
        return self._send(**fields(record, self._identifier))

    def _has_room(self) -> bool:
        """Whether journald's queue has room, now or within what is left of the slot's patience.

        A socket of its own asks that, without sending: cysystemd's `send` would wait for ever. Raises OSError
        where there is no journald: libsystemd would send nothing and report success.
        """
        now = self._monotonic()
        if now >= self._seen_until:
            self._connect()
            self._seen_until = now + _LOOK_SECONDS
        if self._poll.poll(0):
            return True
        has_room = self._patience > 0 and bool(self._poll.poll(self._patience * 1000))
        self._patience -= self._monotonic() - now
        return has_room

    def _connect(self) -> None:
        """Connects to journald's socket, where that is another one than before. Raises OSError."""
        status = os.stat(self._path)  # noqa: PTH116 - for each slot
        identity = (status.st_dev, status.st_ino, status.st_ctime_ns)  # inode numbers are used again
        if identity == self._connected_to:
            return
        self._probe.close()
        self._probe, self._poll = _socket(), select.poll()
        self._probe.connect(self._path)
        self._poll.register(self._probe, select.POLLOUT)
        self._connected_to = identity

    def _fall_back(self, record: logging.LogRecord) -> None:
        try:
            self._fallback.emit(record)
        except (OSError, ValueError):  # a closed stderr
            self._dropped += 1


def _socket() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
