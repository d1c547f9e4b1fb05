"""Processes that we start, and those that are left to us; `posix_children` has the meaning of the names."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

if sys.platform == "win32":
    from price.host.windows_children import ask_to_end, ask_to_reload, on_child_end, options, reap
else:
    from price.host.posix_children import ask_to_end, ask_to_reload, on_child_end, options, reap

END_WITH_STDIN = sys.platform != "linux"
"""Whether a child is to end with its standard input, a pipe from us: nothing else ends it when we do."""
_BYTES = 4096


def on_stdin_end(action: Callable[[], None]) -> None:
    """Calls `action`, in a thread, when standard input ends: that is when our parent process ends."""

    def read() -> None:
        with suppress(OSError):
            while os.read(0, _BYTES):
                pass
        action()

    Thread(target=read, daemon=True).start()
