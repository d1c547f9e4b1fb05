"""Stories of the slots: when the sources are asked, and what the rows say of a clock that is wrong."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from price.errors import Timeout
from price.events import Event
from tests.scene import Scene


def test_each_slot_gets_a_row_with_its_price_and_sources(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="coinbase,kraken,bitstamp")
    scene.net.coinbase.says("97123.40000")
    scene.net.kraken.says("97121")
    scene.net.bitstamp.says("97125.5")

    status = scene.run(until=14)

    assert status == 0
    assert scene.text == (
        "# price-log 1 every=5s\n"
        "2026-11-20T15:52:05Z BTC-USD 97123.4 coinbase,kraken,bitstamp\n"
        "2026-11-20T15:52:10Z BTC-USD 97123.4 coinbase,kraken,bitstamp\n"
        "2026-11-20T15:52:15Z BTC-USD 97123.4 coinbase,kraken,bitstamp\n"
    )
    assert scene.net.kraken.moments == [1.0, 6.0, 11.0]


def test_rows_of_a_slot_stand_in_the_order_of_the_pairs(tmp_path: Path) -> None:
    scene = Scene(tmp_path, PAIRS="ETH-USD,BTC-USD,ADA-USD")
    scene.net.kraken.says({"ADA-USD": "0.5", "BTC-USD": "97000", "ETH-USD": "3300"})

    scene.run(until=3)

    assert scene.rows == [
        "15:52:05 ETH-USD 3300 kraken",
        "15:52:05 BTC-USD 97000 kraken",
        "15:52:05 ADA-USD 0.5 kraken",
    ]


@pytest.mark.parametrize(("begun", "moments"), [(3, [0.0, 3.0]), (4.5, [1.5])])
def test_a_slot_that_has_begun_is_recorded_if_there_is_time_for_it(
    tmp_path: Path, begun: float, moments: list[float]
) -> None:
    scene = Scene(tmp_path, TIMEOUT="2")
    scene.clock.step(begun)

    scene.run(until=5)

    assert scene.rows == ["15:52:05 BTC-USD 100 kraken", "15:52:10 BTC-USD 100 kraken"][-len(moments) :]
    assert scene.net.kraken.moments == moments


@pytest.mark.parametrize(("lag", "drift"), [(0.004, 0), (0, -500), (0, 500), (0.02, -300), (0.15, 0)])
def test_a_clock_that_wakes_late_or_runs_wrong_costs_no_slot(tmp_path: Path, lag: float, drift: int) -> None:
    scene = Scene(tmp_path, INTERVAL="1", SOURCES="kraken,bitstamp")
    scene.net.bitstamp.hangs()
    scene.clock.lag, scene.clock.drift = lag, drift

    scene.run(until=100)

    assert len(scene.rows) >= 99
    assert all("100 kraken" in row for row in scene.rows)


def test_a_round_that_begins_late_does_not_make_the_next_one_late(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.clock.at(5.9, lambda: scene.clock.freeze(1.6))

    scene.run(until=17)

    assert len(scene.rows) == 4
    assert scene.net.kraken.moments == [1.0, 7.5, 11.0, 16.0]


@pytest.mark.parametrize("away", ["freeze", "suspend"])
def test_slots_in_which_the_program_did_not_run_are_late(tmp_path: Path, away: str) -> None:
    scene = Scene(tmp_path, PAIRS="BTC-USD,ETH-USD")
    scene.clock.at(3, lambda: getattr(scene.clock, away)(62))

    scene.run(until=14 if away == "suspend" else 76)

    assert scene.rows[2:6] == [
        "15:52:10 BTC-USD - late slots=12",
        "15:52:10 ETH-USD - late slots=12",
        "15:53:10 BTC-USD 100 kraken",
        "15:53:10 ETH-USD 100 kraken",
    ]
    assert scene.rows[6].startswith("15:53:15 BTC-USD 100")


@pytest.mark.parametrize("away", ["freeze", "suspend"])
def test_what_comes_after_a_sleep_in_mid_round_is_no_price_of_the_slot_before_it(
    tmp_path: Path, away: str
) -> None:
    scene = Scene(tmp_path)
    scene.net.kraken.says("100", after=0.5)
    scene.clock.at(6.2, lambda: getattr(scene.clock, away)(3600))

    scene.run(until=3610 if away == "freeze" else 10)

    assert scene.rows[0] == "15:52:05 BTC-USD 100 kraken"
    assert scene.rows[1].startswith("15:52:10 BTC-USD - late slots=720")
    assert scene.rows[2].startswith("16:52:10 BTC-USD 100")


def test_an_overloaded_machine_skips_slots_and_never_catches_up_in_a_burst(tmp_path: Path) -> None:
    scene = Scene(tmp_path, INTERVAL="1")
    for second in range(3, 50, 4):
        scene.clock.at(second + 0.05, lambda: scene.clock.freeze(2.2))

    scene.run(until=60)

    asked = scene.net.kraken.moments
    assert min(later - earlier for earlier, later in pairwise(asked)) >= 0.7
    assert sum(" late" in row for row in scene.rows) >= 10
    assert scene.rows[-1].startswith("15:53:0")


@pytest.mark.parametrize("back", [0.5, 3, 4.9, 5, 7, 61])
def test_a_clock_set_back_writes_no_slot_twice(tmp_path: Path, back: float) -> None:
    scene = Scene(tmp_path)
    scene.clock.at(8, lambda: scene.clock.step(-back))

    scene.run(until=100)

    assert scene.rows[:3] == [f"15:52:{second} BTC-USD 100 kraken" for second in ("05", "10", "15")]
    assert len(scene.rows) == (99 - back) // 5 + 1
    assert all("100 kraken" in row for row in scene.rows)


def test_a_clock_set_back_by_hours_is_said_once_and_costs_no_slot_once_it_is_right_again(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path)
    scene.clock.at(8, lambda: scene.clock.step(-2 * 3600))
    scene.clock.at(300, lambda: scene.clock.step(2 * 3600))

    scene.run(until=314)

    assert len(scene.rows) == 5 + 1
    assert scene.rows[2].startswith("15:52:15 BTC-USD - late slots=")
    warning, _ = scene.said(Event.CLOCK_BEHIND)
    assert "2026-11-20T13:52:15Z" in warning
    assert "2026-11-20T15:52:10Z" in warning
    assert "2 h" in warning


def test_a_second_step_back_is_said_again_once_the_first_is_over(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.clock.at(8, lambda: scene.clock.step(-30))
    scene.clock.at(60, lambda: scene.clock.step(-30))

    scene.run(until=120)

    assert ["before the last row" in text for text in scene.said(Event.CLOCK_BEHIND)] == [True, False] * 2


def test_a_clock_set_back_in_mid_round_does_not_double_its_slot(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.net.kraken.says("100", after=1)
    scene.clock.at(6.5, lambda: scene.clock.step(-3))

    scene.run(until=30)

    assert scene.rows[:3] == [f"15:52:{second} BTC-USD 100 kraken" for second in ("05", "10", "15")]


@pytest.mark.parametrize(("forward", "slots"), [(1.5, 0), (4, 1), (5, 1), (11, 2), (3600, 720)])
def test_a_clock_set_forward_leaves_late_slots(tmp_path: Path, forward: float, slots: int) -> None:
    scene = Scene(tmp_path)
    scene.clock.at(3, lambda: scene.clock.step(forward))

    scene.run(until=20)

    late = [row for row in scene.rows if " late" in row]
    count = f" slots={slots}" if slots > 1 else ""
    assert late == ([f"15:52:10 BTC-USD - late{count}"] if slots else [])


def test_a_clock_set_forward_and_back_again_waits_for_the_rows_already_written(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.clock.at(3, lambda: scene.clock.step(60))
    scene.clock.at(8, lambda: scene.clock.step(-60))

    scene.run(until=90)

    assert [row.split()[0] for row in scene.rows[:4]] == ["15:52:05", "15:52:10", "15:53:10", "15:53:15"]
    assert ["before the last row" in text for text in scene.said(Event.CLOCK_BEHIND)] == [True, False]


def test_long_slots_are_met_although_the_machine_slept_before_them(tmp_path: Path) -> None:
    scene = Scene(tmp_path, datetime(2026, 11, 20, 15, 0, 1, tzinfo=UTC), INTERVAL="3600")
    scene.clock.at(600, lambda: scene.clock.suspend(1800))

    scene.run(until=1900)

    assert scene.rows == ["15:00:00 BTC-USD 100 kraken", "16:00:00 BTC-USD 100 kraken"]
    assert scene.net.kraken.moments[1] < 1810


@pytest.mark.parametrize(
    ("after", "stop", "slots", "ended"),
    [(0.1, 3, 1, 3), (1.7, 2.3, 1, 2.7), (1.95, 1.4, 0, 1.9)],
    ids=["between slots", "a round that is done soon", "a round that is not done soon"],
)
def test_a_stop_ends_it_soon_and_a_round_is_recorded_whole_or_given_up_whole(
    tmp_path: Path, after: float, stop: float, slots: int, ended: float
) -> None:
    scene = Scene(tmp_path, SOURCES="kraken,bitstamp", PAIRS="BTC-USD,ETH-USD")
    scene.net.kraken.says("100", after=after)

    status = scene.run(until=stop)

    assert status == 0
    assert scene.text.count("USD 100 kraken,bitstamp\n") == 2 * slots
    assert scene.text.count("\n") == (3 if slots else 0)
    assert scene.clock.passed == pytest.approx(ended)
    assert scene.said(Event.STOPPING) == [f"stopping{' after the slot 2026-11-20T15:52:05Z' * slots}"]


def test_a_round_given_up_is_down_after_the_restart(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.net.kraken.says("100", times=1)
    scene.net.kraken.hangs(times=1)
    scene.run(until=6.4)

    scene.clock.freeze(5)
    scene.run(until=14)

    assert scene.rows == [
        "15:52:05 BTC-USD 100 kraken",
        "15:52:10 BTC-USD - down",
        "15:52:15 BTC-USD 100 kraken",
    ]


def test_answers_that_arrive_with_the_stop_do_not_begin_the_slot_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="coinbase,kraken,bitstamp", PAIRS="BTC-USD,ETH-USD")
    scene.net.coinbase.says("100", after=0.9)
    scene.net.kraken.fails(Timeout("late"), after=0.9)
    scene.net.bitstamp.hangs()

    scene.run(until=1.4)

    assert len(scene.net.kraken.asked) == 1
    assert scene.clock.passed == pytest.approx(1.9)


def test_a_reload_in_mid_round_does_not_cost_the_slot(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.net.kraken.says("100", after=1)
    scene.reload_at(1.5, SOURCES="bitstamp")

    scene.run(until=8)

    assert scene.rows == ["15:52:05 BTC-USD 100 kraken", "15:52:10 BTC-USD 100 bitstamp"]


def test_slots_go_on_over_midnight(tmp_path: Path) -> None:
    scene = Scene(tmp_path, datetime(2026, 11, 20, 23, 59, 50, tzinfo=UTC))

    scene.run(until=18)

    assert [row.split()[0] for row in scene.rows] == ["23:59:50", "23:59:55", "00:00:00", "00:00:05"]
