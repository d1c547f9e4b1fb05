"""The wheel and the sdist, installed by pip and pipx."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from price import __version__
from tests.needs import needs
from tests.packages.building import MOMENT, ROOT, build_dist, run

pytestmark = [pytest.mark.packages, pytest.mark.timeout(600)]

LOG = ROOT / "tests/upgrade/0.2.0/prices.txt"
PAGE = "price/web/static/vendor/uPlot.iife.min.js"


@pytest.fixture(scope="module")
def environment(dist: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment into which pip has put the wheel."""
    place = tmp_path_factory.mktemp("wheel") / "venv"
    run(sys.executable, "-m", "venv", place)
    run(place / "bin/python", "-m", "pip", "install", "--quiet", dist[".whl"])
    return place


def use(command: Path, folder: Path) -> None:
    """What everybody does first with the command, in a folder that is not the checkout's."""
    once = run(command, "once", cwd=folder, environ={"PRICE_SOURCES": "simulated"})
    history = run(command, "history", "--file", LOG, "--last", "2", cwd=folder)

    assert run(command, "--version", cwd=folder) == f"price {__version__}\n"
    assert re.fullmatch(r"\S+Z BTC-USD [\d.]+ simulated\n", once)
    assert history.count(" BTC-USD ") == 2


def test_pip_installs_the_command_with_what_it_needs(environment: Path, tmp_path: Path) -> None:
    use(environment / "bin/price", tmp_path)

    assert (environment / "share/man/man1/price.1").exists()
    assert (environment / "share/price-recorder/env.example").read_text() == (
        ROOT / "env.example"
    ).read_text()
    assert (environment / "share/price-recorder/deploy/price.service").exists()


def test_a_missing_library_is_named_by_its_extra(environment: Path, tmp_path: Path) -> None:
    command = [str(environment / "bin/price"), "web"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={}, check=False)

    assert done.returncode == 1
    assert done.stderr.endswith("-m pip install 'price-recorder[web]'\n")


def test_ctrl_c_ends_the_recorder_in_order(environment: Path, tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "PRICE_SOURCES": "simulated", "PRICE_INTERVAL": "1"}
    command = [str(environment / "bin/price"), "run"]
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "simulated" in line and "started" not in line:
                break
        process.send_signal(2)

        assert process.wait(30) == 0
    assert " simulated\n" in (tmp_path / "logs/prices.txt").read_text()


def test_pipx_installs_it_too(dist: dict[str, Path], tmp_path: Path) -> None:
    needs("pipx", "apt-get install pipx")
    home = {"PIPX_HOME": str(tmp_path / "home"), "PIPX_BIN_DIR": str(tmp_path / "bin"), "USE_EMOJI": "0"}

    run("pipx", "install", str(dist[".whl"]), cwd=tmp_path, environ=home)

    use(tmp_path / "bin/price", tmp_path)


def test_the_wheel_has_the_page_and_the_program_alone(dist: dict[str, Path]) -> None:
    names = zipfile.ZipFile(dist[".whl"]).namelist()

    assert PAGE in names
    assert {name.split("/")[0] for name in names} == {
        "price",
        f"price_recorder-{__version__}.data",
        f"price_recorder-{__version__}.dist-info",
    }


def test_the_wheel_of_the_sdist_is_the_same_and_two_builds_are(dist: dict[str, Path], tmp_path: Path) -> None:
    with tarfile.open(dist[".gz"]) as archive:
        assert not [name for name in archive.getnames() if re.search(r"^[^/]+/(tests|bench|logs)\b", name)]
        archive.extractall(tmp_path, filter="data")
    (tree,) = tmp_path.iterdir()
    build_dist(tmp_path / "again")

    build = ("-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "dist")
    run(sys.executable, *build, cwd=tree, environ=MOMENT)

    (wheel,) = (tmp_path / "dist").iterdir()
    assert wheel.read_bytes() == dist[".whl"].read_bytes()
    again = {path.suffix: path.read_bytes() for path in (tmp_path / "again").iterdir()}
    assert again == {kind: path.read_bytes() for kind, path in dist.items()}
