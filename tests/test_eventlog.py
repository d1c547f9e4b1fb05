"""Entries of the Windows Event Log, with a stand-in for what writes them; tests/windows has that."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from price.errors import Unavailable
from price.events import NOTICE, ROOT, Details, Event
from price.handlers.eventlog import ERROR, INFORMATION, OTHER, WARNING, EventLog
from tests.scene import Scene

RECORD = Path(__file__).parents[1] / "docs" / "record.md"


class Written:
    """Keeps entries; refuses them while `fault` is set."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, int, int, list[str]]] = []
        self.fault: OSError | None = None

    def __call__(self, kind: int, category: int, number: int, texts: Sequence[str]) -> None:
        if self.fault:
            raise self.fault
        self.entries.append((kind, category, number, list(texts)))


def record(event: Event, level: int, text: str) -> logging.LogRecord:
    details = {"details": Details(event)}
    return ROOT.makeRecord("price", level, __file__, 1, "%s", (text,), None, extra=details)


def test_docs_list_each_kind_of_event_with_its_two_numbers() -> None:
    rows = re.findall(r"^\| [^|]+ \| `([0-9a-f]{32})` \| (\d+) \|$", RECORD.read_text(), re.MULTILINE)

    assert {identity: int(number) for identity, number in rows} == {
        event.value: event.number for event in Event
    }


def test_numbers_are_different_and_have_a_message_in_windows() -> None:
    numbers = [event.number for event in Event]

    assert len(set(numbers)) == len(numbers)
    assert [number for number in (*numbers, OTHER) if not 1 <= number <= 1000] == []


@pytest.mark.parametrize(
    ("level", "kind"),
    [
        (logging.CRITICAL, ERROR),
        (logging.ERROR, ERROR),
        (logging.WARNING, WARNING),
        (NOTICE, INFORMATION),
        (logging.INFO, INFORMATION),
        (logging.DEBUG, INFORMATION),
    ],
)
def test_the_type_of_an_entry_comes_from_the_level(level: int, kind: int) -> None:
    written = Written()

    EventLog(written, rows=False).emit(record(Event.ROWS_HELD, level, "the disk is full"))

    assert [(entry[0], entry[2], entry[3][0]) for entry in written.entries] == [
        (kind, 40, "the disk is full")
    ]


def test_a_percent_sign_before_a_digit_is_no_place_for_another_text() -> None:
    written = Written()

    EventLog(written, rows=False).note(Event.ALERT_ON, logging.WARNING, "moves 5% in %1h, 100%")

    assert written.entries[0][3] == ["moves 5% in % 1h, 100%"]


@pytest.mark.parametrize(("rows", "numbers"), [(False, [2, 10, 11, 30, 42]), (True, [1, 2, 10, 11, 30, 42])])
def test_misses_and_changes_are_entries_and_rows_on_request(
    tmp_path: Path, rows: bool, numbers: list[int]
) -> None:
    scene, written = Scene(tmp_path), Written()
    scene.clock.at(7, lambda: scene.net.kraken.fails(Unavailable("down for an hour")))

    scene.run(12, EventLog(written, rows=rows))

    assert sorted({number for _, _, number, _ in written.entries}) == sorted(numbers)


def test_entries_that_windows_refuses_are_counted_and_told_once_it_takes_them() -> None:
    written = Written()
    log = EventLog(written, rows=False)
    written.fault = OSError(1502, "the event log file is full")

    for _ in range(3):
        with pytest.raises(OSError, match="full"):
            log.emit(record(Event.ROWS_HELD, logging.ERROR, "held"))
    written.fault = None
    ROOT.addHandler(log)
    log.emit(record(Event.ROWS_WRITTEN, NOTICE, "written"))
    ROOT.removeHandler(log)

    assert [texts[0] for *_, texts in written.entries] == [
        "written",
        "3 entries dropped: the Event Log refused them",
    ]
    assert log.dropped == 3
