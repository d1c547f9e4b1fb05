"""The packages, built once for all workers of a run."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packages import building


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> Callable[..., dict[str, Path]]:
    """Calls a builder with a folder, unless another worker has done so."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base

    def build(builder: Callable[[Path], dict[str, Path]]) -> dict[str, Path]:
        folder = base / f"{builder.__name__}-{testrun_uid}"
        with (base / f"{builder.__name__}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = folder / "kept"
            if not kept.exists():
                folder.mkdir(exist_ok=True)
                builder(kept)
        return {
            path.stem.rpartition("_")[2] if path.suffix == ".deb" else path.suffix: path
            for path in kept.iterdir()
        }

    return build


@pytest.fixture(scope="session")
def dist(once: Callable[..., dict[str, Path]]) -> dict[str, Path]:
    """The wheel and the sdist."""
    return once(building.build_dist)


@pytest.fixture(scope="session")
def debs(once: Callable[..., dict[str, Path]]) -> dict[str, Path]:
    """The Debian packages."""
    return once(building.build_debs)
