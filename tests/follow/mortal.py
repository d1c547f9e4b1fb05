"""`price follow` that is killed in the middle: `python -m tests.follow.mortal STEP follow postgres --once …`.

STEP is which call to the engine it is, from 1 on; `-3` kills just before the third call, `3` just after it.
The names of all calls are written to stderr, so that a test knows when it has tried every one.
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg

from price.cli import main

_calls = 0


def _mortal(step: int, method: Callable[..., Any], name: str) -> Callable[..., Any]:
    def call(*args: Any, **words: Any) -> Any:
        global _calls
        _calls += 1
        mine = _calls
        os.write(2, f"call {mine} {name}\n".encode())
        if step == -mine:
            os.kill(os.getpid(), signal.SIGKILL)
        found = method(*args, **words)
        if step == mine:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    return call


def _main() -> int:
    step = int(sys.argv[1])
    for kind, name in (
        (psycopg.Connection, "execute"),
        (psycopg.Copy, "write"),
        (psycopg.Copy, "finish"),
        (psycopg.Transaction, "__exit__"),
    ):
        if hasattr(kind, name):
            setattr(kind, name, _mortal(step, getattr(kind, name), f"{kind.__name__}.{name}"))
    return main(sys.argv[2:], os.environ, datetime.now(UTC))


if __name__ == "__main__":
    sys.exit(_main())
