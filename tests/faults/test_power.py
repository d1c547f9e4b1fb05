"""Power cuts: ext4 and xfs on a loop file are shut down under the recorder, mounted again, and judged.

What counts as acknowledged is noted on another file system, as everywhere here.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest

from tests.faults.conftest import PlaceIn, needs
from tests.faults.place import Place, Recorder
from tests.faults.sweep import PAIRS, Nursery, prove_kept

# no file system brings anything to its disk by itself during a test, nor takes room in advance
FILE_SYSTEMS = {"ext4": (8 << 20, "loop,commit=300"), "xfs": (300 << 20, "loop,allocsize=4k,nouuid")}
LOSES_ITS_LOG, WRITES_ITS_LOG = "shutdown", "shutdown -f"
STORY = ["slot", "slot", "rotate", "slot", "slot", "limit", "slot", "slot", "unlimit", "slot", "stop"]


class Disk:
    """A file system of its own whose power can be cut."""

    def __init__(self, point: Path, image: Path, options: str) -> None:
        self.point = point
        self._image = image
        self._options = options

    def cut(self, how: str, recorder: Recorder) -> None:
        """Cuts the power: from now on nothing reaches the disk, and the recorder is gone too."""
        assert self.point.is_mount(), "never the file system around it"
        subprocess.run(["xfs_io", "-x", "-c", how, self.point], check=True)
        recorder.process.kill()
        recorder.kill()

    def boot(self) -> None:
        """Mounts what is on the disk: what was in memory alone is gone."""
        subprocess.run(["umount", self.point], check=True)
        # a process with mounts of its own may have taken this one along: its file system is no fresh one
        copy = self._image.with_name(f"{self._image.name}+")
        subprocess.run(["cp", "--sparse=always", self._image, copy], check=True)
        self._image.unlink()
        self._image = copy
        subprocess.run(["mount", "-o", self._options, self._image, self.point], check=True)


@pytest.fixture(params=FILE_SYSTEMS)
def disk(request: pytest.FixtureRequest, mounted: Callable[..., Path], tmp_path: Path) -> Disk:
    kind = request.param
    needs("root", "loop", "umount", "xfs_io", f"mkfs.{kind}")
    size, options = FILE_SYSTEMS[kind]
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(size)
    subprocess.run([f"mkfs.{kind}", "-q", image], check=True)
    return Disk(mounted("-o", options, str(image)), image, options)


@pytest.fixture(scope="module")
def nursery(cut: Path) -> Iterator[Nursery]:
    nursery = Nursery(LD_PRELOAD=str(cut))
    yield nursery
    nursery.close()


def test_a_power_cut_in_a_steady_run_loses_no_acknowledged_slot(disk: Disk, place_in: PlaceIn) -> None:
    place = place_in(disk.point / "log")
    known: set[datetime | None] = set()
    for how in (LOSES_ITS_LOG, WRITES_ITS_LOG):
        recorder = place.start()
        known.add(place.acknowledged)
        for _ in range(3):
            recorder.slot()
            known.add(place.acknowledged)
        disk.cut(how, recorder)
        disk.boot()
        assert known == {row.slot for row in place.rows() if row.price is not None}
    assert len(known) == 8
    recorder = place.start()
    recorder.slot()
    assert recorder.stop() == 0
    assert [row.slots for row in place.rows() if row.reason == "down"] == [716, 716]


def test_a_power_cut_while_a_full_disk_refuses_rows_loses_those_alone(disk: Disk, place_in: PlaceIn) -> None:
    place = place_in(disk.point / "log")
    recorder = place.start()
    _fill(disk.point)
    _until(lambda: place.status["held"] == 3, recorder)  # the log's last block has room for some rows
    known = place.acknowledged
    disk.cut(LOSES_ITS_LOG, recorder)
    disk.boot()
    assert place.rows()[-1].slot == known
    recorder = place.start()
    _until(lambda: place.status["held"] == 2, recorder)
    (disk.point / "ballast").unlink()
    _until(lambda: place.status["held"] == 0, recorder)
    known = place.acknowledged
    disk.cut(LOSES_ITS_LOG, recorder)
    disk.boot()
    assert place.rows()[-1].slot == known
    assert [row.reason for row in place.rows() if row.missed] == ["down"]


def _until(true: Callable[[], bool], recorder: Recorder) -> None:
    """Has slots come until something is so: file systems give and take room when they like."""
    for _ in range(200):
        if true():
            return
        recorder.slot()
    raise AssertionError(recorder.said())


def _fill(folder: Path) -> None:
    """Leaves no block free in a file system, without writing any."""
    with (folder / "ballast").open("wb") as file:
        end, step = 0, 1 << 30
        while step >= 4096:
            with suppress(OSError):
                os.posix_fallocate(file.fileno(), end, step)
                end += step
                continue
            step //= 2
        os.fsync(file.fileno())


@pytest.mark.parametrize("flag", ["2", "1"], ids=[LOSES_ITS_LOG, WRITES_ITS_LOG])
def test_a_power_cut_in_the_place_of_any_sync_loses_no_acknowledged_slot(
    disk: Disk, nursery: Nursery, tmp_path: Path, flag: str, record_property: Callable[[str, object], None]
) -> None:
    """Of new folders, a new log, a rotation, rows held and written: always between a write and its sync."""
    cuts = kept = 0
    while _cut_at(cuts + 1, disk, nursery, tmp_path, CUT_FLAG=flag):
        cuts += 1
        kept += _kept(disk, nursery, tmp_path, f"the sync {cuts}")
    assert cuts > 10
    assert kept > 3 * cuts
    record_property("swept", f"{cuts} cuts, {kept} acknowledged rows found")
    print(f"{cuts} cuts, {kept} acknowledged rows, all found")


def test_this_proof_notices_a_disk_that_lies(disk: Disk, nursery: Nursery, tmp_path: Path) -> None:
    assert _cut_at(6, disk, nursery, tmp_path, CUT_FLAG="2", CUT_LIES="1")
    with pytest.raises(AssertionError, match="was acknowledged and is lost"):
        _kept(disk, nursery, tmp_path, "a lie")


def _place(disk: Disk, aside: Path) -> Place:
    return Place(disk.point / "new" / "log", aside, PAIRS=",".join(PAIRS))


def _cut_at(call: int, disk: Disk, nursery: Nursery, aside: Path, **how: str) -> bool:
    """Plays the story in new folders with a cut in the place of a sync; whether it came to that."""
    place = _place(disk, aside)
    shutil.rmtree(disk.point / "new", ignore_errors=True)
    (aside / "status.json").unlink(missing_ok=True)
    status = nursery.run(place, 0, STORY, CUT_DISK=str(disk.point), CUT_CALL=str(call), **how)
    assert status in (-9, 0), (aside / "said").read_text()
    disk.boot()
    return status == -9


def _kept(disk: Disk, nursery: Nursery, aside: Path, point: str) -> int:
    """How many rows were acknowledged, after proof that each is there; recording goes on first."""
    place = _place(disk, aside)
    acknowledged = place.acknowledged
    assert nursery.run(place, 1, ["slot", "stop"]) == 0, (aside / "said").read_text()
    return prove_kept(place, acknowledged, point)
