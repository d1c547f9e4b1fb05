"""Stories of a recorder with rules: what it says when, over restarts and reloads."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from price.events import Event
from price.handlers.fields import fields
from price.recorder.show_status import alerts_on, show_status
from tests.scene import Scene

HIGH = "high: BTC-USD above 100"
SAID = (Event.ALERT_ON, Event.ALERT_OVER)


def at(scene: Scene, moment: float, price: str) -> None:
    """Has the exchange say another price from a moment on."""
    scene.clock.at(moment, lambda: scene.net.kraken.says(price))


def entries(scene: Scene) -> list[dict[str, str]]:
    """The journal's fields of the changes, without those of every entry."""
    alerts = [record for record in scene.records if record.name == "price.alert"]
    return [
        {name[6:]: text for name, text in fields(record).items() if name.startswith("PRICE_")}
        for record in alerts
    ]


def test_a_change_is_one_record_after_the_slots_rows_and_quotes(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ALERTS=f"{HIGH} as error")
    at(scene, 3, "101")
    at(scene, 18, "99")

    scene.run(until=29)

    assert scene.said(*SAID) == [
        "high: BTC-USD 101 is above 100",
        "high over after 15 s: BTC-USD 99, highest 101",
    ]
    names = [record.name for record in scene.records]
    assert names[names.index("price.alert") - 1] == "price.quote"
    known = {"ALERT": "high", "LIMIT": "above 100", "PAIR": "BTC-USD"}
    assert entries(scene) == [
        {**known, "ALERT_STATE": "on", "SLOT": "2026-11-20T15:52:10Z", "VALUE": "101"},
        {
            **known,
            "ALERT_STATE": "over",
            "SLOT": "2026-11-20T15:52:25Z",
            "VALUE": "99",
            "SINCE": "2026-11-20T15:52:10Z",
        },
    ]
    assert [record.levelno for record in scene.records if record.name == "price.alert"] == [logging.ERROR, 25]


