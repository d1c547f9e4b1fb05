"""What `pip install .` is asked for, compared with what the requirements files pin."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from price.optional import DEBIAN_PACKAGES, DEBIAN_PROGRAM, missing

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def requirements(lines: list[str]) -> dict[str, Requirement]:
    """Requirements by name; comments and lines that name other files are left out."""
    wanted = [Requirement(line) for line in lines if line.strip() and not line.startswith(("#", "-"))]
    return {one.name: one for one in wanted}


def pinned(file: str) -> dict[str, Requirement]:
    """What a requirements file pins, by name."""
    return requirements((ROOT / file).read_text().splitlines())


def out_of_range(ranges: dict[str, Requirement], pins: dict[str, Requirement]) -> list[str]:
    """The pins that lie in no range of the package; a pin is one exact version."""
    versions = {name: str(pin.specifier).removeprefix("==") for name, pin in pins.items()}
    return [name for name, version in versions.items() if version not in ranges[name].specifier]


@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_the_package_asks_for_what_its_requirements_file_pins(extra: str) -> None:
    ranges = requirements(EXTRAS[extra] if extra else PROJECT["dependencies"])
    pins = pinned(f"requirements{'-' * bool(extra)}{extra}.txt")

    assert set(ranges) == set(pins)
    assert [name for name in pins if pins[name].extras != ranges[name].extras] == []
    assert out_of_range(ranges, pins) == []


def test_a_pin_outside_of_its_range_is_seen() -> None:
    ranges = {"a": Requirement("a>=1,<2"), "b": Requirement("b>=1,<2")}

    assert out_of_range(ranges, {"a": Requirement("a==2.0"), "b": Requirement("b==1.9")}) == ["a"]


def test_each_command_with_a_library_of_its_own_has_an_extra() -> None:
    files = {path.stem.partition("-")[2] for path in ROOT.glob("requirements-*.txt")}

    assert files - set(EXTRAS) == {"bench", "browser", "build", "completion", "dev", "fuzz"}
    assert set(EXTRAS) - files == set()
    assert set(EXTRAS) - set(DEBIAN_PACKAGES) == {"windows"}


def test_a_range_never_ends_at_what_is_pinned_today() -> None:
    ranges = [Requirement(line).specifier for lines in EXTRAS.values() for line in lines]

    assert [one for one in ranges if SpecifierSet("") == one or "==" in str(one)] == []


@pytest.mark.parametrize(
    ("program", "line"),
    [
        (ROOT, f"python -m pip install -r {ROOT}/requirements-web.txt"),
        (Path("/nowhere"), "python -m pip install 'price-recorder[web]'"),
        (DEBIAN_PROGRAM, "sudo apt install python3-waitress"),
    ],
)
def test_a_missing_library_is_named_as_it_is_installed_there(program: Path, line: str) -> None:
    nothing = Path("/nowhere/venv")

    said = missing("web", "waitress", "python", writable=True, program=program, environment=nothing)

    assert said == f"web needs waitress, which is missing; type: {line}"
