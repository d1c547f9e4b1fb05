"""`make install` broken off at each of its steps, doubled, and run in odd surroundings.

It installs into a folder (DESTDIR=), a small program whose files all say which version they are of.
"""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import needs
from tests.faults.place import ROOT

DEPLOY = ROOT / "deploy"
PROGRAM = ("main.py", "docs/running.md", "deploy/price.catalog")
PACKAGE, PLACE = "price/__init__.py", "venv/lib/python3/site-packages"
PLACED = {
    "usr/local/bin/price": "price.command",
    "usr/local/lib/systemd/system/price.service": "price.service",
    "usr/local/lib/systemd/system/price.timer": "price.timer",
    "usr/local/lib/systemd/catalog/price.catalog": "price.catalog",
    "usr/local/share/man/man1/price.1": "price.1",
    "usr/local/lib/sysusers.d/price.conf": "price.sysusers",
    "etc/logrotate.d/price": "price.logrotate",
}
MAKES_PROCESSES = "clone,?fork,?vfork,clone3"
MANY = 300
"""More steps than there are."""


@pytest.fixture
def checkout(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a checkout of a version, with scripts for its environment that take no time."""
    needs()

    def make(version: str) -> Path:
        folder = tmp_path / f"checkout-{version}"
        requirements = (path.name for path in DEPLOY.parent.glob("requirements*.txt"))
        others = (*requirements, "env.example", "LICENSE", "README.md", "CHANGELOG.md")
        for name in (*PROGRAM, PACKAGE, *others, *(f"deploy/{name}" for name in PLACED.values())):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"# {version}\n")
        shutil.copy(DEPLOY / "install.sh", folder / "deploy")
        scripts = {
            "make-venv.sh": 'mkdir -p "$1/bin"; ln -s /usr/bin/python3 "$1/bin/python"; : >"$1/pyvenv.cfg"\n'
            'while [ -e "${HOLD:-/nowhere}" ]; do sleep 0.05; done\n',
            "pip.sh": f'mkdir -p "$1/../{PLACE}/price"\ncp {PACKAGE} "$1/../{PLACE}/price"\n',
        }
        for name, text in scripts.items():
            (folder / "deploy" / name).write_text(f"#!/bin/sh\n{text}")
            (folder / "deploy" / name).chmod(0o755)
        return folder

    return make


def command(checkout: Path, root: Path, *before: str, **settings: str) -> "subprocess.Popen[str]":
    """Starts an install into a folder."""
    environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DESTDIR": str(root), **settings}
    return subprocess.Popen(
        [*before, "sh", "deploy/install.sh"],
        cwd=checkout,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def install(checkout: Path, root: Path, *before: str, **settings: str) -> tuple[int, str]:
    """An install to its end: its status, and what it said."""
    with command(checkout, root, *before, **settings) as process:
        said = process.communicate(timeout=60)[0]
    return process.returncode, said


def version(path: Path) -> str:
    """Which version a file is of, or that it is not there."""
    return path.read_text().removeprefix("# ").strip() if path.exists() else "nothing"


def installed(root: Path) -> str:
    """Which version is installed, as a whole; the files around it may still be the old ones, never half."""
    (program,) = {version(root / "opt/price" / name) for name in (*PROGRAM, f"{PLACE}/{PACKAGE}")}
    placed = {version(root / name) for name in PLACED if name != "etc/logrotate.d/price"}
    assert placed <= {"old", "new", "nothing"}
    if program == "old":
        assert version(root / "usr/local/lib/systemd/system/price.service") == "old"
    return program


def test_killed_at_any_step_the_old_program_or_the_new_one_is_there_and_a_second_run_completes_it(
    checkout: Callable[[str], Path], tmp_path: Path
) -> None:
    needs("strace")
    old, new = checkout("old"), checkout("new")
    install(old, tmp_path / "before")
    seen = []
    for step in range(1, MANY):
        root = tmp_path / "root"
        shutil.copytree(tmp_path / "before", root, symlinks=True)
        at_a_step = f"inject={MAKES_PROCESSES}:signal=KILL:when={step}"
        status, _ = install(
            new, root, "strace", "-qq", "-o", "/dev/null", "-e", f"trace={MAKES_PROCESSES}", "-e", at_a_step
        )
        if status == 0:
            break
        seen.append(installed(root))

        again, said = install(new, root)

        assert (again, installed(root)) == (0, "new"), said
        assert sorted(path.name for path in (root / "opt").iterdir()) == ["price"]
        assert not list(root.rglob("*~"))
        shutil.rmtree(root)

    assert len(seen) > 30
    assert seen == sorted(seen, reverse=True)
    assert set(seen) == {"old", "new"}


def test_of_two_at_once_the_second_gives_up_with_a_line_and_the_first_completes(
    checkout: Callable[[str], Path], tmp_path: Path
) -> None:
    root, hold = tmp_path / "root", tmp_path / "hold"
    hold.touch()

    with command(checkout("old"), root, HOLD=str(hold)) as first:
        while not (root / "opt/.price.new/venv/pyvenv.cfg").exists():
            assert first.poll() is None
        status, said = install(checkout("new"), root)
        hold.unlink()
        assert first.wait(60) == 0

    assert status == 1
    assert said == "price: another install or uninstall is at work; run this again once it has ended\n"
    assert installed(root) == "old"


def test_a_program_from_before_this_rename_is_replaced_where_it_stands(
    checkout: Callable[[str], Path], tmp_path: Path
) -> None:
    root = tmp_path / "root"
    install(checkout("old"), root)
    elsewhere = tmp_path / "elsewhere"
    (root / "opt/price").rename(elsewhere)
    (root / "opt/price").symlink_to(elsewhere)

    status, said = install(checkout("new"), root)

    assert (status, installed(root)) == (0, "new"), said
    assert (elsewhere / "main.py").exists()


def test_neither_cdpath_nor_a_tight_umask_misleads_it(
    checkout: Callable[[str], Path], tmp_path: Path
) -> None:
    root, trap = tmp_path / "root", tmp_path / "trap"
    (trap / "deploy").mkdir(parents=True)
    tight = ("sh", "-c", 'umask 077; exec "$@"', "sh")

    status, said = install(checkout("new"), root, *tight, CDPATH=str(trap), PYTHONHOME="/nowhere")

    assert (status, installed(root)) == (0, "new"), said
    closed = [
        path for path in root.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o044 != 0o044
    ]
    assert [path.name for path in closed] == ["price.env"]
