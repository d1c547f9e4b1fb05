"""What the Containerfile says of the program is true. Whether an image can be built: docs/containers.md."""

import json
import re
from pathlib import Path

import pytest

from price.cli import parser
from price.settings import NAMES, load

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "deploy" / "Containerfile").read_text().replace("\\\n", " ")
STEPS = dict(re.findall(r"^([A-Z]+) +(.*)$", TEXT, re.MULTILINE))


def words(step: str) -> list[str]:
    """The command of a step."""
    found: list[str] = json.loads(re.sub(r"^.*CMD ", "", STEPS[step]))
    return found


@pytest.mark.parametrize(
    "command", [words("ENTRYPOINT") + words("CMD"), words("HEALTHCHECK"), [*words("ENTRYPOINT"), "supervise"]]
)
def test_each_of_its_commands_is_one_of_price(command: list[str]) -> None:
    assert command[0] == "price"
    assert callable(parser(command[1:]).parse_args(command[1:]).run)


def test_its_settings_put_log_and_state_into_the_volume() -> None:
    named = dict(re.findall(r"(PRICE_\w+)=(\S+)", STEPS["ENV"]))

    found = load(named)

    assert set(named) <= set(NAMES)
    assert {str(found.file.parent), str(found.state.parent)} == {STEPS["VOLUME"]}
    assert str(found.status.parent) in STEPS["RUN"]


def test_what_it_copies_and_pins_with_is_there() -> None:
    files = set(re.findall(r"requirements[\w-]*\.txt", TEXT))

    assert files == {"requirements.txt", "requirements-supervise.txt"}
    assert all((ROOT / file).exists() for file in files)
    assert all(f"-c /tmp/price/{file}" in STEPS["RUN"] for file in files)


def test_it_runs_as_nobody_and_ends_in_order() -> None:
    assert STEPS["USER"] == "65534:65534"
    assert STEPS["STOPSIGNAL"] == "SIGTERM"
    assert "PYTHONUNBUFFERED=1" in STEPS["ENV"]
