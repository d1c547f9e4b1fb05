"""One Windows for all tests of this folder, and a folder on its C: for each."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.needs import give_up, needs
from tests.windows.installed import Installed, installed
from tests.windows.nssm import by_nssm
from tests.windows.prefix import WINE, Prefix
from tests.windows.recording import Recording
from tests.windows.supervised import Supervised

ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks all tests of this folder: they share what they run on, so they run one after the other."""
    here = str(Path(__file__).parent)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.windows)


@pytest.fixture(scope="session")
def booted() -> Iterator[Prefix]:
    """A Windows that is up."""
    needs(WINE, "sudo apt-get install --no-install-recommends wine64, then make test-windows")
    prefix = Prefix(Path(os.environ.get("WINE_FOLDER", ROOT / ".wine")))
    if not (prefix.c / "nssm.exe").exists():
        give_up("needs a Windows to test on: make test-windows")
    source = prefix.c / "src"
    source.unlink(missing_ok=True)
    source.symlink_to(ROOT)
    prefix.down()
    prefix.trace.unlink(missing_ok=True)
    prefix.up()
    yield prefix
    prefix.down()


@pytest.fixture
def folder(booted: Prefix) -> Iterator[Path]:
    """An empty folder on C:, the working folder of what a test runs."""
    folder = booted.c / "test"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def recording(booted: Prefix, folder: Path) -> Iterator[Recording]:
    """A recorder that can be started, killed and read; it is ended with the test."""
    recording = Recording(booted, folder)
    yield recording
    recording.kill()


@pytest.fixture
def service(booted: Prefix, folder: Path) -> Iterator[Installed]:
    """A service with simulated prices."""
    with installed(booted, folder) as service:
        yield service


@pytest.fixture
def nssm(booted: Prefix, recording: Recording) -> Iterator[Recording]:
    """A recorder that is to run under NSSM."""
    with by_nssm(booted, recording) as nssm:
        yield nssm


@pytest.fixture
def supervised(recording: Recording) -> Iterator[Supervised]:
    """A supervisor that does not run yet; what a test leaves running is ended."""
    supervised = Supervised(recording)
    yield supervised
    supervised.kill()
    for pid in supervised.recorders:
        os.kill(pid, signal.SIGKILL)
