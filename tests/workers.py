"""Who runs which tests beside whom, for tests/conftest.py to import.

Tests that look at real time or share long scenes come first, those of one place in one worker, one after the
other. They wait more than they work; what they leave of the processors is for the tests that only compute.
"""

import os
from typing import Any

import pytest
from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]

TOGETHER = {
    "tests/test_process.py": 0,
    "tests/faults/test_network.py": 0,
    "tests/faults/test_clock_set.py": 0,
    "tests/system/": 5,
    "tests/test_replay.py": 10,
}
"""How nice the tests of each place are to the others (see `nice`): machines take much while they are made."""
_ELSEWHERE = 10


class OneWorker(LoadGroupScheduling):  # type: ignore[misc]
    """Gives the tests of each of these places to one worker; xdist begins with the scopes of many tests.

    Marks could not do that for a folder: pytest 9.2 no longer shows them to xdist 3.8 (xdist issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return _place(nodeid) or scope


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneWorker | None:
    """The scheduler of `--dist loadgroup`; xdist's own for every other."""
    return OneWorker(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Has a worker step back behind those whose tests are less patient."""
    if hasattr(item.config, "workerinput"):
        os.nice(max(0, TOGETHER.get(_place(item.nodeid), _ELSEWHERE) - os.nice(0)))


def _place(nodeid: str) -> str:
    return next((place for place in TOGETHER if nodeid.startswith(place)), "")
