"""A machine with `price` installed by `make install`, from wheels that are kept in the environment."""

import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.system.machine import CannotBoot, Machine
from tests.system.service import CHECKOUT

ROOT = Path(__file__).parents[2]
_PYTHON = "/usr/bin/python3"
_WHEELS = "/usr/local/src/wheels"


def installed_machine() -> Machine:
    """A machine after its first `make install`, to be closed. Raises CannotBoot."""
    with ExitStack() as undo:
        machine = Machine()
        undo.callback(machine.close)
        bring(machine)
        done = install(machine)
        assert done.returncode == 0, done.stdout + done.stderr
        undo.pop_all()
        return machine


def install(machine: Machine, *settings: str) -> "subprocess.CompletedProcess[str]":
    """Runs `make install` with more settings on a machine that holds a checkout and wheels."""
    pip = ("PIP_NO_INDEX=1", f"PIP_FIND_LINKS={_WHEELS}")
    return machine.attempt("make", "--silent", "install", *pip, *settings, cwd=CHECKOUT, seconds=170)


def add(machine: Machine, extra: str) -> None:
    """Installs what one command needs into the environment on a machine. Raises CannotBoot."""
    wheels, name = f"/usr/local/src/wheels-{extra}", f"requirements-{extra}.txt"
    shutil.copytree(download(ROOT / name), machine.path(wheels))
    pip = (
        "/opt/price/venv/bin/python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--find-links",
        wheels,
    )
    machine.run(*pip, "-r", f"/opt/price/{name}", seconds=120)


def download(*requirements: Path) -> Path:
    """A folder with the wheels of requirements files for the Python of a machine. Raises CannotBoot."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise CannotBoot("only root on Linux can boot a machine")
    script = "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"
    asked = subprocess.run([_PYTHON, "-c", script], capture_output=True, text=True, check=False)
    version = asked.stdout.strip()
    if asked.returncode or tuple(map(int, version.split("."))) < (3, 11):
        raise CannotBoot(f"{_PYTHON} is not Python 3.11 or newer with venv (Debian: python3-venv)")
    key = hashlib.sha256(version.encode() + b"".join(path.read_bytes() for path in requirements)).hexdigest()[
        :12
    ]
    folder = Path(sys.prefix) / f"wheels-{key}"
    if not folder.exists():
        draft = folder.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        named = [word for path in requirements for word in ("--requirement", str(path))]
        what = [*named, "--dest", str(draft), "--only-binary", ":all:"]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--python-version", version, *what]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotBoot(f"no wheels to install: {done.stderr.strip()[-500:]}")
        draft.rename(folder)
    return folder


def bring(machine: Machine) -> None:
    """Copies a checkout and wheels for `make install` to a machine. Raises CannotBoot."""
    wheels = download(ROOT / "requirements.txt", ROOT / "requirements-build.txt")
    shutil.copytree(wheels, machine.path(_WHEELS))
    target = machine.path(CHECKOUT)
    kept = ("main.py", "price", "tests", "bench", "deploy", "docs", "Makefile", "env.example")
    requirements = (path.name for path in ROOT.glob("requirements*.txt"))
    for name in (*kept, *requirements, "LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
