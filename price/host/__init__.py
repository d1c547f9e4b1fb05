"""What differs from system to system: who stops us, who runs, how files are opened, locked and synced.

`posix` and `windows` have the same names. Nothing of the other system is ever loaded.
"""

import errno
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform == "win32":
    from price.host.windows import *
else:
    from price.host.posix import *


def prepare_streams() -> None:
    """Has each standard stream be there, and what goes into a pipe or a file be the same on every system.

    Where one was closed before the start, the log would be opened in its place, and what a library says on
    stderr at its end stand in it: so the null device is put there.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # each is the lowest that is free
        pass
    os.close(descriptor)
    # not the descriptors 1 and 2 themselves: a service of Windows has these, but nothing behind them
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if sys.platform == "win32":
        for stream in (sys.stdout, sys.stderr):
            if not stream.isatty():
                stream.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]


def named_folder(environ: Mapping[str, str], variable: str) -> str:
    """The first folder that systemd, or who acts in its place, names in a variable; else `logs`."""
    return environ.get(variable, "").split(os.pathsep)[0] or "logs"


def make_folder(folder: "Path") -> None:
    """Makes a folder and those above it that are missing, on stable storage, readable by everyone.

    Raises OSError.
    """
    if not folder.is_dir():
        if folder.exists():
            raise NotADirectoryError(errno.ENOTDIR, f"{folder} is not a folder", str(folder))
        if folder.parent != folder:  # a drive that is not there
            make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)  # whatever the umask: the log in it is for everyone
        sync_folder(folder.parent)


@contextmanager
def exit_on_term() -> Iterator[None]:
    """Has TERM, on Windows Ctrl-Break, end the program in order as INT does, with status 128 + its number."""
    import signal

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    if sys.platform == "win32":
        term = signal.SIGBREAK
    else:
        term = signal.SIGTERM
    before = signal.signal(term, leave)
    try:
        yield
    finally:
        signal.signal(term, before)


def on_stdin_end(action: Callable[[], None]) -> None:
    """Calls `action`, in a thread, when standard input ends: our parent closed it, or has ended."""
    from threading import Thread

    def read() -> None:
        with suppress(OSError):
            while os.read(0, 4096):
                pass
        action()

    Thread(target=read, daemon=True).start()
