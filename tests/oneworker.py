"""Keeps tests that share long scenes in one worker, for tests/conftest.py to import.

The marks `xdist_group` should do that, but pytest 9.2 no longer shows them to xdist 3.8 (xdist issue 1386):
each worker would then play the scenes by itself.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]

TOGETHER = ("tests/system/", "tests/faults/test_clock_set.py")


class OneWorker(LoadGroupScheduling):  # type: ignore[misc]
    """Gives the tests of each of these places to one worker, one after the other."""

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return next((place for place in TOGETHER if nodeid.startswith(place)), scope)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneWorker | None:
    """The scheduler of `--dist loadgroup`; xdist's own for every other."""
    return OneWorker(config, log) if config.getvalue("dist") == "loadgroup" else None
