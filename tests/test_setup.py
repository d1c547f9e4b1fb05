"""The environment that `make run` makes is filled, whatever is set where it is typed."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[1] / "deploy"
NAMES = ("dotenv", "requests")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Empty packages of the names that the program looks for, and what they need."""
    folder = tmp_path_factory.mktemp("wheels")
    for name, needed in (("dotenv", ""), ("requests", "Requires-Dist: urllib\n"), ("urllib", "")):
        about = f"{name}-1.dist-info"
        with zipfile.ZipFile(folder / f"{name}-1-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}_.py" if name == "urllib" else f"{name}.py", "")
            wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n{needed}")
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{about}/RECORD", "")
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment as the program's own script makes it."""
    place = tmp_path_factory.mktemp("environment") / "venv"
    environ = {"PATH": os.environ["PATH"], "PYTHON": sys.executable, "PYTHONHOME": "/nowhere"}
    subprocess.run([DEPLOY / "make-venv.sh", place], env=environ, check=True)
    return place


@pytest.fixture
def packages(environment: Path) -> Iterator[Path]:
    """Where packages go in it; they are gone after the test."""
    (folder,) = environment.glob("lib/python3*/site-packages")
    before = set(folder.iterdir())
    yield folder
    for path in set(folder.iterdir()) - before:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def fill(environment: Path, wheels: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Runs the script that fills it."""
    given = {"PATH": os.environ["PATH"], "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), **settings}
    return subprocess.run(
        [DEPLOY / "pip.sh", environment, *NAMES],
        env=given,
        cwd=wheels,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "told",
    [
        {"PIP_USER": "1", "PIP_ROOT": "away", "PIP_NO_DEPS": "1", "PIP_REQUIRE_VIRTUALENV": "1"},
        {"PIP_TARGET": "away", "PIP_PREFIX": "away", "PIP_DRY_RUN": "1"},
    ],
)
def test_what_pip_is_told_about_other_places_does_not_count(
    environment: Path, packages: Path, wheels: Path, told: dict[str, str]
) -> None:
    done = fill(environment, wheels, **told)

    assert done.returncode == 0, done.stderr
    assert {"dotenv.py", "requests.py", "urllib_.py"} <= {path.name for path in packages.iterdir()}
    assert not (wheels / "away").exists()


def test_nor_what_stands_in_its_settings_file(environment: Path, packages: Path, wheels: Path) -> None:
    (wheels / "pip.conf").write_text(
        "[install]\nuser = true\n[global]\nroot = away\ntarget = away\nprefix = away\n"
    )

    done = fill(environment, wheels, PIP_CONFIG_FILE=str(wheels / "pip.conf"), PYTHONHOME="/nowhere")

    assert done.returncode == 0, done.stderr
    assert (packages / "requests.py").exists()
    assert not (wheels / "away").exists()


def test_a_pip_that_installs_nothing_is_named_instead_of_make_run(
    environment: Path, packages: Path, wheels: Path
) -> None:
    (wheels / "pip.conf").write_text("[install]\ndry-run = true\n")

    done = fill(environment, wheels, PIP_CONFIG_FILE=str(wheels / "pip.conf"))

    assert done.returncode == 1
    assert f"pip succeeded, but put nothing into {environment}" in done.stderr
    assert "pip config list" in done.stderr
