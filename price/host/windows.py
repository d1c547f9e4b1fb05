"""Windows, through ctypes alone: the recorder needs no package for it.

Each reader of a log loads this file: what only one function needs is imported there.
"""

import sys

assert sys.platform == "win32"

import ctypes
import errno
import msvcrt
import os
import time
from collections.abc import Callable
from contextlib import suppress
from ctypes import wintypes
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

LOG_IS_EXCLUSIVE = True
"""Whether `open_log` refuses a file that is open for writing already, by this process too."""

_kernel = ctypes.WinDLL("kernel32", use_last_error=True)
_kernel.CreateFileW.restype = _kernel.OpenProcess.restype = wintypes.HANDLE
_kernel.CreateFileW.argtypes = [
    wintypes.LPCWSTR, wintypes.DWORD, wintypes.DWORD, wintypes.LPVOID, wintypes.DWORD, wintypes.DWORD,
    wintypes.HANDLE,
]  # fmt: skip
_kernel.OpenProcess.argtypes = [wintypes.DWORD, wintypes.BOOL, wintypes.DWORD]
_INVALID = ctypes.c_void_p(-1).value
_GENERIC_READ, _GENERIC_WRITE = 0x80000000, 0x40000000
_SHARE_READ, _SHARE_WRITE, _SHARE_DELETE = 1, 2, 4
_OPEN_EXISTING, _OPEN_ALWAYS = 3, 4
_ORDINARY_FILE = 0x80
_ACCESS_DENIED, _SHARING_VIOLATION = 5, 32
_BINARY = os.O_BINARY | os.O_NOINHERIT
_LOCKED_BYTE = 1 << 20
"""Locks are mandatory here: one on the first byte would hide who holds it."""
_TRIES, _PAUSE_SECONDS = 10, 0.005
_SYNCHRONIZE, _QUERY = 0x00100000, 0x1000
_STILL_RUNS = 0x102
_SECONDS_TO_1970 = 11_644_473_600
"""From 1601, where Windows' times begin."""
_CLOSE, _LOGOFF, _SHUTDOWN = 2, 5, 6
_LEFT_SECONDS = 4.0
"""Windows ends a process five seconds after it was told that its window was closed."""
_RESERVED = '<>:"|?*'

sync: Callable[[int], None] = os.fsync
"""Brings a file's data to stable storage."""


def open_to_read(path: "str | Path") -> int:
    """Opens a file that others may write, rename and remove meanwhile. Raises OSError."""
    sharing = _SHARE_READ | _SHARE_WRITE | _SHARE_DELETE
    handle = _open(path, _GENERIC_READ, sharing, _OPEN_EXISTING)
    return msvcrt.open_osfhandle(handle, os.O_RDONLY | _BINARY)


def open_log(path: "Path", mode: int) -> int:  # noqa: ARG001 - the folder says who may read
    """Opens or makes a file to append to, which others may read and rename meanwhile.

    Nobody else can open it to write, by no name that it has. Raises OSError, BlockingIOError where somebody
    has.
    """
    access, sharing = _GENERIC_READ | _GENERIC_WRITE, _SHARE_READ | _SHARE_DELETE
    handle = _open(path, access, sharing, _OPEN_ALWAYS)
    return msvcrt.open_osfhandle(handle, os.O_RDWR | os.O_APPEND | _BINARY)


def _open(path: "str | Path", access: int, sharing: int, disposition: int) -> int:
    handle: int = _kernel.CreateFileW(
        os.fspath(path), access, sharing, None, disposition, _ORDINARY_FILE, None
    )
    if handle == _INVALID:
        code = ctypes.get_last_error()
        if code == _SHARING_VIOLATION:
            raise BlockingIOError(errno.EAGAIN, "another program has it open", os.fspath(path))
        fault = ctypes.WinError(code)
        raise OSError(fault.errno, fault.strerror, os.fspath(path), code)
    return handle


def open_kept(path: "Path", mode: int) -> int:
    """Opens or makes a file to write at any offset. Raises OSError."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | _BINARY, mode)


def open_new(path: str, mode: int) -> int:
    """Makes a file and opens it to write. Raises OSError, FileExistsError for whatever has its name."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, mode)


def read_at(descriptor: int, size: int, at: int) -> bytes:
    """The bytes of a descriptor, so many from an offset on; fewer where the file ends."""
    os.lseek(descriptor, at, os.SEEK_SET)
    return os.read(descriptor, size)


def set_mode(descriptor: int, mode: int) -> None:
    """Nothing: the folder says who may read and write a file in it."""


def user() -> int:
    """The number of the user whose rights this process has: links have no owner here that could be asked."""
    return 0


def become_owner(*paths: "Path") -> None:
    """Nothing: making a link needs an administrator here."""


def replace(new: str, path: "Path") -> bool:
    """Gives a new file the name of another; whether that is possible now: not while somebody reads that.

    Raises OSError.
    """
    return _in_time(lambda: os.replace(new, path), path)


def remove(path: "Path") -> None:
    """Removes a file, unless somebody reads it for long. Raises OSError."""
    _in_time(path.unlink, path)


def _in_time(action: Callable[[], None], path: "Path") -> bool:
    """Tries for 50 ms what readers of a file stand in the way of: longer than they have a small one open."""
    for _ in range(_TRIES):
        try:
            action()
        except PermissionError:
            if not os.access(path, os.W_OK) or not os.path.isfile(path):
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return True
    return False


