"""SIGKILL at every system call with which a repair touches files."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import needs
from tests.faults.sweep import Nursery
from tests.faults.test_crash import CALLS
from tests.report.asking import lines

LOG = """# price-log 1 every=5s
2026-11-20T11:00:00Z BTC-USD 5 kraken
2026-11-20T11:00:05Z BTC-USD - down slots=3
2026-11-20T11:00:20Z BTC-USD 5 kraken
"""
PEER = LOG.replace("- down slots=3", "6 kraken")
OLD = "# price-log 1 every=5s\n2026-11-20T11:00:10Z BTC-USD 7 kraken by=candle\n"
NEW = OLD.replace("2026", "2026-11-20T11:00:05Z BTC-USD 6 kraken by=peer\n2026")


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    needs("strace")
    nursery = Nursery()
    yield nursery
    nursery.close()


def fresh(folder: Path) -> Path:
    """A log with a repair already, and another recorder's beside it."""
    (folder / "peer").mkdir(parents=True, exist_ok=True)
    (folder / "prices.txt").write_text(LOG)
    (folder / "repairs.txt").write_text(OLD)
    (folder / "peer" / "prices.txt").write_text(PEER)
    return folder / "prices.txt"


def test_killed_at_any_system_call_and_repeated_is_once(nursery: Nursery, tmp_path: Path) -> None:
    def repair(file: Path, *tracing: str) -> int:
        words = ["repair", "--from", str(file.parent / "peer" / "prices.txt"), "--file", str(file)]
        job: dict[str, object] = {"words": words, "environ": {}, "now": "2026-11-20T15:00:00Z"}
        return nursery.do({**job, "said": str(tmp_path / "said")}, *tracing)

    file, trace = fresh(tmp_path / "calls"), tmp_path / "trace"
    assert repair(file, "-o", str(trace), "-e", f"trace={CALLS},getppid") == 0
    assert (file.parent / "repairs.txt").read_text() == NEW
    names = [
        name for name in re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE) if name != "getppid"
    ]
    points = [(name, names[: place + 1].count(name)) for place, name in enumerate(names)]
    kept = set()
    for name, number in points:
        file = fresh(tmp_path / f"{name}{number}")
        status = repair(file, "-o", "/dev/null", "-e", f"inject={name}:signal=SIGKILL:when={number}")
        assert status in (-9, 0), f"{name} {number}: {status}"
        left = (file.parent / "repairs.txt").read_text()
        assert left in (OLD, NEW), f"{name} {number}"
        kept.add((status, left == NEW))
        assert repair(file) == 0, (tmp_path / "said").read_text()
        assert (file.parent / "repairs.txt").read_text() == NEW
        assert file.read_text() == LOG
        assert lines("verify", "--file", str(file)) == []
    assert {(-9, False), (-9, True)} <= kept
    assert len(points) > 20
