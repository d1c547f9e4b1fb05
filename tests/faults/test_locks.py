"""Who may keep a recorder out of its log, and who may not; and rows that went into a file that is gone."""

import gzip
import os
import subprocess
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.faults.conftest import injecting, needs
from tests.faults.place import Place
from tests.faults.test_disk import _fill

LOCKS = {"LOCK_SH": "--shared", "LOCK_EX": "--exclusive"}


def _locked(stack: ExitStack, path: Path, kind: str, user: str | None) -> None:
    """Has a process of a user lock a file until the stack is left."""
    process = subprocess.Popen(
        # not Python: its interpreter may lie in a home, where a user cannot run it
        ["sh", "-c", 'exec 9<"$1"; flock "$0" 9; echo; exec cat', LOCKS[kind], str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        user=user,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"\n"
    stack.callback(process.wait)
    stack.enter_context(closing(process.stdout))
    stack.enter_context(closing(process.stdin))


@pytest.mark.parametrize("kind", ["LOCK_SH", "LOCK_EX"])
def test_somebody_who_can_only_read_the_log_keeps_nobody_from_recording(place: Place, kind: str) -> None:
    needs("root")
    for folder in (place.aside, *place.aside.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    assert place.start().stop() == 0
    with ExitStack() as stack:
        _locked(stack, place.file, kind, "nobody")
        recorder = place.start()
        recorder.slot(2)
        assert place.status["held"] == 0
        assert recorder.stop() == 0
    assert "rows are held" not in place.said


@pytest.mark.parametrize("link", ["hard", "symbolic"])
def test_a_second_name_of_the_same_log_is_refused_naming_who_records(place: Place, link: str) -> None:
    recorder = place.start()
    other = place.aside / "other"
    other.mkdir()
    if link == "hard":
        (other / "prices.txt").hardlink_to(place.file)
    else:
        (other / "prices.txt").symlink_to(place.file)
    second = place.attempt(PRICE_FILE=str(other / "prices.txt"))
    assert second.ended() == 1
    assert f"process {recorder.process.pid} is recording into it by another name" in second.said()
    recorder.slot()
    assert recorder.stop() == 0


def test_a_link_in_the_place_of_the_lock_or_a_draft_is_not_followed(place: Place) -> None:
    precious = place.aside / "precious"
    precious.write_text("mine\n")
    place.folder.mkdir()
    (place.folder / ".prices.txt.lock").symlink_to(precious)
    (place.aside / ".status.json.new").symlink_to(precious)
    recorder = place.start()
    assert place.status["held"] == 1
    assert f"its lock, {place.folder / '.prices.txt.lock'}: Too many levels" in place.said
    (place.folder / ".prices.txt.lock").unlink()
    recorder.slot()
    assert recorder.stop() == 0
    assert precious.read_text() == "mine\n"
    assert len(place.rows()) == 2


def test_the_lock_is_kept_while_rows_are_held(place: Place) -> None:
    recorder = place.start()
    recorder.do("limit", "slot", "slot")
    other = place.aside / "other.txt"
    other.hardlink_to(place.file)
    for name in (place.file, other):
        second = place.attempt(PRICE_FILE=str(name))
        assert second.ended() == 1
        assert f"process {recorder.process.pid} is recording into it" in second.said()
    recorder.do("unlimit", "slot")
    assert recorder.stop() == 0
    assert len(place.rows()) == 4


@pytest.mark.parametrize("gone", ["packed", "removed", "renamed"])
def test_a_row_that_went_into_a_file_which_is_gone_is_written_again(place: Place, gone: str) -> None:
    place.folder.mkdir()
    recorder = place.start(*injecting(place.file, "fdatasync:delay_enter=1s:when=3"))
    text = place.file.read_bytes()
    recorder.tell("slot")
    while place.file.stat().st_size == len(text):
        pass  # its row is written, but not yet synced
    old = place.folder / "prices.txt.1"
    if gone == "removed":
        place.file.unlink()
    else:
        place.file.rename(old)
    if gone == "packed":
        (place.folder / "prices.txt.1.gz").write_bytes(gzip.compress(text))
        old.unlink()
    recorder.wait_ready()
    recorder.slot()
    assert recorder.stop() == 0
    if gone == "renamed":
        assert [row.slot.second for row in place.rows(old)] == [0, 10]
    assert [slot[3:] for slot in place.slots()] == (["00:20"] if gone == "renamed" else ["00:10", "00:20"])


def test_as_many_whole_slots_of_held_rows_are_written_as_fit(
    place: Place, mounted: Callable[..., Path]
) -> None:
    disk = mounted("-t", "tmpfs", "-o", "size=64k", "none")
    place.folder = disk / "log"
    place.file = place.folder / "prices.txt"
    place.settings |= {"FILE": str(place.file), "PAIRS": "BTC-USD,ETH-USD"}
    recorder = place.start()
    recorder.do("stall", *["slot"] * 200)
    _fill(disk)
    os.truncate(disk / "ballast", (disk / "ballast").stat().st_size - 12288)
    recorder.do("unlimit", "slot")
    held = place.status["held"]
    assert 0 < held < 402
    assert len(place.rows()) == 2 + 402 - held
    assert held % 2 == 0, "whole slots"
    (disk / "ballast").unlink()
    recorder.slot()
    assert place.status["held"] == 0
    assert recorder.stop() == 0
    assert len(place.slots()) == 2 * 203


def test_each_new_cause_of_holding_rows_is_reported_once(place: Place) -> None:
    recorder = place.start()
    recorder.do("limit", "slot", "slot")
    place.file.rename(place.aside / "kept")
    place.file.mkdir()
    recorder.do("slot", "slot")
    place.file.rmdir()
    (place.aside / "kept").rename(place.file)
    recorder.do("slot", "unlimit", "slot")
    assert recorder.stop() == 0
    assert place.said.count("rows are held in memory") == 2
    assert place.said_once("bytes could be written; rows are held")
    assert place.said_once("it is not a regular file; rows are held")
    assert len(place.rows()) == 7
