"""Systems that are not Unix: enough to try the recorder out in a terminal."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from price.host.wakeup import Wakeup

sync: Callable[[int], None] = os.fsync
"""Brings a file's data to stable storage."""


def sync_folder(folder: Path) -> None:
    """Entries come to stable storage when the system sees fit."""


def on_signals(
    stop: Callable[[], None],
    reload: Callable[[], None],  # noqa: ARG001 - no HUP here
    bell: Wakeup,
) -> None:
    """Has Ctrl-C call `stop`, and ring the bell."""
    signal.set_wakeup_fd(bell.rope(), warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, lambda *_: stop())


@contextmanager
def exit_on_term() -> Iterator[None]:
    """Nobody is asked to end here: a process is ended at once."""
    yield


def fill_streams() -> None:
    """Closed standard streams stay closed."""


def alive(pid: int) -> bool:  # noqa: ARG001 - to ask would be to kill it
    """Whether there is a process of this number; True where that cannot be known."""
    return True


def lock(path: Path) -> int | None:
    """Makes a file that only one process at a time can make; gives None where another has made it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_TEMPORARY", 0), 0o600)
    except FileExistsError:
        return None
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def claim(descriptor: int) -> bool:  # noqa: ARG001 - `lock` has to do here
    """Nothing more than `lock` guards the file here."""
    return True
