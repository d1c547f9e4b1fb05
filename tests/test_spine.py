"""Stories of slots: what the log holds after a while of whatever may happen."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from price.errors import Unavailable, Unreachable
from price.record import Event
from price.recorder.clock import Signal
from tests.checks import sound
from tests.stage import BTC, DOGE, ETH, NOON, FakeClock, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_each_slot_has_a_row_with_the_median_and_its_sources(stage: Stage) -> None:
    stage["coinbase"].prices[BTC] = "100.1"
    stage["kraken"].prices[BTC] = "100.30"
    stage["bitstamp"].prices[BTC] = "100.2"

    stage.run(3)

    assert stage.file.read_text().splitlines()[0] == "# price-log 1 every=5s"
    assert stage.rows() == [
        "12:00:00 BTC-USD 100.2 coinbase,kraken,bitstamp",
        "12:00:05 BTC-USD 100.2 coinbase,kraken,bitstamp",
        "12:00:10 BTC-USD 100.2 coinbase,kraken,bitstamp",
    ]


def test_a_dead_source_costs_nothing_but_its_own_reading(stage: Stage) -> None:
    stage["kraken"].error = Unreachable("no route")

    stage.run(2)

    assert stage.rows() == [
        "12:00:00 BTC-USD 100 coinbase,bitstamp",
        "12:00:05 BTC-USD 100 coinbase,bitstamp",
    ]


def test_a_slot_that_nobody_answers_for_is_a_row_with_the_reasons(stage: Stage) -> None:
    stage["coinbase"].silent = True
    stage["kraken"].error = Unreachable("no route")
    stage["bitstamp"].error = Unavailable("maintenance")

    stage.run(1)

    assert stage.rows() == ["12:00:00 BTC-USD - coinbase:timeout,kraken:unreachable,bitstamp:unavailable"]


def test_a_source_whose_answer_is_outstanding_is_busy_and_not_asked_again(stage: Stage) -> None:
    stage["coinbase"].silent = True

    stage.run(3, ["coinbase"])

    assert [row.split()[-1] for row in stage.rows()] == ["coinbase:timeout", "coinbase:busy", "coinbase:busy"]
    assert len(stage["coinbase"].asked) == 1


def test_an_answer_that_comes_too_late_frees_its_source_for_the_next_slot(stage: Stage) -> None:
    stage["coinbase"].seconds = 3.0

    stage.run(3, ["coinbase"])

    assert [row.split()[-1] for row in stage.rows()] == ["coinbase:timeout"] * 3
    assert len(stage["coinbase"].asked) == 3


def test_a_source_is_neither_asked_nor_named_for_a_pair_in_a_currency_it_does_not_quote(
    stage: Stage,
) -> None:
    stage.run(1, ["kraken", "binance"])

    assert stage.rows() == ["12:00:00 BTC-USD 100 kraken"]
    assert stage["binance"].asked == []


def test_rows_of_a_slot_stand_in_the_order_of_the_pairs(stage: Stage) -> None:
    stage.run(2, ["kraken"], [ETH, BTC, DOGE])

    assert [row.split()[1] for row in stage.rows()] == ["ETH-USD", "BTC-USD", "DOGE-USD"] * 2
    sound(stage.file)


def test_a_start_just_after_a_slot_records_it_and_a_later_one_waits_for_the_next(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    early = Stage(tmp_path / "a", FakeClock(NOON + timedelta(seconds=2.9)))
    late = Stage(tmp_path / "b", FakeClock(NOON + timedelta(seconds=3.1)))

    early.run(1)
    late.run(1)

    assert early.rows()[0].startswith("12:00:00")
    assert late.rows()[0].startswith("12:00:05")


def test_the_time_that_the_recorder_did_not_run_is_one_row_for_each_pair(stage: Stage) -> None:
    stage.run(2, ["kraken"], [BTC, ETH])
    stage.clock.sleep(62)
    stage.run(2, ["kraken"], [BTC, ETH])

    assert stage.rows()[4:6] == ["12:00:10 BTC-USD - down slots=12", "12:00:10 ETH-USD - down slots=12"]
    assert sum(row.slots for row in sound(stage.file)) == 2 * 16


def test_a_quick_restart_loses_no_slot(stage: Stage) -> None:
    stage.run(2)
    stage.clock.sleep(1)
    stage.run(2)

    assert "down" not in stage.file.read_text()
    assert len(sound(stage.file)) == 4


def test_slots_slept_through_are_late_and_never_caught_up(stage: Stage) -> None:
    with stage.recorder(["kraken"]) as loop:
        stage.clock.post_in(7, lambda: stage.clock.sleep(33))
        stage.clock.post_in(52, Signal.STOP)
        loop.run()

    assert stage.rows() == [
        "12:00:00 BTC-USD 100 kraken",
        "12:00:05 BTC-USD 100 kraken",
        "12:00:10 BTC-USD - late slots=6",
        "12:00:40 BTC-USD 100 kraken",
        "12:00:45 BTC-USD 100 kraken",
        "12:00:50 BTC-USD 100 kraken",
    ]
    sound(stage.file)


def test_a_wall_clock_that_steps_forward_leaves_late_slots(stage: Stage) -> None:
    with stage.recorder(["kraken"]) as loop:
        stage.clock.post_in(7, lambda: stage.clock.step(3600))
        stage.clock.post_in(14, Signal.STOP)
        loop.run()

    assert "12:00:10 BTC-USD - late slots=719" in stage.rows()
    sound(stage.file)


def test_a_wall_clock_that_steps_back_writes_nothing_until_it_has_passed_the_last_row(stage: Stage) -> None:
    with stage.recorder(["kraken"]) as loop:
        stage.clock.post_in(12, lambda: stage.clock.step(-60))
        stage.clock.post_in(86, Signal.STOP)
        loop.run()

    assert [row[:8] for row in stage.rows()] == [
        *("12:00:00", "12:00:05", "12:00:10", "12:00:15", "12:00:20", "12:00:25"),
    ]
    (warning,) = stage.listener.events(Event.CLOCK_BEHIND)
    assert "2026-11-20T12:00:10Z" in warning
    assert "no row for 63 s" in warning
    sound(stage.file)


def test_a_clock_that_is_wrong_at_the_start_waits_and_says_so(stage: Stage) -> None:
    stage.run(2)
    stage.clock.step(-7200)
    stage.run(2)

    assert len(stage.rows()) == 2
    assert len(stage.listener.events(Event.CLOCK_BEHIND)) == 1


def test_a_small_step_back_doubles_no_slot(stage: Stage) -> None:
    with stage.recorder(["kraken"]) as loop:
        for seconds in (6, 11, 16):
            stage.clock.post_in(seconds, lambda: stage.clock.step(-2))
        stage.clock.post_in(60, Signal.STOP)
        loop.run()

    assert len(sound(stage.file)) == 11


def test_another_interval_begins_a_new_sum_and_the_stretch_between_is_one_row(stage: Stage) -> None:
    stage.run(2, interval=5)
    stage.clock.sleep(23)
    stage.run(2, interval=10)

    text = stage.file.read_text()
    assert "# price-log 1 every=10s\n2026-11-20T12:00:10Z BTC-USD - down slots=2\n" in text
    sound(stage.file)


def test_a_pair_that_is_new_begins_with_its_first_slot(stage: Stage) -> None:
    stage.run(2, ["kraken"], [BTC])
    stage.run(2, ["kraken"], [BTC, ETH])

    assert [row for row in stage.rows() if "ETH" in row and " - " in row] == []
    sound(stage.file)


def test_a_pair_that_was_away_for_a_while_begins_a_new_sum(stage: Stage) -> None:
    stage.run(2, ["kraken"], [BTC, ETH])
    stage.run(4, ["kraken"], [BTC])
    stage.run(2, ["kraken"], [BTC, ETH])

    assert stage.file.read_text().count("# price-log 1 every=5s") == 2
    sound(stage.file)


def test_the_first_round_is_finished_if_a_stop_leaves_it_the_time(stage: Stage) -> None:
    with stage.recorder(["kraken"]) as loop:
        stage["kraken"].seconds = 0.4
        stage.clock.post_in(0.05, Signal.STOP)
        loop.run()

    assert stage.rows() == ["12:00:00 BTC-USD 100 kraken"]


def test_a_round_that_hangs_is_abandoned_half_a_second_after_a_stop(stage: Stage) -> None:
    stage["kraken"].silent = True
    with stage.recorder(["kraken"]) as loop:
        stage.clock.post_in(1.0, Signal.STOP)
        began = stage.clock.monotonic()
        loop.run()

    assert stage.clock.monotonic() - began == pytest.approx(1.5)
    assert not stage.file.exists() or stage.rows() == []


def test_a_reload_comes_between_two_slots(stage: Stage) -> None:
    with stage.recorder(["kraken"]) as loop:
        stage.clock.post_in(0.05, Signal.RELOAD)
        assert loop.run() is Signal.RELOAD

    assert stage.rows() == ["12:00:00 BTC-USD 100 kraken"]


def test_the_last_recorded_price_survives_a_restart(stage: Stage) -> None:
    stage.run(2, ["kraken"])
    stage["kraken"].prices[BTC] = "200"
    stage.run(5, ["kraken"])

    assert [row.split(maxsplit=2)[2] for row in stage.rows()] == [
        *("100 kraken", "100 kraken", "- unconfirmed", "- unconfirmed", "200 kraken", "200 kraken"),
    ]


def test_a_source_lost_and_back_is_said_once_each(stage: Stage) -> None:
    with stage.recorder(["coinbase", "kraken"]) as loop:
        stage["kraken"].error = Unreachable("no route")
        stage.clock.post_in(19, lambda: setattr(stage["kraken"], "error", None))
        stage.clock.post_in(60, Signal.STOP)
        loop.run()

    assert stage.listener.events(Event.SOURCE_LOST) == ["kraken lost: unreachable (no route)"]
    (back,) = stage.listener.events(Event.SOURCE_BACK)
    assert back.startswith("kraken back after ")


def test_where_nobody_can_be_reached_there_is_one_hint(stage: Stage) -> None:
    for name in ("coinbase", "kraken", "bitstamp"):
        stage[name].error = Unreachable("no route")

    stage.run(6)

    (hint,) = stage.listener.events(Event.NO_SOURCE_YET)
    assert "PRICE_SOURCES=simulated make run" in hint
    assert len(stage.listener.events(Event.SOURCE_LOST)) == 3


def test_a_long_wait_between_slots_gives_signs_of_life(stage: Stage) -> None:
    flushes = []
    with stage.recorder(["kraken"], interval=60) as loop:
        stage.listener.flush = lambda: flushes.append(stage.clock.monotonic())  # type: ignore[method-assign]
        stage.clock.post_in(70, Signal.STOP)
        loop.run()

    assert max(after - before for before, after in pairwise(flushes)) <= 11


def test_ten_thousand_slots_of_random_trouble_leave_a_sound_log(stage: Stage) -> None:
    import random

    dice = random.Random(7)
    names = ("coinbase", "kraken", "bitstamp")

    def trouble() -> None:
        exchange = stage[dice.choice(names)]
        exchange.error = dice.choice([None, None, Unreachable("x"), Unavailable("y")])
        exchange.silent = dice.random() < 0.1
        exchange.seconds = dice.choice([0.1, 0.1, 1.0, 2.5])
        stage.clock.step(dice.choice([0, 0, 0, 0.3, -0.4, 20, -15]))
        if dice.random() < 0.1:
            stage.clock.sleep(dice.uniform(0, 40))

    with stage.recorder(names, [BTC, ETH]) as loop:
        for second in range(0, 40000, 17):
            stage.clock.post_in(second, trouble)
        stage.clock.post_in(40000, Signal.STOP)
        loop.run()

    assert len(sound(stage.file)) > 5000
