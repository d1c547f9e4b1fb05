"""What a sweep needs: recorders by the hundred, and proof of what each left behind."""

import json
import subprocess
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from price import times
from price.model import Quote
from tests.checks import sound
from tests.faults.place import BEGIN, BETWEEN_RUNS, PYTHON, ROOT, Place

PAIRS = ("BTC-USD", "ETH-USD")


class Nursery:
    """Makes recorders at once, traced or not."""

    def __init__(self, **more: str) -> None:
        command = [PYTHON, "-m", "tests.faults.nursery"]
        environ = Place(Path("/nowhere"), Path("/tmp")).environ
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**environ, **more},
        )

    def run(self, place: Place, number: int, commands: Sequence[str], *tracing: str, **more: str) -> int:
        """The exit status of a recorder that was made, and traced if there are options for that."""
        job: dict[str, object] = {
            "now": times.iso(BEGIN + number * BETWEEN_RUNS),
            "environ": {**place.environ, **more},
            "commands": commands,
            "said": str(place.aside / "said"),
        }
        return self.do(job, *tracing)

    def do(self, job: dict[str, object], *tracing: str) -> int:
        """The exit status of what a job, see nursery.py, describes."""
        job["traced"] = bool(tracing)
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


def found(place: Place) -> list[Quote]:
    """The rows of a log and its rotated file, after proof that each is sound."""
    files = [one for one in (Path(f"{place.file}.1"), place.file) if one.exists()]
    return [row for file in files for row in sound(file)]


def prove_kept(place: Place, acknowledged: datetime | None, point: object) -> int:
    """Proves that the acknowledged slots of the first run stand exactly once; gives how many rows."""
    rows = found(place)
    keys = Counter((row.slot, str(row.pair)) for row in rows)
    assert max(keys.values()) == 1, f"{point}: a row stands twice"
    assert [row.slot for row in rows] == sorted(row.slot for row in rows), f"{point}: not in order"
    priced = {(row.slot, str(row.pair)) for row in rows if row.price is not None}
    slot, kept = BEGIN, 0
    while acknowledged and slot <= acknowledged:
        for pair in PAIRS:
            assert (slot, pair) in priced, f"{point}: {slot} {pair} was acknowledged and is lost"
            kept += 1
        slot = times.next_slot(slot, 10)
    return kept
