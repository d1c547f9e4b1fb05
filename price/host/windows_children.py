"""Processes that we start on Windows, which knows no signals and leaves no process to another."""

import sys

assert sys.platform == "win32"

from collections.abc import Callable
from typing import Any


def options() -> dict[str, Any]:
    """None: what a supervisor that was killed leaves behind is ended by the next one."""
    return {}


def ask_to_end(process: Any) -> None:
    """Ends it: nothing that asks is known here."""
    process.terminate()


def ask_to_reload(pid: int) -> None:
    """Nothing: `price service reload` is the way there."""


def on_child_end(action: Callable[[], None]) -> None:
    """Nothing: each look asks."""


def reap(child: int) -> None:
    """Nothing is left to us."""
