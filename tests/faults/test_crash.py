"""SIGKILL at every system call with which the recorder touches files, from its start to its stop."""

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from price import times
from price.quote import Quote
from tests.checks import sound
from tests.faults.conftest import needs
from tests.faults.place import BEGIN, BETWEEN_RUNS, PYTHON, ROOT, Place

CALLS = "write,fdatasync,fsync,openat,rename,ftruncate,fchmod,mkdir,flock,unlink,close"
STORIES = {
    "a new log in a new folder": ["slot", "slot", "stop"],
    "a log with a torn end": ["slot", "slot", "stop"],
    "a log that is rotated": ["slot", "rotate", "slot", "slot", "stop"],
    "a disk that refuses rows for a while": [
        "slot",
        "limit",
        "slot",
        "slot",
        "unlimit",
        "slot",
        "slot",
        "stop",
    ],
}
PAIRS = ("BTC-USD", "ETH-USD")


class Nursery:
    """Makes recorders at once, traced or not."""

    def __init__(self) -> None:
        command = [PYTHON, "-m", "tests.faults.nursery"]
        self._environ = Place(Path("/nowhere"), Path("/tmp")).environ
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=self._environ
        )

    def run(self, place: Place, number: int, commands: Sequence[str], *tracing: str) -> int:
        """The exit status of a recorder that was made, and traced if there are options for that."""
        job = {
            "now": times.iso(BEGIN + number * BETWEEN_RUNS),
            "environ": place.environ,
            "commands": commands,
            "said": str(place.aside / "said"),
            "traced": bool(tracing),
        }
        assert self._process.stdin is not None
        print(json.dumps(job), file=self._process.stdin, flush=True)
        recorder = self._line()
        if tracing:
            inject = ["-e", "inject=getppid:retval=1"]
            subprocess.run(["strace", "-f", "-qq", *tracing, *inject, "-p", recorder], check=False)
        return int(self._line())

    def close(self) -> None:
        """Ends it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


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
        rows = [f"{times.iso(BEGIN - timedelta(hours=1))} {pair} 7 simulated\n" for pair in PAIRS]
        place.file.write_text(f"# price-log 1 every=10s\n{''.join(rows)}2026-11-20T14:00:10Z BTC-US")
    return place


def _points(nursery: Nursery, folder: Path, story: str) -> list[tuple[str, int]]:
    """The system calls that a story makes without a crash: name, and the how manieth of that name."""
    trace = folder / "trace"
    place = _fresh(folder / "calls", story)
    assert nursery.run(place, 0, STORIES[story], "-o", str(trace), "-e", f"trace={CALLS},getppid") == 0
    names = re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE)
    seen: Counter[str] = Counter()
    points = []
    for name in names:
        seen[name] += 1
        if name != "getppid":
            points.append((name, seen[name]))
    return points


def _found(place: Place) -> list[Quote]:
    files = [one for one in (Path(f"{place.file}.1"), place.file) if one.exists()]
    return [row for file in files for row in sound(file)]


def _prove_kept(place: Place, acknowledged: str | None, point: object) -> int:
    """Proves that the acknowledged slots of the first run stand exactly once; gives how many rows."""
    rows = _found(place)
    keys = Counter((row.slot, str(row.pair)) for row in rows)
    assert max(keys.values()) == 1, f"{point}: a row stands twice"
    assert [row.slot for row in rows] == sorted(row.slot for row in rows), f"{point}: not in order"
    priced = {(row.slot, str(row.pair)) for row in rows if row.price is not None}
    slot, kept = BEGIN, 0
    while acknowledged and slot <= times.parse_iso(acknowledged):
        for pair in PAIRS:
            assert (slot, pair) in priced, f"{point}: {slot} {pair} was acknowledged and is lost"
            kept += 1
        slot = times.next_slot(slot, 10)
    return kept


@pytest.mark.parametrize("story", STORIES)
def test_killed_at_any_system_call_it_loses_no_acknowledged_slot_and_goes_on(
    nursery: Nursery, tmp_path: Path, story: str, record_property: Callable[[str, object], None]
) -> None:
    points = _points(nursery, tmp_path, story)
    kept = killed = 0
    for point in points:
        place = _fresh(tmp_path / "swept", story)
        kill = f"inject={point[0]}:signal=SIGKILL:when={point[1]}"
        status = nursery.run(place, 0, STORIES[story], "-o", "/dev/null", "-e", kill)
        assert status in (-9, 0), f"{point}: {status}"
        killed += status == -9
        acknowledged = place.status["slot"] if (place.aside / "status.json").exists() else None
        assert nursery.run(place, 1, ["slot", "stop"]) == 0, f"{point}: {(place.aside / 'said').read_text()}"
        kept += _prove_kept(place, acknowledged, point)
    # a call more or less from run to run puts a point or two behind the end of the story
    assert killed > 40
    assert len(points) - killed <= 3
    assert kept > killed
    record_property("swept", f"{killed} crashes, {kept} acknowledged rows found")
    print(f"{story}: {killed} crashes, {kept} acknowledged rows, all found")
