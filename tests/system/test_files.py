"""What is shipped for systemd, without a machine."""

import re
from itertools import pairwise
from pathlib import Path

from price.events import Event

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_the_catalog_explains_every_kind_of_event_once() -> None:
    text = (DEPLOY / "price.catalog").read_text()

    ids = re.findall(r"^-- (.*)$", text, re.MULTILINE)

    assert sorted(ids) == sorted(event.value for event in Event)


def test_every_line_of_hardening_says_why_it_is_there() -> None:
    text = (DEPLOY / "price.service").read_text()
    hardening = text.partition("# --- Hardening")[2].partition("[Install]")[0].splitlines()[1:]

    silent = [
        line
        for before, line in pairwise(hardening)
        if re.match(r"\w+=", line) and not before.startswith("# ")
    ]

    assert len(hardening) > 60
    assert silent == []


def test_the_unit_waits_for_no_network() -> None:
    unit = (DEPLOY / "price.service").read_text()

    assert re.findall(r"^(?:After=(\S+).*|Wants=.*|Requires=.*)$", unit, re.MULTILINE) == ["network.target"]


def test_the_repair_is_confined_as_the_recorder_is() -> None:
    def hardening(unit: str) -> list[str]:
        text = (DEPLOY / unit).read_text().partition("# --- Hardening")[2].partition("[Install]")[0]
        return [line for line in text.splitlines()[1:] if line and not line.startswith("#")]

    assert hardening("price-repair.service") == hardening("price.service")