def path_fault(text: str) -> str:
    """Why this system can have no file of this name; empty where it can."""
    drive, rest = os.path.splitdrive(text)
    if any(one in _RESERVED or one < " " for one in rest):
        return f"Windows has no file names with any of {_RESERVED} or a control character"
    words = [word for word in rest.replace("/", "\\").split("\\") if word not in ("", ".", "..")]
    if any(word[-1] in " ." for word in words):
        return "Windows has no file names that end with a blank or a dot"
    return "" if drive or not rest.startswith("\\\\") else "it is no path of Windows"


def listed_name(path: str) -> str:
    """A path with its file's name as its folder lists it: PRICES.TXT leads to prices.txt too."""
    folder, name = os.path.split(path)
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return path  # whoever opens it says what is wrong
    found = next((one for one in names if os.path.normcase(one) == os.path.normcase(name)), name)
    return path[: len(path) - len(name)] + found


def sync_folder(folder: "Path") -> None:
    """Nothing: NTFS keeps a folder's entries in its own journal, and folders cannot be synced."""


def on_signals(stop: Callable[[], None], reload: Callable[[], None], wakeup_fd: int) -> None:  # noqa: ARG001
    """Has Ctrl-C, Ctrl-Break, and the end of the window, the session or the system call `stop`.

    Of the last three Windows ends the process when its handler returns: that waits for the orderly end. A
    session that ends is of no concern to what runs as a service under NSSM, which is told of each. There is
    no signal that could ask for `reload`: the service does.
    """
    import signal

    signal.set_wakeup_fd(wakeup_fd, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGBREAK):
        signal.signal(number, lambda *_: stop())
    _on_console_events(stop)


def _on_console_events(stop: Callable[[], None]) -> None:
    session = wintypes.DWORD()
    _kernel.ProcessIdToSessionId(os.getpid(), ctypes.byref(session))

    def handle(event: int) -> bool:
        if event == _LOGOFF and session.value == 0:
            return True
        if event not in (_CLOSE, _LOGOFF, _SHUTDOWN):
            return False  # Python's own handler makes a signal of it
        stop()
        time.sleep(_LEFT_SECONDS)
        return True

    called = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD)(handle)
    _kept.append(called)
    _kernel.SetConsoleCtrlHandler(called, True)


_kept: list[object] = []
"""What Windows calls and Python must not collect."""


def place() -> str:
    """Where a process number means something: the machine's name."""
    import socket

    return socket.gethostname()


def alive(pid: int, since: "datetime") -> bool:
    """Whether the process of this number that ran at a time may still be there: numbers are used again."""
    handle = _kernel.OpenProcess(_SYNCHRONIZE | _QUERY, False, pid)
    if not handle:
        return ctypes.get_last_error() == _ACCESS_DENIED  # somebody else's
    process = wintypes.HANDLE(handle)
    try:
        began, *others = (wintypes.FILETIME() for _ in range(4))
        _kernel.GetProcessTimes(process, *(ctypes.byref(one) for one in (began, *others)))
        ticks = (began.dwHighDateTime << 32) + began.dwLowDateTime  # of 100 ns
        too_young = ticks / 10_000_000 - _SECONDS_TO_1970 > since.timestamp() + 1
        return bool(_kernel.WaitForSingleObject(process, 0) == _STILL_RUNS) and not too_young
    finally:
        _kernel.CloseHandle(process)


def lock(path: "Path") -> int | None:
    """Locks a file of ours against a second process for as long as the descriptor that it returns is open.

    Returns None if another process holds the lock: its number is the file's text. Raises OSError.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _BINARY, 0o600)
    try:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except OSError:  # PermissionError on Windows, without a number under Wine
        os.close(descriptor)
        return None
    try:
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"{os.getpid()}\n".encode())
    except OSError:
        os.close(descriptor)  # kept open it would hold the lock against the next attempt
        raise
    return descriptor


def claim(descriptor: int) -> str:  # noqa: ARG001 - `open_log` has seen to it
    """Nobody: a log that another process has open by another name is not opened at all."""
    return ""


@cache
def child_options() -> dict[str, Any]:
    """Has children not outlive us; no options of subprocess.Popen are needed for that.

    This process enters a job that its children are born into, and that Windows ends with its last handle,
    which is ours. Where Windows refuses that, a child that hangs is left for the next supervisor. Raises
    ModuleNotFoundError without pywin32.
    """
    import win32api
    import win32job

    kind = win32job.JobObjectExtendedLimitInformation
    with suppress(win32job.error):
        job = win32job.CreateJobObject(None, "")
        limits = win32job.QueryInformationJobObject(job, kind)
        limits["BasicLimitInformation"]["LimitFlags"] |= win32job.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
        win32job.SetInformationJobObject(job, kind, limits)
        win32job.AssignProcessToJobObject(job, win32api.GetCurrentProcess())
        job.Detach()  # else it would be closed, and we be ended, when this function returns
    return {}


def ask_to_reload(pid: int) -> None:
    """Nothing: `price service reload` is the way there."""


def kill_session(leader: int) -> None:
    """Kills a child; what it started is not known here."""
    import signal

    os.kill(leader, signal.SIGTERM)  # which is TerminateProcess


def reap(child: int) -> None:
    """Nothing: no process is left to another here."""
