"""What `pip install .` is told, beside what the service is pinned to."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


def requirements(lines: list[str]) -> dict[str, Requirement]:
    """Requirements by name; comments and lines that name other files are left out."""
    wanted = [Requirement(line) for line in lines if line.strip() and not line.startswith(("#", "-"))]
    return {one.name: one for one in wanted}


def test_what_the_service_is_pinned_to_lies_in_the_ranges_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ranges = requirements(project["dependencies"])
    pins = requirements((ROOT / "requirements.txt").read_text().splitlines())

    pinned = {name: next(iter(pin.specifier)).version for name, pin in pins.items()}

    assert set(ranges) == set(pins)
    assert [name for name, version in pinned.items() if version not in ranges[name].specifier] == []
