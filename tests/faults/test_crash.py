"""SIGKILL at every system call with which the recorder touches files, from its start to its stop."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from price import times
from tests.faults.conftest import needs
from tests.faults.place import BEGIN, Place
from tests.faults.sweep import PAIRS, Nursery, prove_kept

CALLS = "write,fdatasync,openat,rename,ftruncate,fchmod,mkdir,unlink"
"""Of calls in between, such as close, nothing is left that is not left at the next one of these."""
STORIES = {
    "a new log in a new folder": ["slot", "slot", "stop"],
    "a log with a torn end": ["slot", "slot", "stop"],
    "a log that is rotated": ["slot", "rotate", "slot", "slot", "stop"],
    "a disk that refuses rows for a while": ["limit", "slot", "slot", "unlimit", "slot", "stop"],
}


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    needs("strace")
    nursery = Nursery()
    yield nursery
    nursery.close()


def _fresh(folder: Path, story: str) -> Place:
    """A place as the story begins."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    place = Place(folder / "new" / "log", folder, PAIRS=",".join(PAIRS))
    if "torn" in story:
        place.folder.mkdir(parents=True)
        rows = [f"{times.iso(BEGIN - timedelta(hours=1))} {pair} - late\n" for pair in PAIRS]
        place.file.write_text(f"# price-log 1 every=10s\n{''.join(rows)}2026-11-20T14:00:10Z BTC-US")
    return place


@pytest.mark.parametrize("story", STORIES)
def test_killed_at_any_system_call_it_loses_no_acknowledged_slot_and_goes_on(
    nursery: Nursery, tmp_path: Path, story: str, record_property: Callable[[str, object], None]
) -> None:
    kept = killed = 0
    for call in CALLS.split(","):
        for number in itertools.count(1):
            place = _fresh(tmp_path / "swept", story)
            kill = f"inject={call}:signal=SIGKILL:when={number}"
            status = nursery.run(place, 0, STORIES[story], "-o", "/dev/null", "-e", kill)
            assert status in (-9, 0), f"{call} {number}: {status}"
            acknowledged = place.acknowledged
            said = place.aside / "said"
            assert nursery.run(place, 1, ["slot", "stop"]) == 0, f"{call} {number}: {said.read_text()}"
            kept += prove_kept(place, acknowledged, (call, number))
            if status == 0:
                break  # the story has no more calls of this name
            killed += 1
    assert killed > 40
    assert kept > killed
    record_property("swept", f"{killed} crashes, {kept} acknowledged rows found")
    print(f"{story}: {killed} crashes, {kept} acknowledged rows, all found")
