"""Disks that are full, limited, read-only or broken: rows are held, and written in order afterwards."""

import json
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.faults.conftest import PlaceIn, injecting, needs
from tests.faults.place import Place

HELD = "rows are held in memory"
Mount = Callable[..., Path]


class Broken(NamedTuple):
    """An ext4 that can be made to fail: it turns read-only then, under whoever has files open."""

    point: Path
    trigger: Path

    def fail(self) -> None:
        """Has the kernel find an error in it."""
        self.trigger.write_text("a test")


@pytest.fixture
def broken(mounted: Mount, tmp_path: Path) -> Broken:
    needs("root", "loop", "mkfs.ext4", "findmnt")
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(8 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    point = mounted("-o", "loop,errors=remount-ro", str(image))
    found = subprocess.run(["findmnt", "-no", "SOURCE", point], capture_output=True, text=True, check=True)
    return Broken(point, Path("/sys/fs/ext4", Path(found.stdout.strip()).name, "trigger_fs_error"))


def _fill(folder: Path, name: str = "ballast") -> Path:
    """Leaves no byte free in a file system; gives what to remove for some room."""
    ballast = folder / name
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 512):
            pass
    return ballast


def _prove_bridged(place: Place, slots: int, words: str, mend: Callable[[], object]) -> None:
    """Proves that a recorder whose disk is broken holds rows until that is mended, and says each once."""
    recorder = place.runs[-1]
    recorder.slot(3)
    assert place.status["held"] == 3
    assert place.said_once(f"{words}; {HELD}")
    mend()
    recorder.slot(2)
    assert place.status["held"] == 0
    assert place.said_once("4 rows held for 30 s are written")
    assert recorder.stop() == 0
    assert len(place.rows()) == len(place.slots()) == slots + 5
    assert place.said.count(HELD) == 1


def test_a_full_disk_holds_rows_until_there_is_room(mounted: Mount, place_in: PlaceIn) -> None:
    disk = mounted("-t", "tmpfs", "-o", "size=64k", "none")
    place = place_in(disk)
    place.start().slot()
    ballast = _fill(disk)
    recorder = place.runs[-1]
    before = place.file.stat().st_size
    while place.status["held"] == 0:  # the page that the log ends in has room for some rows
        assert place.file.stat().st_size < before + 8192
        recorder.slot()
    held_from = place.acknowledged
    stored = len(place.rows())
    recorder.slot(3)
    assert place.status["held"] == 4
    assert place.acknowledged == held_from
    assert len(place.rows()) == stored, "no half row is left behind"
    ballast.unlink()
    recorder.slot()
    assert place.said_once("5 rows held for 40 s are written")
    assert place.said.count(HELD) == 1
    assert recorder.stop() == 0
    assert len(place.slots()) == stored + 5


def test_a_limit_on_the_file_is_like_a_full_disk(place: Place) -> None:
    recorder = place.start()
    recorder.slot(40)  # the log is longer than the status, which the limit spares so
    recorder.do("limit")
    _prove_bridged(place, 41, "could be written", lambda: recorder.do("unlimit"))


def test_a_file_system_that_breaks_holds_rows_until_another_disk_with_a_copy_takes_its_place(
    broken: Broken, place_in: PlaceIn
) -> None:
    place = place_in(broken.point)
    place.start().slot()
    broken.fail()

    def mend() -> None:
        log, lock = place.file.read_bytes(), broken.point / f".{place.file.name}.lock"
        had_lock = lock.exists()
        subprocess.run(["umount", "--lazy", broken.point], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "none", broken.point], check=True)
        place.file.write_bytes(log)
        assert had_lock
        lock.touch()

    _prove_bridged(place, 2, "Read-only file system", mend)


def test_a_stop_on_a_broken_file_system_says_what_is_lost_and_exits_1(
    broken: Broken, place_in: PlaceIn
) -> None:
    where = {"STATUS": str(broken.point / "status.json"), "STATE": str(broken.point / "state.json")}
    recorder = place_in(broken.point / "log", **where).start()
    broken.fail()
    recorder.slot(2)
    assert recorder.stop() == 1
    said = recorder.said()
    assert "Traceback" not in said
    assert said.count("2 rows could not be written; price repair may fill them") == 1


@pytest.mark.parametrize(("call", "when"), [("write", "3..5"), ("fdatasync", "4..6"), ("openat", "7..8")])
def test_io_errors_hold_rows_until_they_end(place: Place, call: str, when: str) -> None:
    place.folder.mkdir()
    more = ["write:error=EIO:when=3"] if call == "openat" else []  # has the file opened again
    place.start(*injecting(place.file, f"{call}:error=EIO:when={when}", *more)).slot()
    _prove_bridged(place, 2, "Input/output error", lambda: None)


