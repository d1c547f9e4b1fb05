"""Stories of a clock that cannot be believed, and of the witnesses that say so."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from price import RELEASED
from price.clock_witness import ClockWitness
from price.errors import Unreachable
from price.events import Event
from tests.fakes import START
from tests.scene import Scene

ALL = "coinbase,kraken,bitstamp"
YEAR = 365 * 86400
DAY = 86400


def witnessed(folder: Path, now: datetime = START, *names: str, **settings: str) -> Scene:
    """A scene in which all servers' clocks, or those named, are right: they showed START when it began."""
    scene = Scene(folder, now, SOURCES=ALL, **settings)
    for name in names or ALL.split(","):
        getattr(scene.net, name).dates(START)
    return scene


def about_the_clock(scene: Scene) -> list[str]:
    return scene.said(Event.CLOCK_WRONG, Event.CLOCK_BEHIND)


@pytest.mark.parametrize("year", [1970, 2000, 2025])
@pytest.mark.parametrize("dated", [True, False])
def test_no_row_is_written_before_the_release_of_the_program(tmp_path: Path, year: int, dated: bool) -> None:
    now = datetime(year, 1, 1, tzinfo=UTC)
    scene = witnessed(tmp_path, now) if dated else Scene(tmp_path, now, SOURCES=ALL)
    scene.clock.at(100, lambda: scene.clock.step((START - now).total_seconds()))

    scene.run(until=112)

    assert scene.rows == [
        f"15:53:{second} BTC-USD 100 coinbase,kraken,bitstamp" for second in ("45", "50", "55")
    ]
    first, last = about_the_clock(scene)
    assert first == (
        f"the clock says {year}-01-01T00:00:00Z, before the release of this program, 2026-10-01T00:00:00Z:"
        " no row until it is set; check what sets the machine's clock"
    )
    assert last == "the clock says 2026-11-20T15:53:44Z: rows go on"
    assert not scene.net.kraken.slots[0].startswith("00:00")


@pytest.mark.parametrize("ahead", [61, -61, 7200, -7200, DAY - 60, 60 - DAY])
def test_a_clock_that_is_minutes_or_hours_off_is_reported_once_and_rows_go_on(
    tmp_path: Path, ahead: int
) -> None:
    scene = witnessed(tmp_path, START + timedelta(seconds=ahead))

    scene.run(until=32)

    assert len(scene.rows) == 7
    (text,) = about_the_clock(scene)
    assert ("ahead of" if ahead > 0 else "behind") + " the servers of most sources: rows are in wrong" in text


def test_a_clock_that_is_seconds_off_or_has_the_minority_against_it_is_not_reported(tmp_path: Path) -> None:
    scene = witnessed(tmp_path, START + timedelta(seconds=50))
    scene.net.kraken.dates(START - timedelta(days=400))

    scene.run(until=32)

    assert len(scene.rows) == 7
    assert about_the_clock(scene) == []


def test_a_clock_that_was_set_right_is_reported_once(tmp_path: Path) -> None:
    scene = witnessed(tmp_path, START - timedelta(seconds=600))
    scene.clock.at(20, lambda: scene.clock.step(600))

    scene.run(until=42)

    first, second = about_the_clock(scene)
    assert "10 min behind the servers of most sources" in first
    assert second == "the clock says 2026-11-20T15:52:25Z, as do the servers of most sources again"


@pytest.mark.parametrize("ahead", [2 * DAY, 10 * DAY, 14 * YEAR, -2 * DAY, -10 * DAY])
def test_no_row_is_written_while_most_servers_are_more_than_a_day_off(tmp_path: Path, ahead: int) -> None:
    scene = witnessed(tmp_path, START + timedelta(seconds=ahead))
    scene.clock.at(60, lambda: scene.clock.step(-ahead))

    scene.run(until=77)

    assert [row[:8] for row in scene.rows] == ["15:53:05", "15:53:10", "15:53:15", "15:53:20"]
    first, last = about_the_clock(scene)
    assert "the servers of most sources: no row until it is right; check the machine's clock" in first
    assert last.endswith(": rows go on")
    assert scene.net.kraken.moments[:3] == [1, 6, 11]


