"""One installation for all tests of this folder; each file gets a machine of its own that is like it."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest

from tests.system import hardships
from tests.system.machine import CannotBoot, Machine
from tests.system.service import CHECKOUT, Service

ROOT = Path(__file__).parents[2]
_PYTHON = "/usr/bin/python3"
_WHEELS = "/usr/local/src/wheels"


@pytest.fixture(scope="session")
def install() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs `make install` with more settings on a machine that holds a checkout and wheels."""

    def run(machine: Machine, *settings: str) -> "subprocess.CompletedProcess[str]":
        pip = ("PIP_NO_INDEX=1", f"PIP_FIND_LINKS={_WHEELS}")
        return machine.attempt("make", "--silent", "install", *pip, *settings, cwd=CHECKOUT, seconds=50)

    return run


@pytest.fixture(scope="session")
def installed(install: Callable[..., "subprocess.CompletedProcess[str]"]) -> Iterator[Machine]:
    """A machine after its first `make install`. Not to be changed: others are made after it."""
    try:
        wheels = _wheels()
        machine = Machine()
    except CannotBoot as reason:
        _give_up(str(reason))
    with closing(machine):
        _copy_checkout(machine.path(CHECKOUT))
        shutil.copytree(wheels, machine.path(_WHEELS))
        done = install(machine)
        assert done.returncode == 0, done.stdout + done.stderr
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


def _wheels() -> Path:
    """A folder with what `make install` takes from an index, for the Python of the machine."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise CannotBoot("only root on Linux can boot a machine")
    script = "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"
    asked = subprocess.run([_PYTHON, "-c", script], capture_output=True, text=True, check=False)
    version = asked.stdout.strip()
    if asked.returncode or tuple(map(int, version.split("."))) < (3, 11):
        raise CannotBoot(f"{_PYTHON} is not Python 3.11 or newer with venv (Debian: python3-venv)")
    requirements = ROOT / "requirements.txt"
    key = hashlib.sha256(version.encode() + requirements.read_bytes()).hexdigest()[:12]
    folder = Path(sys.prefix) / f"wheels-{key}"
    if not folder.exists():
        draft = folder.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        what = ["--requirement", str(requirements), "--dest", str(draft), "--only-binary", ":all:"]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--python-version", version, *what]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotBoot(f"no wheels to install: {done.stderr.strip()[-500:]}")
        draft.rename(folder)
    return folder


def _copy_checkout(target: Path) -> None:
    kept = ("main.py", "price", "tests", "deploy", "docs", "Makefile", "env.example", "requirements.txt")
    for name in (*kept, "LICENSE", "README.md", "CHANGELOG.md"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
