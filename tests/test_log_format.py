"""What goes to stderr as JSON: the fields of the journal, one object a line, read as the journal is."""

import io
import json
import logging
import subprocess
from pathlib import Path

import pytest

from price import times
from price.events import Event
from price.handlers.console import Console
from price.handlers.fields import fields
from tests.backfill.repairing import Shop
from tests.needs import needs
from tests.scene import Scene


def test_a_line_is_the_entry_of_the_journal_with_its_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = Scene(tmp_path, LOG_FORMAT="json")

    scene.run(until=11)

    found = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    logged = [one.pop("__REALTIME_TIMESTAMP") for one in found]
    assert found == [fields(record) for record in scene.records]
    assert logged == [str(round(record.created * 1_000_000)) for record in scene.records]
    assert all(isinstance(value, str) for one in found for value in one.values())
    assert {"PRICE_VALUE", "PRICE_QUOTES", "PRICE_SLOT"} <= {name for one in found for name in one}


@pytest.mark.parametrize(
    "text", ["two\nlines", "a\0b", "half \udc80 of one", "“quoted”\u2028", '{"MESSAGE": "x"}']
)
def test_whatever_a_message_holds_is_one_line(text: str) -> None:
    stream = io.StringIO()
    record = logging.LogRecord("price", logging.WARNING, "", 1, "%s", (text,), None)

    Console(stream, lambda: "json", "price-follow").emit(record)

    (line,) = stream.getvalue().splitlines()
    assert json.loads(line) == {
        "__REALTIME_TIMESTAMP": str(round(record.created * 1_000_000)),
        **fields(record, "price-follow"),
    }


def test_a_reload_changes_the_form_and_a_refused_one_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = Scene(tmp_path)
    scene.reload_at(6, LOG_FORMAT="json")
    (tmp_path / "other.txt").write_text("no log\n")
    scene.reload_at(11, LOG_FORMAT="text", FILE=str(tmp_path / "other.txt"))

    scene.run(until=16)

    lines = capsys.readouterr().err.splitlines()
    forms = "".join("j" if line.startswith("{") else "t" for line in lines)
    assert scene.said(Event.RELOAD_REFUSED)
    assert forms == "t" * forms.index("j") + "j" * (len(forms) - forms.index("j"))
    assert "refused" in " ".join(json.loads(line)["MESSAGE"] for line in lines if line.startswith("{"))


def in_the_time_of_the_scene(line: str) -> str:
    """A line with the moment after its slot: the records of a scene have the real time."""
    entry = json.loads(line)
    slot = times.parse_iso(entry.get("PRICE_SLOT", "2026-11-20T15:52:00Z"))
    return json.dumps({**entry, "__REALTIME_TIMESTAMP": f"{times.unix(slot)}400000"})


def test_what_a_recorder_wrote_to_stderr_repairs_its_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = Scene(tmp_path, LOG_FORMAT="json")
    scene.run(until=61)
    lines = [in_the_time_of_the_scene(line) for line in capsys.readouterr().err.splitlines()]
    (tmp_path / "stderr").write_text("\n".join(lines))
    whole = scene.text.splitlines()
    shop = Shop(tmp_path / "other")
    shop.write(shop.file, [*whole[:4], *whole[9:]])

    shop.repair(f"journal:{tmp_path / 'stderr'}")

    assert shop.filled() == [f"{row} by=journal" for row in whole[4:9]]


def test_a_recipe_for_the_journal_holds_for_the_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needs("jq", "apt install jq")
    Scene(tmp_path, LOG_FORMAT="json").run(until=11)
    recipe = "select(.PRICE_SLOT) | {slot: .PRICE_SLOT, value: .PRICE_VALUE, said: .PRICE_QUOTES}"

    found = subprocess.run(
        ["jq", "-c", recipe], input=capsys.readouterr().err, capture_output=True, text=True, check=True
    ).stdout

    rows = [json.loads(line) for line in found.splitlines()]
    assert {tuple(row) for row in rows} == {("slot", "value", "said")}
    assert rows[0]["said"] == "kraken=100"
