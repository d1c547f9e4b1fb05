"""Processes that we start, and those that are left to process 1: Linux, macOS and other Unix systems."""

import sys

assert sys.platform != "win32"

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a process gets when its parent dies."""


class Process(Protocol):
    """What psutil knows a process by. It refuses to signal another one that was given its number since."""

    def terminate(self) -> None: ...
    def resume(self) -> None: ...


def options() -> dict[str, Any]:
    """Options of subprocess.Popen for a child that does not outlive us, as far as the system allows.

    Linux kills it, whatever it is doing: a signal that asks would leave one that hangs. Other systems have no
    such thing; there the end of a pipe asks it, and the next supervisor ends one that was hung.
    """
    if sys.platform != "linux":
        return {"stdin": subprocess.PIPE}
    prctl = ctypes.CDLL(None).prctl  # loaded here: between fork and exec nothing may need a lock
    return {"stdin": subprocess.DEVNULL, "preexec_fn": partial(_end_with, os.getpid(), prctl)}


def _end_with(parent: int, prctl: Callable[..., int]) -> None:
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the call
        os.kill(os.getpid(), signal.SIGKILL)


def ask_to_end(process: Process) -> None:
    """Asks a process to end in order, also one that was stopped."""
    process.terminate()
    process.resume()


def ask_to_reload(pid: int) -> None:
    """Asks a recorder that is our child to read its settings again."""
    os.kill(pid, signal.SIGHUP)


def on_child_end(action: Callable[[], None]) -> None:
    """Has the end of a child call `action`, which must be safe at any point of the program."""
    signal.signal(signal.SIGCHLD, lambda *_: action())


def reap(child: int) -> None:
    """Collects processes that were left to us and have ended, as process 1 must; not our own child."""
    if not hasattr(os, "waitid"):
        return
    with suppress(ChildProcessError):
        while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if found.si_pid == child:
                return  # its parent asks for its status first
            os.waitpid(found.si_pid, 0)
