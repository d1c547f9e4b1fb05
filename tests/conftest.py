"""How all tests are run."""

import gc
import os
import shutil
import signal
from pathlib import Path

from hypothesis import given, settings
from hypothesis.strategies import none

# a busy machine is no reason to fail: the time of one example says nothing. `make test` tries the same inputs
# each time, so that it fails for what was changed; `make fuzz` tries others
settings.register_profile("same", deadline=None, max_examples=40, derandomize=True, database=None)
settings.register_profile("search", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("same")

# a shell has what it starts in the background not hear Ctrl-C, nor what that starts in turn
signal.signal(signal.SIGINT, signal.default_int_handler)

# what is written goes to memory, where there is enough: tests about disks make disks of their own
_MEMORY, _ENOUGH_BYTES = Path("/dev/shm"), 4 << 30
if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def pytest_collection_finish() -> None:
    """Has the collector of garbage leave thousands of tests alone: it would walk them again and again."""
    _first_example()
    gc.collect()
    gc.freeze()


@given(none())
def _first_example(_: None) -> None:
    """With the first one Hypothesis makes its source of chance, and asks the collector who holds that.

    What is frozen the collector does not see: from Python 3.14 on, the first test in each process would fail.
    """
