"""The log or its folder renamed, removed, replaced, truncated or made immutable under the recorder."""

import os
import shutil
from pathlib import Path

import pytest

from price import times
from tests.checks import sound
from tests.faults.conftest import PlaceIn, attempt, injecting, needs
from tests.faults.place import Place

HELD = "rows are held in memory"


def _slots(file: Path) -> list[str]:
    return [times.iso(row.slot)[14:19] for row in sound(file)]


def test_a_renamed_file_is_left_alone_and_a_new_one_begun(place: Place) -> None:
    recorder = place.start()
    recorder.slot()
    moved = place.file.rename(place.folder / "prices.txt-20261120")
    before = moved.read_bytes()
    recorder.slot()
    assert recorder.stop() == 0
    assert moved.read_bytes() == before
    assert _slots(moved) == ["00:00", "00:10"]
    assert _slots(place.file) == ["00:20"]


def test_a_folder_replaced_by_a_copy_is_locked_again(place: Place) -> None:
    recorder = place.start()
    shutil.copytree(place.folder, place.aside / "copy")
    shutil.rmtree(place.folder)
    (place.aside / "copy").rename(place.folder)
    recorder.slot()
    second = place.attempt()
    assert second.ended() == 1
    assert f"process {recorder.process.pid} is recording into it" in second.said()
    assert recorder.stop() == 0
    assert _slots(place.file) == ["00:00", "00:10"]


def test_a_copy_that_holds_a_row_which_was_not_acknowledged_gets_it_no_second_time(place: Place) -> None:
    place.folder.mkdir()
    recorder = place.start(*injecting(place.file, "fdatasync:error=EIO:when=3"))
    recorder.slot()
    assert place.status["held"] == 1
    assert _slots(place.file) == ["00:00", "00:10"], (
        "the row stands in the file, but it may never reach the disk"
    )
    shutil.copy(place.file, place.folder / "copy")
    (place.folder / "copy").rename(place.file)
    recorder.slot()
    assert place.status["held"] == 0
    assert recorder.stop() == 0
    assert _slots(place.file) == ["00:00", "00:10", "00:20"]


def test_a_file_that_ends_later_gets_no_row_out_of_order_and_rows_wait(place: Place) -> None:
    recorder = place.start()
    text = place.file.read_text().replace("15:00:00", "15:00:30")
    (place.folder / "other").write_text(text)
    (place.folder / "other").rename(place.file)
    recorder.slot(4)
    assert place.status["held"] == 4
    assert place.said_once(
        f"it ends at 2026-11-20T15:00:30Z, after rows that are still to be written; {HELD}"
    )
    assert place.file.read_text() == text
    place.file.rename(place.aside / "other")
    recorder.slot()
    assert recorder.stop() == 0
    assert _slots(place.file) == ["00:10", "00:20", "00:30", "00:40", "00:50"]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("text", "it is not a price log"),
        ("folder", "it is not a regular file"),
        ("fifo", "it is not a regular file"),
        ("loop", "Too many levels of symbolic links"),
        ("nowhere", "No such file or directory"),
    ],
)
def test_what_is_no_price_log_is_not_touched_and_rows_wait(place: Place, what: str, words: str) -> None:
    recorder = place.start()
    place.file.unlink()
    _put(place.file, what)
    recorder.slot(2)
    assert place.status["held"] == 2
    assert place.said_once(f"{words}")
    assert HELD in place.said
    if what == "folder":
        place.file.rmdir()
    else:
        assert what != "text" or place.file.read_text() == "dear diary\n"
        place.file.unlink()
    recorder.slot()
    assert recorder.stop() == 0
    assert _slots(place.file) == ["00:10", "00:20", "00:30"]


def _put(path: Path, what: str) -> None:
    if what == "text":
        path.write_text("dear diary\n")
    elif what == "folder":
        path.mkdir()
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "loop":
        path.symlink_to(path)
    elif what == "nowhere":
        path.symlink_to(path.parent / "not" / "there")


def test_an_immutable_file_holds_rows_until_it_is_mutable(place_in: PlaceIn, on_disk: Path) -> None:
    needs("root", "chattr")
    place = place_in(on_disk)
    recorder = place.start()
    attempt("chattr", "+i", place.file)
    try:
        recorder.slot(2)
        assert place.status["held"] == 2
        assert place.said_once(f"Operation not permitted; {HELD}")
    finally:
        attempt("chattr", "-i", place.file)
    recorder.slot()
    assert recorder.stop() == 0
    assert place.said_once("3 rows held for 20 s are written")
    assert _slots(place.file) == ["00:00", "00:10", "00:20", "00:30"]


def test_removing_the_lock_lets_nobody_else_in_for_longer_than_a_slot(place: Place) -> None:
    recorder = place.start()
    (place.folder / ".prices.txt.lock").unlink()
    place.file.rename(place.folder / "prices.txt.1")
    recorder.slot()
    assert place.attempt().ended() == 1
    assert recorder.stop() == 0