def test_a_stop_while_rows_are_held_tries_once_more(place: Place) -> None:
    recorder = place.start()
    recorder.do("limit", "slot", "slot", "unlimit")
    assert recorder.stop() == 0
    assert place.said_once("2 rows held for 10 s are written")
    assert len(place.slots()) == 3


def test_a_stop_on_a_disk_that_stays_full_says_what_is_lost_and_exits_1(place: Place) -> None:
    recorder = place.start()
    recorder.do("limit", "slot", "slot")
    assert recorder.stop() == 1
    assert place.said_once("2 rows could not be written; price repair may fill them")
    assert len(place.slots()) == 1
    again = place.start()
    assert again.stop() == 0
    assert [(row.reason, row.slots) for row in place.rows()] == [("", 1), ("down", 719), ("", 1)]


def test_a_status_that_does_not_fit_leaves_the_old_one_whole(place: Place) -> None:
    recorder = place.start()
    before = place.status
    size = (place.aside / "status.json").stat().st_size
    recorder.do("limit")
    assert place.file.stat().st_size + 20 < size, "the limit tears the status too"
    recorder.slot(2)
    assert place.status == before
    assert place.said_once("status.json: File too large; recording goes on")
    recorder.do("unlimit", "slot")
    assert place.status["held"] == 0
    assert json.loads((place.aside / "status.json").read_text())["slot"] > before["slot"]
    assert recorder.stop() == 0


def test_held_rows_of_more_than_a_day_leave_a_late_row_for_the_oldest_which_are_given_up(
    place: Place,
) -> None:
    place.settings["INTERVAL"] = "3600"
    place.settings["PAIRS"] = "BTC-USD,ETH-USD"
    recorder = place.start()
    recorder.slot(10)
    recorder.do("limit")
    recorder.slot(29)
    assert place.status["held"] == 24 * 2, "a day of slots"
    recorder.do("unlimit", "slot")
    assert place.said_once("48 rows held for 23 h are written; 10 older ones were given up")
    assert recorder.stop() == 0
    assert len(place.slots()) == 2 * (11 + 24 + 1)
    given_up = [(str(row.pair), row.reason, row.slots) for row in place.rows() if row.missed]
    assert given_up == [("BTC-USD", "late", 5), ("ETH-USD", "late", 5)]
    assert place.file.read_text().count("# price-log") == 1, "no slot is unaccounted for"


def test_slots_given_up_are_late_behind_the_rows_that_a_copy_of_the_log_has_of_them(place: Place) -> None:
    place.settings["INTERVAL"] = "3600"
    place.folder.mkdir()
    place.start(*injecting(place.file, "fdatasync:error=EIO:when=3")).slot()
    copy = shutil.copy(place.file, place.aside / "copy")  # it has the row that was not acknowledged
    recorder = place.runs[-1]
    assert place.status["held"] == 1
    recorder.do("stall")
    recorder.slot(29)
    Path(copy).rename(place.file)
    recorder.do("unlimit", "slot")
    assert place.status["held"] == 0
    assert recorder.stop() == 0
    assert len(place.slots()) == 2 + 24 + 1
    assert [row.slots for row in place.rows() if row.missed] == [5]
    assert place.file.read_text().count("# price-log") == 2


def test_a_folder_removed_from_a_full_disk_is_made_again_once_there_is_room(
    mounted: Mount, place_in: PlaceIn
) -> None:
    disk = mounted("-t", "tmpfs", "-o", "size=64k", "none")
    place = place_in(disk / "log")
    recorder = place.start()
    shutil.rmtree(place.folder)
    _fill(disk)
    recorder.slot()
    _fill(disk, "more")  # what was removed takes room for as long as the recorder has it open
    recorder.slot()
    assert place.status["held"] == 2
    assert place.said_once(f"No space left on device; {HELD}")
    (disk / "ballast").unlink()
    recorder.slot()
    assert place.status["held"] == 0
    assert recorder.stop() == 0
    assert len(place.slots()) == 3


def test_a_new_log_on_a_full_disk_is_said_to_be_begun_once(place: Place) -> None:
    recorder = place.start()
    recorder.do("rotate", "stall", "slot", "slot", "slot")
    recorder.do("unlimit", "slot")
    assert recorder.stop() == 0
    assert place.said.count("a new file is begun") == 2
    assert len(place.rows()) == 4
