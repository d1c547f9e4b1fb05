"""Stories of the Linux tests, run as they are by Windows' Python."""

import re

import pytest

from tests.windows.prefix import PYTHON, Prefix

FILES = (
    "tests/test_story_slots.py",
    "tests/test_story_prices.py",
    "tests/log/test_row.py",
    "tests/test_choose.py",
)
SECONDS = 240


@pytest.mark.timeout(SECONDS + 60)
def test_the_stories_of_linux_hold(booted: Prefix) -> None:
    options = ("-q", "-p", "no:cacheprovider", "-o", "addopts=", "--tb=short", "--color=no")

    ran = booted.wine(PYTHON, "-m", "pytest", *options, *FILES, seconds=SECONDS, cwd=booted.c / "src")

    assert ran.code == 0, ran.text
    passed = re.search(r"^(\d+) passed in ", ran.text, re.MULTILINE)
    assert passed is not None, ran.text
    assert int(passed[1]) > 100
