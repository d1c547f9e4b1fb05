"""`price follow` that is killed in the middle: `python -m tests.follow.mortal STEP follow postgres --once …`.

STEP is which call to the engine it is, from 1 on; `-3` kills just before the third call, `3` just after it.
The names of all calls are written to stderr, so that a test knows when it has tried every one.
"""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from nats.aio.client import Client

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


def _mortal_async(step: int, method: Callable[..., Any], name: str) -> Callable[..., Any]:
    """As above; what was published may still be in a buffer."""

    async def call(client: Client, *args: Any, **words: Any) -> Any:
        before = _mortal(step, lambda: None, name)
        if step < 0:
            before()
        found = await method(client, *args, **words)
        if step >= 0:
            await client.flush()
            before()
        return found

    return call


def _main() -> int:
    step = int(sys.argv[1])
    kinds: Sequence[tuple[type, str]] = (
        (psycopg.Connection, "execute"),
        (psycopg.Copy, "write"),
        (psycopg.Transaction, "__exit__"),
    )
    for kind, name in kinds:
        setattr(kind, name, _mortal(step, getattr(kind, name), f"{kind.__name__}.{name}"))
    for name in ("publish", "request"):
        setattr(Client, name, _mortal_async(step, getattr(Client, name), f"Client.{name}"))
    return main(sys.argv[2:], os.environ, datetime.now(UTC))


if __name__ == "__main__":
    sys.exit(_main())
