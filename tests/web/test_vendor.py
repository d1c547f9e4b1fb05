"""What the chart is drawn with: exactly what the lock file names, and nothing of it committed."""

import hashlib
import json
from pathlib import Path

from tests.needs import give_up

ROOT = Path(__file__).parents[2]
VENDOR = ROOT / "price/web/static/vendor"
SUMS = {
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}


def test_the_files_are_those_that_were_chosen() -> None:
    if not VENDOR.exists():
        give_up("needs what the chart is drawn with: make web")

    found = {name: hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() for name in SUMS}

    assert found == SUMS
    assert "MIT" in (VENDOR / "LICENSE.txt").read_text()


def test_the_lock_file_names_one_package_with_its_sum_and_no_place() -> None:
    packages = json.loads((ROOT / "price/web/package-lock.json").read_text())["packages"]

    assert {name: one["version"] for name, one in packages.items() if name} == {
        "node_modules/uplot": "1.6.32"
    }
    assert packages["node_modules/uplot"]["integrity"].startswith("sha512-KIMVnG68zvu5")
    assert "resolved" not in packages["node_modules/uplot"]


def test_nothing_of_it_is_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()

    assert "price/web/static/vendor/" in ignored
