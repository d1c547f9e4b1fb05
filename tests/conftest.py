"""How all tests are run."""

import gc
import os
import shutil
import signal
from pathlib import Path

from hypothesis import settings

# a busy machine is no reason to fail: the time of one example says nothing
settings.register_profile("price", deadline=None)
settings.load_profile("price")

# a shell has what it starts in the background not hear Ctrl-C, nor what that starts in turn
signal.signal(signal.SIGINT, signal.default_int_handler)

# what is written goes to memory, where there is enough: tests about disks make disks of their own
_MEMORY, _ENOUGH_BYTES = Path("/dev/shm"), 4 << 30
if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def pytest_collection_finish() -> None:
    """Has the collector of garbage leave thousands of tests alone: it would walk them again and again."""
    gc.collect()
    gc.freeze()
