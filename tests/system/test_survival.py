"""What the service survives. The scenes are played on machines of their own, see hardships.py."""

from concurrent.futures import Future
from datetime import datetime

import pytest

from price.events import Event
from tests.system.hardships import FROZEN_SECONDS, Seen
from tests.system.service import Row, assert_no_slot_is_lost

pytestmark = pytest.mark.realtime

Scenes = dict[str, "Future[Seen]"]


def seen(scenes: Scenes, name: str) -> Seen:
    return scenes[name].result(55)


def slots_in_the_journal(seen: Seen) -> list[datetime]:
    return [datetime.fromisoformat(entry["PRICE_SLOT"]) for entry in seen.entries if "PRICE_SLOT" in entry]


def hole(rows: list[Row]) -> list[Row]:
    return [row for row in rows if not row.price]


def test_killed_outright_it_is_back_within_ten_seconds_and_the_hole_is_one_row(meanwhile: Scenes) -> None:
    scene = seen(meanwhile, "killed")

    print(f"\nback {scene.seconds:.1f} s after kill -9")
    assert scene.seconds < 10
    assert [row.reason for row in hole(scene.rows)] == ["down"]
    assert_no_slot_is_lost(scene.rows)


def test_a_recorder_that_hangs_is_restarted_and_leaves_where_it_stood(meanwhile: Scenes) -> None:
    scene = seen(meanwhile, "stopped")

    print(f"\nback {scene.seconds:.1f} s after SIGSTOP")
    assert "Fatal Python error: Aborted" in scene.stuck
    assert "loop.py" in scene.stuck
    assert hole(scene.rows)[-1].reason == "down"
    assert_no_slot_is_lost(scene.rows)


def test_a_restart_of_journald_costs_neither_rows_nor_entries(meanwhile: Scenes) -> None:
    scene = seen(meanwhile, "journald_restarted")

    assert hole(scene.rows) == []
    assert_no_slot_is_lost(scene.rows)
    assert slots_in_the_journal(scene) == [row.slot for row in scene.rows]


def test_while_journald_is_frozen_every_slot_is_in_the_file_and_the_journal_says_what_it_lacks(
    meanwhile: Scenes,
) -> None:
    scene = seen(meanwhile, "journald_frozen")

    assert hole(scene.rows) == []
    assert_no_slot_is_lost(scene.rows)
    lacking = len(scene.rows) - len(slots_in_the_journal(scene))
    (said,) = [entry for entry in scene.entries if entry.get("MESSAGE_ID") == Event.ENTRIES_DROPPED.value]
    assert lacking >= FROZEN_SECONDS - 1
    assert said["MESSAGE"].startswith(f"{lacking} entries dropped")
