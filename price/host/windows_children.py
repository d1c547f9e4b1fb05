"""Processes that we start on Windows, which knows no signals and leaves no process to another."""

import sys

assert sys.platform == "win32"

import subprocess
from collections.abc import Callable
from typing import Any


def options() -> dict[str, Any]:
    """A pipe, the end of which asks the child to end; one that hangs is left for the next supervisor."""
    return {"stdin": subprocess.PIPE}


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