def test_a_clock_that_leaps_years_ahead_for_a_while_costs_only_that_while(tmp_path: Path) -> None:
    scene = witnessed(tmp_path)
    scene.clock.at(8, lambda: scene.clock.step(14 * YEAR))
    scene.clock.at(38, lambda: scene.clock.step(-14 * YEAR))

    scene.run(until=47)

    assert scene.rows == [
        "15:52:05 BTC-USD 100 coinbase,kraken,bitstamp",
        "15:52:10 BTC-USD 100 coinbase,kraken,bitstamp",
        "15:52:15 BTC-USD - late slots=6",
        "15:52:45 BTC-USD 100 coinbase,kraken,bitstamp",
        "15:52:50 BTC-USD 100 coinbase,kraken,bitstamp",
    ]
    assert len(about_the_clock(scene)) == 2


@pytest.mark.parametrize("answers", ["none", "of before"])
def test_a_leap_of_years_of_which_no_server_can_tell_is_not_believed_either(
    tmp_path: Path, answers: str
) -> None:
    scene = Scene(tmp_path, SOURCES=ALL)  # no `Date` at all: mirrors that send none, or certificates expired
    expired = Unreachable("its certificate is not accepted: certificate has expired")

    def step(seconds: int) -> None:
        scene.clock.step(seconds)
        for name in ALL.split(","):
            source = getattr(scene.net, name)
            if answers == "of before":
                source.says("100", aged=max(0, seconds))
            elif seconds > 0:
                source.fails(expired, times=3)

    scene.clock.at(8, lambda: step(3 * YEAR))
    scene.clock.at(23, lambda: step(-3 * YEAR))

    scene.run(until=37)

    assert {row[:5] for row in scene.rows} == {"15:52"}
    assert "15:52:15 BTC-USD - late slots=3" in scene.rows
    first, last = about_the_clock(scene)
    assert "1095 days after the last row, and no source answers with a time near it: no row until" in first
    assert last.endswith("rows go on")


def test_one_wrong_reading_in_the_middle_of_a_slot_writes_no_row_of_another_year(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES=ALL)
    scene.clock.at(5.95, lambda: scene.clock.step(14 * YEAR))
    scene.clock.at(6.05, lambda: scene.clock.step(-14 * YEAR))

    scene.run(until=17)

    assert [row[:8] for row in scene.rows][-1] == "15:52:20"
    assert "2040" not in scene.text


def test_a_machine_that_was_off_for_days_waits_for_an_answer_and_accounts_for_all(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path)
    scene.file.write_text("# price-log 1 every=5s\n2026-11-17T15:52:00Z BTC-USD 100 kraken\n")
    scene.net.kraken.fails(Unreachable("no network"), times=2)

    scene.run(until=12)

    assert scene.rows[1:] == ["15:52:05 BTC-USD - down slots=51842", "15:52:15 BTC-USD 100 kraken"]
    assert len(about_the_clock(scene)) == 2


def test_a_new_log_on_a_machine_without_a_network_begins_with_missed_rows(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.net.kraken.fails(Unreachable("no network"))

    scene.run(until=7)

    assert len(scene.rows) == 2
    assert about_the_clock(scene) == []


def test_a_reload_does_not_repeat_what_was_reported(tmp_path: Path) -> None:
    scene = witnessed(tmp_path, START + timedelta(days=3))
    for moment in (12, 24):
        scene.reload_at(moment, MAX_AGE="50")

    scene.run(until=40)

    assert len(about_the_clock(scene)) == 1


@pytest.mark.parametrize(
    "judge",
    [
        lambda: ClockWitness().judge(START, START, [START - timedelta(days=2)], answered=False),
        lambda: ClockWitness().look(RELEASED - timedelta(seconds=1), START, START),
    ],
)
def test_a_witness_alone_is_enough_to_wait(judge: Callable[[], bool]) -> None:
    assert judge() is False
