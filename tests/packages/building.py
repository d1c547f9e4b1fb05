"""Builds the packages of this checkout, and Debian packages that differ from it in their version alone."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.needs import give_up, needs

ROOT = Path(__file__).parents[2]
PROGRAM = "usr/lib/price/price"
MOMENT = {"SOURCE_DATE_EPOCH": "1795824000"}
"""The time that a build takes for now: 2026-11-28."""
DEB_TOOLS = (
    "apt-get install --no-install-recommends binutils-aarch64-linux-gnu debhelper dpkg-dev lintian unzip"
)


def run(*command: str | Path, cwd: Path = ROOT, environ: Mapping[str, str] | None = None) -> str:
    """What a program prints; AssertionError with all it printed where it fails."""
    usual = {name: os.environ[name] for name in os.environ if not name.startswith(("PRICE_", "PYTHON"))}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**usual, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def build_dist(folder: Path) -> None:
    """Builds the wheel and the sdist."""
    needs("hatchling", ".venv/bin/python -m pip install -r requirements-build.txt")
    needs_page()
    run(sys.executable, "-m", "hatchling", "build", "-d", folder, environ=MOMENT)


def build_debs(folder: Path) -> None:
    """Builds the Debian packages."""
    for tool in ("dh", "lintian", "unzip", "aarch64-linux-gnu-strip"):
        needs(tool, DEB_TOOLS)
    needs_page()
    script = ROOT / "deploy/build-deb.sh"
    run(script, sys.executable, folder, environ={**MOMENT, "DEB_WHEELS": sys.prefix})


def needs_page() -> None:
    """Skips a test where the chart of the page has not been brought."""
    if not (ROOT / "price/web/static/vendor").exists():
        give_up("needs the chart of the page: make web")


def with_version(package: Path, version: str, folder: Path) -> Path:
    """A package that is another one but for its version."""
    tree = folder / version
    run("dpkg-deb", "-R", package, tree)
    for path, name in (
        (tree / "DEBIAN/control", "Version: "),
        (tree / PROGRAM / "__init__.py", '__version__ = "'),
    ):
        text = path.read_text()
        start = text.index(name) + len(name)
        old = text[start:].partition('"' if name.endswith('"') else "\n")[0]
        path.write_text(text[:start] + version + text[start + len(old) :])
    made = folder / f"price_{version}_amd64.deb"
    run("dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", tree, made)
    return made
