"""One installation for all tests of this folder; each file gets a machine of its own that is like it."""

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.needs import give_up
from tests.once import made_once
from tests.system import hardships, installation
from tests.system.machine import CannotBoot, Machine
from tests.system.service import Service


@pytest.fixture(scope="session")
def install() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs `make install` with more settings on a machine that holds a checkout and wheels."""
    return installation.install


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a machine after its first `make install`."""

    def make(folder: Path) -> None:
        try:
            machine = installation.installed_machine()
        except CannotBoot as reason:
            give_up(str(reason))
        with closing(machine):
            machine.save(folder)

    return made_once(tmp_path_factory, "installed", make)


@pytest.fixture(scope="module")
def machine(installed: Path) -> Iterator[Machine]:
    """A machine with `price` installed, for the tests of one file."""
    with closing(Machine(installed)) as machine:
        yield machine


@pytest.fixture(scope="module")
def service(machine: Machine) -> Service:
    """The service and three exchanges, for the tests of one file. It does not run yet."""
    return Service(machine)


@pytest.fixture(scope="module")
def meanwhile(installed: Path) -> Iterator[dict[str, "Future[hardships.Seen]"]]:
    """What takes long, seen on machines of their own, all at once."""
    with ThreadPoolExecutor(len(hardships.ALL)) as pool:
        yield {name: pool.submit(hardships.see, installed, scene) for name, scene in hardships.ALL.items()}
