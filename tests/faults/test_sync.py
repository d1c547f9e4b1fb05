"""Errors of fsync and fdatasync are final: the file is opened again, and no row stands twice."""

import re
from pathlib import Path

import pytest

from tests.faults.conftest import injecting, needs
from tests.faults.place import Place


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    needs("strace")
    return tmp_path / "trace"


def _calls(trace: Path, path: Path) -> list[str]:
    """The traced calls with a path or its descriptor: name and outcome."""
    lines = [line for line in trace.read_text().splitlines() if f"{path}>" in line or f'"{path}"' in line]
    return [
        f"{match[1]} {match[2]}" for line in lines if (match := re.match(r"\d+ +(\w+)\(.*= (-?\d+)", line))
    ]


def test_a_failed_sync_is_never_tried_again_on_the_same_descriptor(place: Place, trace: Path) -> None:
    place.folder.mkdir()
    calls = "trace=openat,write,ftruncate,fdatasync,fsync,close"
    fault = "inject=fdatasync:error=EIO:when=3"
    recorder = place.start(
        "strace", "-f", "-qq", "-y", "-o", str(trace), "-P", str(place.file), "-e", calls, "-e", fault
    )
    recorder.slot()
    assert place.status["held"] == 1
    assert place.acknowledged == place.rows()[0].slot, "it is not acknowledged"
    recorder.slot(2)
    assert recorder.stop() == 0
    assert len(place.rows()) == len(place.slots()) == 4
    made = " ".join(re.sub(r" \d+", "", call) for call in _calls(trace, place.file) if call[-2:] != " x")
    assert "write fdatasync -1 openat ftruncate fdatasync close write fdatasync write" in made


@pytest.mark.parametrize("when", range(2, 7))
def test_a_crash_after_a_failed_sync_leaves_no_row_twice(place: Place, when: int) -> None:
    place.folder.mkdir()
    recorder = place.start(*injecting(place.file, f"fdatasync:error=EIO:when={when}"))
    recorder.slot(when - 2)
    assert place.status["held"] == 1
    known = place.acknowledged
    recorder.kill()
    assert place.start().stop() == 0
    rows = place.rows()
    assert len({row.slot for row in rows}) == len(rows)
    assert known is None or known in {row.slot for row in rows}


def test_a_new_log_is_acknowledged_only_when_its_folders_are_safe_too(place: Place, trace: Path) -> None:
    place.folder = place.aside / "a" / "b"
    place.file = place.folder / "prices.txt"
    place.settings["FILE"] = str(place.file)
    options = ["-f", "-qq", "-y", "-o", str(trace), "-e", "trace=fsync,rename"]
    assert place.start("strace", *options).stop() == 0
    lines = trace.read_text().splitlines()
    first_status = next(number for number, line in enumerate(lines) if "status.json" in line)
    for folder in (place.aside, place.aside / "a", place.folder):
        assert any("fsync(" in line and f"<{folder}>" in line for line in lines[:first_status]), folder


def test_a_new_log_behind_a_link_is_safe_in_the_folder_where_it_is(place: Place, trace: Path) -> None:
    place.folder.mkdir()
    disk = place.aside / "disk"
    disk.mkdir()
    place.file.symlink_to(disk / "prices.txt")
    assert place.start("strace", "-f", "-qq", "-y", "-o", str(trace), "-e", "trace=fsync").stop() == 0
    assert f"<{disk}>" in trace.read_text()
    assert len(place.rows()) == 1
