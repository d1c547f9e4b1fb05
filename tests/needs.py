"""What a test needs of its machine. A person sees it skipped, with what to type; in CI it must be there."""

import importlib.util
import os
import shutil
import sys
from typing import NoReturn

import pytest


def needs(what: str, install: str) -> None:
    """Skips a test, or a file, where a program or module is missing: `needs("xz", "apt install xz")`."""
    if not has(what):
        give_up(f"needs {what}: {install}")


def has(what: str) -> bool:
    """Whether a program is on the PATH, or else a module can be imported."""
    found = shutil.which(what, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    return found is not None or (what.isidentifier() and importlib.util.find_spec(what) is not None)


def give_up(reason: str) -> NoReturn:
    """Skips a test, or a whole file, that this machine cannot run; in CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must be able to run this test: {reason}")
    pytest.skip(reason, allow_module_level=True)


def unlike_windows(reason: str) -> pytest.MarkDecorator:
    """Marks a test of what Windows does not have: it is left out there, and nowhere else."""
    return pytest.mark.skipif(sys.platform == "win32", reason=reason)
