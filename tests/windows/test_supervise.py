"""`price supervise` with a recorder as its child, and what becomes of that when either is killed or hangs."""

import os
import re
import signal
from datetime import datetime
from itertools import pairwise

import pytest

from tests.windows.prefix import MAIN, Prefix
from tests.windows.supervised import Supervised


def test_it_records_and_stops_in_order_with_its_recorder(supervised: Supervised) -> None:
    supervised.start(MAIN, "supervise")
    supervised.recording.until_rows(3)
    other = supervised.recording.price("supervise")
    status = supervised.stop()

    assert status == 0, supervised.said
    assert supervised.recorders == []
    supervised.until_said("stopping after the slot")
    assert "supervisor stops" in supervised.said
    assert "Traceback" not in supervised.said
    assert not (supervised.recording.logs / "status.json").exists()
    assert (other.code, "supervises its recorder; stop that one first" in other.text) == (1, True), other.text
    supervised.recording.proven()


def test_a_recorder_killed_twenty_times_is_back_each_time_and_there_are_never_two(
    supervised: Supervised,
) -> None:
    supervised.quick(15)
    killed = [0]
    for number in range(20):
        pid = supervised.only_recorder(other_than=killed[-1])
        if number % 4 == 3:  # the others are killed while they still start
            supervised.recording.until_rows(supervised.recording.rows + 2)
        os.kill(pid, signal.SIGKILL)
        killed.append(pid)
        supervised.until_said("; it is started again in ", number + 1)
    supervised.only_recorder(other_than=killed[-1])
    supervised.recording.until_rows(supervised.recording.rows + 2)
    status = supervised.stop()
    verified = supervised.recording.price("verify")

    assert status == 0, supervised.said
    assert len(set(killed)) == 21
    assert supervised.said.count(" launched\n") == 21
    assert max(seconds_until_back(supervised.said)) <= 2
    rows = supervised.recording.proven()
    assert {row.split(" ")[3] for row in rows} == {"simulated", "down"}
    assert verified.code == 0, verified.text


def seconds_until_back(said: str) -> list[float]:
    """From each "it is started again" to the "launched" after it."""
    lines = re.findall(r"^(\S+Z) .*(it is started again|launched)", said, re.MULTILINE)
    moments = [(datetime.fromisoformat(moment), words) for moment, words in lines]
    return [
        (after - before).total_seconds()
        for (before, gone), (after, back) in pairwise(moments)
        if (gone, back) == ("it is started again", "launched")
    ]


def test_one_that_was_stopped_and_heeds_no_request_is_replaced(supervised: Supervised) -> None:
    supervised.quick(5)
    pid = supervised.only_recorder()
    supervised.recording.until_rows(2)

    os.kill(pid, signal.SIGSTOP)
    supervised.until_said("hangs: no status for ")
    supervised.only_recorder(other_than=pid)
    supervised.recording.until_rows(supervised.recording.rows + 2)

    assert supervised.stop() == 0
    assert any(" - down" in row for row in supervised.recording.proven())


@pytest.mark.parametrize("state", ["at work", "stopped"])
def test_nothing_outlives_a_supervisor_that_is_killed(supervised: Supervised, state: str) -> None:
    supervised.start(MAIN, "supervise")
    supervised.recording.until_rows(2)
    pid = supervised.only_recorder()
    if state == "stopped":
        os.kill(pid, signal.SIGSTOP)

    supervised.kill()
    supervised.prefix.until(lambda: supervised.recorders == [])
    supervised.start(MAIN, "supervise")
    supervised.recording.until_rows(supervised.recording.rows + 2)

    assert supervised.stop() == 0
    supervised.recording.proven()


def test_bad_settings_and_another_recorder_are_left_to_a_person(supervised: Supervised) -> None:
    recording = supervised.recording
    bad = recording.price("supervise", SOURCES="nobody")
    recording.start()
    pid = recording.status["pid"]
    other = recording.price("supervise")
    recording.python(r"import os; os.mkdir('other'); os.link(r'logs\prices.txt', r'other\prices.txt')")
    by_another_name = recording.price("supervise", FILE=r"other\prices.txt")
    recording.stop()

    assert bad.code == 78
    assert other.code == 1
    assert f"process {pid} is recording into it; stop that one first, or name another file" in other.text
    assert by_another_name.code == 1
    assert "another program has it open: close it there first" in by_another_name.text


def test_without_a_target_it_says_what_to_type(booted: Prefix) -> None:
    unnamed, unknown = (booted.price(f"supervise {option}") for option in ("--service=", "--service=nobody"))

    assert unnamed.code == 2
    assert unknown.code == 1
    assert unknown.text.endswith("nobody is not installed: price service install --name nobody\n")
