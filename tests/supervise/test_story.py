"""What a supervisor does, on a fake clock: when it starts a recorder again, when it ends one."""

from itertools import pairwise
from pathlib import Path

import pytest

from price.clock import Signal
from price.errors import PriceError, SettingsError
from price.events import Event
from price.supervise.signs import Signs
from tests.fakes import FakeClock
from tests.supervise.watched import Watched


def test_one_that_is_killed_again_and_again_is_started_after_delays_that_double(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    recorder = watched.recorder
    start = recorder.start

    def start_and_be_killed() -> None:
        start()
        watched.clock.at(watched.clock.passed + 3, recorder.dies)

    recorder.start = start_and_be_killed  # type: ignore[method-assign]
    watched.run(until=1100)

    started = recorder.moments("start")
    away = [round(after - before - 3, 1) for before, after in pairwise(started)]
    assert len(started) >= 20
    assert away[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert set(away[8:]) == {60}
    assert (
        watched.said(Event.RECORDER_GONE)[0] == "recorder 7 ended with signal 9; it is started again in 1 s"
    )


def test_after_a_minute_at_work_the_delay_is_the_least_again(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    for moment in (3, 7, 100):
        watched.clock.at(moment, watched.recorder.dies)
    watched.run(until=120)

    assert watched.recorder.moments("start") == [0, 4, 9, 101]


def test_that_holds_for_one_that_hangs_as_well(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    for moment in (3, 7):
        watched.clock.at(moment, watched.recorder.dies)
    watched.clock.at(102, lambda: setattr(watched.recorder, "hangs_at", 102))
    watched.clock.at(117, lambda: setattr(watched.recorder, "hangs_at", None))
    watched.run(until=140)

    (ended,) = watched.recorder.moments("end")
    assert watched.recorder.moments("start") == [0, 4, 9, ended + 2], "seen at the next look, and a second"


def test_one_whose_status_stands_still_for_three_slots_is_ended_and_started_again(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.recorder.hangs_at = 42
    watched.clock.at(57, lambda: setattr(watched.recorder, "hangs_at", None))
    watched.run(until=90)

    assert watched.recorder.deeds == [(0, "start"), (56, "end"), (58, "start"), (90, "close")]
    assert watched.said(Event.RECORDER_HUNG) == ["recorder 7 hangs: no status for 15 s; ending it"]


@pytest.mark.parametrize(("interval", "seconds"), [(1, 15), (8, 24), (10, 30), (60, 30), (3600, 30)])
def test_how_long_that_takes_depends_on_the_slots_within_limits(
    tmp_path: Path, interval: float, seconds: float
) -> None:
    watched = Watched(tmp_path, interval)
    watched.recorder.hangs_at = 101
    watched.run(until=150)

    last = max(moment for moment in range(1, 101) if (moment - 1) % min(interval, 10) == 0)
    assert watched.recorder.moments("end")[0] == pytest.approx(last + seconds, abs=1)


@pytest.mark.parametrize("interval", [1, 5, 15, 60, 3600])
def test_one_that_is_at_work_is_left_alone_whatever_its_interval(tmp_path: Path, interval: float) -> None:
    watched = Watched(tmp_path, interval)

    assert watched.run(until=4000) == 0

    assert watched.recorder.deeds == [(0, "start"), (4000, "close")]


def test_one_that_never_comes_to_work_has_half_a_minute(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.path.write_text('{"interval": 5, "slot": "what an earlier one left behind"}')
    watched.recorder.hangs_at = 0
    watched.run(until=40)

    assert watched.recorder.moments("end") == [30]


@pytest.mark.parametrize("step", [-86400 * 9000, -3600, 3600, 86400 * 9000])
def test_the_wall_clock_may_step(tmp_path: Path, step: float) -> None:
    watched = Watched(tmp_path)
    watched.clock.at(50, lambda: watched.clock.step(step))
    watched.run(until=100)

    assert watched.recorder.moments("end") == []


def test_time_in_which_the_supervisor_did_not_run_either_does_not_count(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    for moment in (50.5, 70.5, 90.5):
        watched.clock.at(moment, lambda: watched.clock.freeze(300))
    watched.run(until=1100)

    assert watched.recorder.moments("end") == []


def test_one_whose_status_cannot_be_written_is_left_alone_and_that_is_said_once(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    folder = watched.path.parent

    def lose_the_folder() -> None:
        watched.path.unlink()
        folder.rmdir()

    watched.clock.at(42, lose_the_folder)
    watched.clock.at(400, folder.mkdir)
    watched.run(until=500)

    assert watched.recorder.moments("end") == []
    (said,) = watched.said(Event.RECORDER_HUNG)
    assert said.startswith(f"{watched.path} stands still, but cannot be written (No such file or directory)")


def test_one_whose_status_has_a_folder_in_its_place_is_left_alone(tmp_path: Path) -> None:
    watched = Watched(tmp_path)

    def put_a_folder() -> None:
        watched.recorder.hangs_at = 42  # as seen from here: nothing can be replaced any more
        watched.path.unlink()
        watched.path.mkdir()

    watched.clock.at(42, put_a_folder)
    watched.run(until=200)

    assert watched.recorder.moments("end") == []
    assert "(it is a folder, not a file)" in watched.said(Event.RECORDER_HUNG)[0]


def test_one_that_hangs_while_its_status_cannot_be_written_is_ended_once_it_could(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.recorder.hangs_at = 42
    folder, away = watched.path.parent, tmp_path / "away"
    watched.clock.at(43, lambda: folder.rename(away))
    watched.clock.at(200, lambda: away.rename(folder))
    watched.run(until=220)

    assert watched.recorder.moments("end") == [pytest.approx(215, abs=16)]


def test_one_that_was_reloaded_and_writes_its_status_elsewhere_is_left_alone(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    other = tmp_path / "run" / "other.json"

    def reload() -> None:
        watched.path.unlink()
        watched.path = watched.recorder.status = other

    watched.clock.at(42, reload)
    watched.run(until=300)

    assert watched.recorder.moments("end") == []


def test_one_that_the_system_cannot_end_is_tried_again_later_and_never_doubled(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.recorder.hangs_at, watched.recorder.immortal = 10, True
    watched.run(until=120)

    assert watched.recorder.moments("start") == [0]
    assert watched.recorder.moments("end") == [21, 36, 51, 66, 81, 96, 111]


def test_bad_settings_are_for_a_person_to_mend(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.clock.at(5, lambda: watched.recorder.dies("recorder 7 ended with status 78", 78))

    assert watched.run(until=100) == 78
    assert watched.recorder.moments("start") == [0]
    assert watched.said(Event.SUPERVISOR_ENDS) == ["recorder 7 ended with status 78; it is not started again"]


def test_another_recorder_is_not_fought(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.clock.at(5, watched.recorder.dies)
    watched.clock.at(5, lambda: setattr(watched.recorder, "refusal", "process 9 is recording into it"))

    with pytest.raises(PriceError, match=r"^process 9 is recording into it$"):
        watched.run(until=100)
    assert watched.recorder.deeds == [(0, "start"), (6, "close")]


@pytest.mark.parametrize("moment", [3, 5.5])
def test_a_stop_ends_both_also_while_the_recorder_is_gone(tmp_path: Path, moment: float) -> None:
    watched = Watched(tmp_path)
    watched.clock.at(5, watched.recorder.dies)

    assert watched.run(until=moment) == 0
    assert watched.recorder.deeds[1] == (moment, "close")


def test_a_reload_is_passed_on(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.clock.post_at(7.5, Signal.RELOAD)
    watched.run(until=20)

    assert watched.recorder.moments("reload") == [7.5]
    assert watched.settings_read == [7.5]


def test_a_reload_while_the_recorder_is_gone_is_the_supervisor_s_alone(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.clock.at(5, watched.recorder.dies)
    watched.clock.post_at(5.5, Signal.RELOAD)
    watched.run(until=20)

    assert watched.recorder.moments("start") == [0, 6]
    assert watched.settings_read == [5.5]


def test_what_was_stopped_on_purpose_is_waited_for(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.recorder.hangs_at, watched.recorder.expected = 42, False
    watched.run(until=200)

    assert watched.recorder.moments("end") == []


def test_without_a_status_there_is_nothing_to_look_at() -> None:
    with pytest.raises(SettingsError, match=r"^PRICE_STATUS=/dev/null: supervise looks at it"):
        Signs(lambda: Path("/dev/null"), FakeClock())
