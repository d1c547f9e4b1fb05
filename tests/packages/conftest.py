"""The packages, built once for all workers of a run."""

from pathlib import Path

import pytest

from tests.once import made_once
from tests.packages import building


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel and the sdist, by the end of their names."""
    return {path.suffix: path for path in made_once(tmp_path_factory, "dist", building.build_dist).iterdir()}


@pytest.fixture(scope="session")
def debs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The Debian packages, by their architecture."""
    made = made_once(tmp_path_factory, "debs", building.build_debs)
    return {path.stem.rpartition("_")[2]: path for path in made.iterdir()}
