"""Linux, macOS and other Unix systems.

Each reader of a log loads this file: what only one function needs is imported there.
"""

import sys

assert sys.platform != "win32"

import fcntl
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

LOG_IS_EXCLUSIVE = False
"""Whether `open_log` refuses a file that is open for writing already, by this process too."""

sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)
"""Brings a file's data to stable storage; macOS has no fdatasync."""
read_at = os.pread
"""The bytes of a descriptor, so many from an offset on; fewer where the file ends."""
set_mode = os.fchmod
"""Sets who may read and write an open file, whatever the umask."""
remove = os.unlink
"""Removes a file. Raises OSError."""
user = os.geteuid
"""The number of the user whose rights this process has; 0 is the administrator's."""

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_LOG = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
_KEPT = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LOOKS = 5
_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a process gets when its parent dies."""
_LOCK = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def open_to_read(path: "str | Path") -> int:
    """Opens a file that others may write, rename and remove meanwhile. Raises OSError.

    Should it be a FIFO, this does not wait for somebody who writes.
    """
    return os.open(path, _READ)


def open_log(path: "Path", mode: int) -> int:
    """Opens or makes a file to append to, which others may read and rename meanwhile. Raises OSError."""
    return os.open(path, _LOG, mode)


def open_kept(path: "Path", mode: int) -> int:
    """Opens or makes a file to write at any offset; no link is followed to it. Raises OSError."""
    return os.open(path, _KEPT, mode)


def open_new(path: str, mode: int) -> int:
    """Makes a file and opens it to write. Raises OSError, FileExistsError for whatever has its name."""
    return os.open(path, _NEW, mode)


def replace(new: str, path: "Path") -> bool:
    """Gives a new file the name of another; whether that is possible now. Here it always is.

    Raises OSError.
    """
    os.replace(new, path)
    return True


def path_fault(text: str) -> str:  # noqa: ARG001 - what Windows refuses can be a name here
    """Why this system can have no file of this name; empty where it can."""
    return ""


def listed_name(path: str) -> str:
    """A path with its file's name as its folder lists it: here there is only one."""
    return path


def sync_folder(folder: "Path") -> None:
    """Brings a folder's entries to stable storage: a new file needs that as well as its own sync."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def on_signals(stop: Callable[[], None], reload: Callable[[], None], wakeup_fd: int) -> None:
    """Has TERM and INT call `stop`, and HUP `reload`. Both must be safe at any point of the program.

    Each signal writes a byte to `wakeup_fd` too: of one that lands just before a wait Python knows only
    after it.
    """
    import signal

    signal.set_wakeup_fd(wakeup_fd, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())
    signal.signal(signal.SIGHUP, lambda *_: reload())


def become_owner(*paths: "Path") -> None:
    """For root: takes on, for good, the rights of the user who could put links into these files' folders.

    That is who owns the folder, or a folder or a link on the way to it: such a user can put links there, and
    root would follow them. Raises PermissionError where the rights cannot be given up. Others than root, and
    root in its own folders, stay what they are.
    """
    from price.host.owner import become, strangers

    if os.geteuid() != 0:
        return
    users = [user for path in paths for user in strangers(path)]
    if users:
        become(users[-1])


@cache
def place() -> str:
    """Where a process number means something: the machine's name, and its namespace of process numbers."""
    try:
        return f"{os.uname().nodename} {os.readlink('/proc/self/ns/pid')}"
    except OSError:  # not Linux, or no /proc
        return os.uname().nodename


def alive(pid: int, since: "datetime") -> bool:  # noqa: ARG001 - numbers are not used again soon
    """Whether the process of this number that ran at a time may still be there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True


def lock(path: "Path") -> int | None:
    """Locks a file of ours against a second process for as long as the descriptor that it returns is open.

    Nobody else can open the file, so nobody else can lock it; no link is followed to it. Returns None if
    another process holds the lock: its number is the file's text. Raises OSError.
    """
    descriptor = os.open(path, _LOCK, 0o600)
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

    Each process that may read the log may lock it. So only the lock of a process that could write to it
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
    """The processes that have locked a file.

    While others lock and unlock, the kernel now and then leaves an entry out: nobody is looked for again.
    """
    for _ in range(_LOOKS):
        found = []
        with suppress(OSError), open("/proc/locks", encoding="ascii") as locks:
            for text in locks:
                words = text.split()
                if len(words) > 5 and words[1] == "FLOCK" and words[5].endswith(f":{inode}"):
                    found.append(int(words[4]))
        if found:
            return found
    return []


def _user_of(pid: int) -> int | None:
    """The user that a process runs as; None for one that is gone."""
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None


def child_options() -> dict[str, Any]:
    """Options of subprocess.Popen for a child that does not outlive us, as far as the system allows.

    Linux kills it when we die, whatever it is doing. Other systems have no such thing.
    """
    import ctypes
    import signal

    # made here: between fork and exec nothing may need a lock, as an import does
    steps = [partial(signal.signal, signal.SIGHUP, signal.SIG_IGN)]
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None).prctl
        steps.append(partial(prctl, _PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
    return {"preexec_fn": partial(_begin_child, os.getpid(), steps, signal.SIGKILL)}


def _begin_child(parent: int, steps: Sequence[Callable[[], object]], kill: int) -> None:
    """Has a child that was just born end with its parent, and not by a request to reload.

    It reads its settings only after it has a handler for such requests, so that an earlier one asks nothing.
    """
    for step in steps:
        step()
    if os.getppid() != parent:  # it ended before the call
        os.kill(os.getpid(), kill)


def ask_to_reload(pid: int) -> None:
    """Asks a recorder that is our child to read its settings again."""
    import signal

    os.kill(pid, signal.SIGHUP)


def kill_session(leader: int) -> None:
    """Kills a child that was started with `start_new_session`, and what it started."""
    import signal

    os.killpg(leader, signal.SIGKILL)


def reap(child: int) -> None:
    """Collects processes that were left to us and have ended, as process 1 must; not our own child."""
    if not hasattr(os, "waitid"):
        return
    with suppress(ChildProcessError):
        while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if found.si_pid == child:
                return  # its parent asks for its status first
            os.waitpid(found.si_pid, 0)
