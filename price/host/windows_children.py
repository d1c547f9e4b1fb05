"""Processes that we start on Windows, which knows no signals and leaves no process to another."""

import sys

assert sys.platform == "win32"

import ctypes
import subprocess
from collections.abc import Callable
from ctypes import wintypes
from typing import Any

_EXTENDED_LIMITS = 9
_KILL_ON_JOB_CLOSE = 0x2000
_kernel = ctypes.WinDLL("kernel32", use_last_error=True)
_kernel.CreateJobObjectW.restype = _kernel.GetCurrentProcess.restype = wintypes.HANDLE


class _ExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION, of which one flag is set: the rest is what it takes up."""

    _fields_ = (
        ("times", wintypes.LARGE_INTEGER * 2),
        ("flags", wintypes.DWORD),
        ("working_set", ctypes.c_size_t * 2),
        ("processes", wintypes.DWORD),
        ("affinity", ctypes.c_size_t),
        ("classes", wintypes.DWORD * 2),
        ("io_counts", ctypes.c_ulonglong * 6),
        ("memory", ctypes.c_size_t * 4),
    )


def options() -> dict[str, Any]:
    """Options of subprocess.Popen for a child that does not outlive us: a pipe, whose end asks it to end.

    One that hangs reads no pipe. So before the first child this process enters a job that children are born
    into, and that Windows ends with its last handle, which is ours. Where Windows refuses the job, one that
    hangs is left for the next supervisor.
    """
    if not _jobs:
        _jobs.append(_enter_job())
    return {"stdin": subprocess.PIPE}


_jobs: list[int | None] = []
"""The handle of our job, open for as long as we run; None where Windows refused."""


def _enter_job() -> int | None:
    job = wintypes.HANDLE(_kernel.CreateJobObjectW(None, None))
    limits = _ExtendedLimits(flags=_KILL_ON_JOB_CLOSE)
    size = ctypes.sizeof(limits)
    entered = _kernel.SetInformationJobObject(
        job, _EXTENDED_LIMITS, ctypes.byref(limits), size
    ) and _kernel.AssignProcessToJobObject(job, wintypes.HANDLE(_kernel.GetCurrentProcess()))
    return job.value if entered else None


def ask_to_end(process: Any) -> None:
    """Asks our own child, whose pipe we have; ends any other, since nothing that asks is known here."""
    pipe = getattr(process, "stdin", None)
    if pipe is None:
        process.terminate()
    else:
        pipe.close()


def ask_to_reload(pid: int) -> None:
    """Nothing: `price service reload` is the way there."""


def on_child_end(action: Callable[[], None]) -> None:
    """Nothing: each look asks."""


def reap(child: int) -> None:
    """Nothing is left to us."""
