"""Linux, macOS and other Unix systems."""

import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from price.host.wakeup import Wakeup

sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)
"""Brings a file's data to stable storage; macOS has no fdatasync."""


def sync_folder(folder: Path) -> None:
    """Brings a folder's entries to stable storage: a new file needs that beside its own sync."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def on_signals(stop: Callable[[], None], reload: Callable[[], None], wakeup: Wakeup) -> None:
    """Has TERM and INT call `stop`, and HUP `reload`. Both must be safe at any point of the program.

    Each signal sets the wakeup as well: of one that lands just before a wait Python knows only after it.
    """
    signal.set_wakeup_fd(wakeup.write_fd(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())
    signal.signal(signal.SIGHUP, lambda *_: reload())


@contextmanager
def exit_on_term() -> Iterator[None]:
    """Has TERM end the program in order, as INT does: with status 143 and whatever has to be done before."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def fill_streams() -> None:
    """Puts /dev/null where a standard stream was closed before the start.

    Else the log would be opened in its place, and what a library says on stderr at its end stand in it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # each is the lowest that is free
        pass
    os.close(descriptor)


def place() -> str:
    """Where a process number means something: the machine's name, and its namespace of process numbers."""
    try:
        return f"{os.uname().nodename} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # not Linux, or no /proc
        return os.uname().nodename


def alive(pid: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True


def lock(path: Path) -> int | None:
    """Locks a file of ours against a second process for as long as the descriptor that it returns is open.

    Nobody else can open the file, so nobody else can lock it; no link is followed to it. Returns None if
    another process holds the lock. Raises OSError.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)  # kept open it would hold the lock against the next attempt
        raise
    return descriptor


def claim(descriptor: int) -> str:
    """Locks an open log against a process that has it open by another name; returns who holds it, or "".

    Whoever can read the log can lock it as well. So only the lock of a process that could write to it
    counts: ours, root's, its owner's. The kernel says in /proc/locks who that is (proc_locks(5)).
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pids = _lockers(os.fstat(descriptor).st_ino)
        writers = [pid for pid in pids if _user_of(pid) in (0, os.geteuid(), os.fstat(descriptor).st_uid)]
        others = [pid for pid in writers if pid != os.getpid()]
        return str(others[0]) if others else "" if pids else "unknown"
    return ""


def _lockers(inode: int) -> list[int]:
    """The processes that have locked a file."""
    found = []
    with suppress(OSError):
        for text in Path("/proc/locks").read_text("ascii").splitlines():
            words = text.split()
            if len(words) > 5 and words[1] == "FLOCK" and words[5].endswith(f":{inode}"):
                found.append(int(words[4]))
    return found


def _user_of(pid: int) -> int | None:
    """The user that a process runs as; None for one that is gone."""
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return None
