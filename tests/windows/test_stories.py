"""Stories of the Linux tests, run as they are by Windows' Python."""

import re
from pathlib import Path

import pytest

from tests.windows.prefix import PYTHON, Prefix

FILES = (
    "tests/test_story_slots.py",
    "tests/test_story_prices.py",
    "tests/log/test_row.py",
    "tests/log/test_end.py",
    "tests/log/test_follow.py",
    "tests/log/test_read.py",
)
SECONDS = 240


@pytest.mark.timeout(SECONDS + 60)
def test_the_stories_of_linux_hold(booted: Prefix, folder: Path) -> None:
    options = ("-q", "-p", "no:cacheprovider", "-o", "addopts=", "--tb=short", "--color=no")
    # a folder of its own: pytest's usual one is shared with the tests that run on Linux meanwhile
    temporary = rf"--basetemp=C:\{folder.name}\stories"

    ran = booted.wine(
        *(PYTHON, "-m", "pytest", *options, temporary, *FILES), seconds=SECONDS, cwd=booted.c / "src"
    )

    assert ran.code == 0, ran.text
    passed = re.search(r"^(\d+) passed, \d+ skipped in ", ran.text, re.MULTILINE)
    assert passed is not None, ran.text
    assert int(passed[1]) > 200
