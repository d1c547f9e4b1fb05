"""What a test needs of its machine, and small file systems that can be broken."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.faults.place import Place
from tests.needs import give_up, has

_FAULTS = Path(__file__).parent


def needs(*tools: str) -> None:
    """Skips a test where a tool is missing (`root` is one, `loop` mounts files); in CI that is a failure."""
    missing = [tool for tool in tools if not _has(tool)]
    if sys.platform != "linux":
        missing = ["Linux"]
    if missing:
        give_up(f"needs {', '.join(missing)} (.ci/run installs what these tests need)")


def attempt(*command: str | Path) -> str:
    """What a tool says that a machine may forbid even to root, as containers do."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        give_up(f"{command[0]}: {done.stderr.strip()}")
    return done.stdout


def _has(tool: str) -> bool:
    if tool == "root":
        return os.geteuid() == 0
    if tool == "loop":
        return Path("/dev/loop-control").exists()
    return has(tool)


def injecting(path: Path, *rules: str) -> list[str]:
    """What stands before a command so that calls on a path go wrong, as in `fdatasync:error=EIO:when=3`."""
    needs("strace")
    traced = ",".join(dict.fromkeys(rule.partition(":")[0] for rule in rules))
    injected = [word for rule in rules for word in ("-e", f"inject={rule}")]
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-P", str(path), "-e", f"trace={traced}", *injected]


PlaceIn = Callable[..., Place]


@pytest.fixture
def place_in(tmp_path: Path) -> Iterator[PlaceIn]:
    """Makes places: `place_in(folder, PAIRS="BTC-USD")`. What still runs there in the end is stopped."""
    needs()
    places: list[Place] = []

    def make(folder: Path, **settings: str) -> Place:
        places.append(Place(folder, tmp_path, **settings))
        return places[-1]

    yield make
    for place in places:
        place.clear()


@pytest.fixture
def place(place_in: PlaceIn, tmp_path: Path) -> Place:
    """A folder for a recorder."""
    return place_in(tmp_path / "log")


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mounts a file system for the test: `mounted("-t", "tmpfs", "-o", "size=64k", "none")` gives where."""
    needs("root", "mount")
    points: list[Path] = []

    def mount(*words: str) -> Path:
        point = tmp_path / f"mount{len(points)}"
        point.mkdir()
        attempt("mount", *words, point)
        points.append(point)
        return point

    yield mount
    for point in points:
        subprocess.run(["umount", "--lazy", point], check=True)


@pytest.fixture
def on_disk() -> Iterator[Path]:
    """A folder on a disk: tmpfs lets a file be written that was open before it became immutable."""
    with TemporaryDirectory(dir="/var/tmp") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def tear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that tears a write."""
    return _built("tear", tmp_path_factory)


@pytest.fixture(scope="session")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that cuts the power of a file system in the place of a sync."""
    return _built("cut", tmp_path_factory)


@pytest.fixture(scope="session")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that has the wall clock say what a test wants."""
    return _built("clock", tmp_path_factory)


def _built(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library to preload, built from its source in this folder."""
    needs("gcc")
    library = tmp_path_factory.mktemp(name) / f"{name}.so"
    source = _FAULTS / f"{name}.c"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library