def test_without_rules_nothing_is_judged_and_nothing_is_said(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    scene.run(until=9)

    assert scene.said(*SAID) == []


def test_beginning_and_end_are_said_whatever_the_log_level(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = Scene(tmp_path, ALERTS=f"{HIGH} as notice", LOG_LEVEL="CRITICAL")
    at(scene, 3, "101")
    at(scene, 8, "99")

    scene.run(until=19)

    assert [line.partition("Z ")[2] for line in capsys.readouterr().err.splitlines()] == [
        "notice: high: BTC-USD 101 is above 100",
        "notice: high over after 5 s: BTC-USD 99, highest 101",
    ]


def test_status_shows_what_is_on_and_the_last_ten_changes(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ALERTS=f"{HIGH}; low: BTC-USD below 100 until 100.5")
    shown: list[Any] = []
    for turn in range(6):
        at(scene, 3 + 10 * turn, "101")
        at(scene, 8 + 10 * turn, "99")
    scene.clock.at(64, lambda: shown.append(scene.json("status.json")["alerts"]))

    scene.run(until=65)

    (alerts,) = shown
    assert alerts["on"] == [{"name": "low", "pair": "BTC-USD", "since": "2026-11-20T15:53:05Z"}]
    assert [one["number"] for one in alerts["changes"]] == list(range(14, 24))
    assert alerts["changes"][-1]["message"] == "low: BTC-USD 99 is below 100"


def test_a_restart_while_on_says_nothing_and_the_end_names_the_beginning(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ALERTS=HIGH)
    at(scene, 3, "105")
    at(scene, 8, "102")
    scene.run(until=14)
    scene.clock.freeze(600)
    scene.run(until=620)
    scene.net.kraken.says("99")

    scene.run(until=630)

    assert scene.said(*SAID) == [
        "high: BTC-USD 105 is above 100",
        "high over after 10 min 15 s: BTC-USD 99, highest 105",
    ]


def test_what_began_or_ended_while_down_is_said_in_the_first_slot(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ALERTS=HIGH)
    scene.run(until=9)
    scene.clock.freeze(600)
    scene.net.kraken.says("101")
    scene.run(until=619)
    scene.clock.freeze(600)
    scene.net.kraken.says("98")

    scene.run(until=1229)

    assert scene.said(*SAID) == [
        "high: BTC-USD 101 is above 100",
        "high over after 10 min 10 s: BTC-USD 98, highest 101",
    ]


def test_a_running_hold_and_a_window_are_read_from_the_log_after_a_restart(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ALERTS="held: BTC-USD above 100 for 20s; up: BTC-USD rises 5% in 1h")
    at(scene, 3, "104")
    scene.run(until=14)  # 104 from 15:52:10 on
    at(scene, 23, "105")

    scene.run(until=39)

    assert [(one["ALERT"], one["SLOT"][11:19]) for one in entries(scene)] == [
        ("held", "15:52:30"),
        ("up", "15:52:30"),
    ]


def test_without_a_saved_state_what_is_on_is_said(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ALERTS=HIGH)
    scene.net.kraken.says("101")
    scene.run(until=9)
    (tmp_path / "state.json").unlink()

    scene.run(until=19)

    assert scene.said(*SAID) == ["high: BTC-USD 101 is above 100"] * 2


def test_a_state_of_alerts_that_is_damaged_costs_no_prices(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ALERTS=HIGH)
    scene.run(until=4)
    (tmp_path / "state.json").write_text(
        '{"version": 1, "saved": "2026-11-20T15:52:00Z", "sources": {}, "alerts": {"on": [7], "changes": 1}}'
    )

    scene.run(until=14)

    assert len(scene.said(Event.BAD_STATE)) == 1
    assert len(scene.rows) == 3


def test_a_reload_keeps_a_rule_and_ends_one_that_was_changed_or_removed(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ALERTS=f"{HIGH}; a: any above 90; b: any above 80", PAIRS="BTC-USD,ETH-USD")
    scene.net.kraken.says("101")
    scene.reload_at(8, ALERTS=f"{HIGH}; a: any above 95")

    scene.run(until=19)

    assert scene.said(*SAID) == [
        "high: BTC-USD 101 is above 100",
        "a: BTC-USD 101 is above 90",
        "b: BTC-USD 101 is above 80",
        "a: ETH-USD 101 is above 90",
        "b: ETH-USD 101 is above 80",
        "a ended: the rule was changed",
        "b ended: the rule was changed",
        "a: BTC-USD 101 is above 95",
        "a: ETH-USD 101 is above 95",
    ]


def test_a_pair_that_is_taken_out_while_on_has_ended(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ALERTS="a: any above 90", PAIRS="BTC-USD,ETH-USD")
    scene.reload_at(8, PAIRS="BTC-USD")

    scene.run(until=19)

    assert scene.said(*SAID)[2:] == ["a ended: ETH-USD is not recorded any more"]


def test_a_rule_changed_while_down_has_ended(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ALERTS=HIGH)
    scene.net.kraken.says("101")
    scene.run(until=9)
    scene.set(ALERTS="high: BTC-USD above 200")

    scene.run(until=19)

    assert scene.said(*SAID)[1:] == ["high ended: the rule was changed"]


def test_a_bad_rule_refuses_the_reload_and_the_old_rules_stay(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ALERTS=HIGH)
    scene.reload_at(3, ALERTS="BTC-EUR above 5; any above x")
    at(scene, 8, "101")

    scene.run(until=19)

    (refused,) = scene.said(Event.RELOAD_REFUSED)
    assert "BTC-EUR is not in PRICE_PAIRS" in refused
    assert "x is no price" in refused
    assert scene.said(*SAID) == ["high: BTC-USD 101 is above 100"]


def test_nothing_changes_while_the_clock_stands_before_the_last_row(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ALERTS=f"{HIGH}; gone: any missing 10s")
    scene.clock.at(8, lambda: scene.clock.step(-60))
    at(scene, 9, "101")
    at(scene, 60, "100")

    scene.run(until=80)

    assert scene.said(*SAID) == []


def test_alerts_ring_while_the_disk_refuses_rows(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ALERTS=HIGH)

    def fill_up() -> None:
        (tmp_path / "away").mkdir()
        scene.file.rename(tmp_path / "away" / "prices.txt")
        scene.file.mkdir()  # no file can be opened there

    scene.clock.at(3, fill_up)
    at(scene, 8, "101")

    scene.run(until=19)

    assert scene.said(Event.ROWS_HELD)
    assert scene.said(*SAID) == ["high: BTC-USD 101 is above 100"]


def test_midnight_is_a_slot_like_any_other(tmp_path: Path) -> None:
    scene = Scene(tmp_path, datetime(2026, 10, 24, 23, 59, 51, tzinfo=UTC), ALERTS=HIGH)
    at(scene, 3, "101")
    at(scene, 13, "99")

    scene.run(until=19)

    assert scene.said(*SAID)[1] == "high over after 10 s: BTC-USD 99, highest 101"


def test_status_and_check_say_which_rules_are_on(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ALERTS=f"{HIGH}; low: BTC-USD below 50")
    at(scene, 3, "101")
    shown: list[str] = []
    status = tmp_path / "status.json"
    scene.clock.at(13, lambda: shown.extend([*_status(status, scene), repr(alerts_on(status))]))

    scene.run(until=14)

    text = "\n".join(shown)
    assert "high                                     BTC-USD      for 7 s" in text
    assert "2026-11-20T15:52:10Z high: BTC-USD 101 is above 100" in text
    assert shown[-1] == "{'high': ['BTC-USD since 2026-11-20T15:52:10Z']}"
    assert alerts_on(status) is None


def _status(path: Path, scene: Scene) -> list[str]:
    lines: list[str] = []
    show_status(path, False, scene.clock.now, lines.append)
    return lines
