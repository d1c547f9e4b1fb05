"""One installation for all tests of this folder; each file gets a machine of its own that is like it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import NoReturn

import pytest

from tests.system import hardships, installation
from tests.system.machine import CannotBoot, Machine
from tests.system.service import Service


@pytest.fixture(scope="session")
def install() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs `make install` with more settings on a machine that holds a checkout and wheels."""
    return installation.install


@pytest.fixture(scope="session")
def installed() -> Iterator[Machine]:
    """A machine after its first `make install`. Not to be changed: others are made after it."""
    try:
        machine = installation.installed_machine()
    except CannotBoot as reason:
        _give_up(str(reason))
    with closing(machine):
        yield machine


@pytest.fixture(scope="module")
def machine(installed: Machine) -> Iterator[Machine]:
    """A machine with `price` installed, for the tests of one file."""
    with closing(Machine(installed)) as machine:
        yield machine


@pytest.fixture(scope="module")
def service(machine: Machine) -> Service:
    """The service and three exchanges, for the tests of one file. It does not run yet."""
    return Service(machine)


@pytest.fixture(scope="session")
def meanwhile(installed: Machine) -> Iterator[dict[str, "Future[hardships.Seen]"]]:
    """What takes long, seen on machines of their own while other tests run."""
    with ThreadPoolExecutor(len(hardships.ALL)) as pool:
        yield {name: pool.submit(hardships.see, installed, scene) for name, scene in hardships.ALL.items()}


@pytest.fixture(scope="session", autouse=True)
def _early(request: pytest.FixtureRequest) -> None:
    """Begins what takes long before everything else, if some test of this run wants it."""
    if any("meanwhile" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("meanwhile")


def _give_up(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must be able to boot a machine: {reason}")
    pytest.skip(reason)
