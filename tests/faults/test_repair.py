"""SIGKILL at every system call with which a repair touches files, and root in other people's folders."""

import os
import re
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from price import host
from price.backfill import command, peer  # noqa: F401 - nobody may read this folder of root's
from price.errors import PriceError
from price.host.owner import become, strangers
from tests.backfill.repairing import Shop, down, rows
from tests.faults.conftest import needs
from tests.faults.sweep import Nursery
from tests.faults.test_crash import CALLS
from tests.report.asking import lines

LOG = """# price-log 1 every=5s
2026-11-20T11:00:00Z BTC-USD 5 kraken
2026-11-20T11:00:05Z BTC-USD - down slots=3
2026-11-20T11:00:20Z BTC-USD 5 kraken
"""
PEER = LOG.replace("- down slots=3", "5.1 kraken")
OLD = "# price-log 1 every=5s\n2026-11-20T11:00:10Z BTC-USD 7 kraken by=candle\n"
NEW = OLD.replace("2026", "2026-11-20T11:00:05Z BTC-USD 5.1 kraken by=peer\n2026")


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


NOBODY = 65534


@pytest.fixture
def others() -> Iterator[Path]:
    """A folder that everyone can reach, with one of nobody's in it."""
    needs("root")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "theirs").mkdir()
        os.chown(folder / "theirs", NOBODY, NOBODY)
        yield folder


def in_a_child(work: Callable[[], object]) -> int:
    """Does some work in a process of its own, which may give up root for good; its exit status."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except (AssertionError, OSError, PriceError):
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_root_gives_up_every_right_and_gets_none_back(others: Path) -> None:
    def work() -> None:
        become(NOBODY)
        assert os.getresuid() == os.getresgid() == (NOBODY,) * 3
        assert 0 not in os.getgroups()
        for regain in (os.setuid, os.seteuid, os.setgid):
            with pytest.raises(PermissionError):
                regain(0)

    assert in_a_child(work) == 0


def test_who_could_lead_root_elsewhere_is_seen_on_every_way(others: Path) -> None:
    (others / "ours").mkdir()
    theirs = others / "theirs"
    (theirs / "away").symlink_to(others / "ours")
    (others / "link").symlink_to("theirs/away/../ours")
    (others / "planted").symlink_to("/etc")
    os.lchown(others / "planted", NOBODY, NOBODY)
    (others / "endless").symlink_to("endless")

    assert [*strangers(others / "ours" / "prices.txt")] == []
    assert [*strangers(theirs / "prices.txt")] == [NOBODY]
    assert [*strangers(theirs / "away" / "prices.txt")] == [NOBODY]
    assert [*strangers(others / "link" / "prices.txt")] == [NOBODY]
    assert [*strangers(others / "planted" / "prices.txt")] == [NOBODY]
    assert [*strangers(others / "endless" / "prices.txt")] == []
    assert [*strangers(others / "nowhere" / "prices.txt")] == []


@pytest.mark.parametrize("trap", ["repairs.txt", ".repairs.txt.lock", ".repairs.txt.new"])
@pytest.mark.parametrize("target", ["secret", "new"])
def test_root_follows_no_link_that_the_owner_of_the_folder_made(others: Path, trap: str, target: str) -> None:
    (others / "secret").write_text("secret")
    shop = Shop(others / "theirs", [*rows("11:00:00", "11:00:10"), down("11:00:15", 2)])
    other = Shop(others / "other", rows("11:00:00", "11:00:20"))
    (shop.folder / trap).symlink_to(others / target)
    os.lchown(shop.folder / trap, NOBODY, NOBODY)

    in_a_child(lambda: shop.repair(str(other.file)))

    assert sorted(path.name for path in others.iterdir()) == ["other", "secret", "theirs"]
    assert (others / "secret").read_text() == "secret"


def test_what_root_repairs_belongs_to_the_owner_of_the_folder(others: Path) -> None:
    shop = Shop(others / "theirs", [*rows("11:00:00", "11:00:10"), down("11:00:15", 2)])
    other = Shop(others / "other", rows("11:00:00", "11:00:20"))

    assert in_a_child(lambda: shop.repair(str(other.file))) == 0

    assert len(shop.filled()) == 2
    assert {path.owner() for path in shop.folder.iterdir() if path.name != "prices.txt"} == {"nobody"}


def test_root_stays_root_in_folders_of_its_own(others: Path) -> None:
    def work() -> None:
        host.become_owner(others / "prices.txt", others / "repairs.txt")
        os.setuid(0)

    assert in_a_child(work) == 0
