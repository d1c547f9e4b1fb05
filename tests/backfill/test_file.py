"""repairs.txt: replaced as a whole, sorted, in steps, by one repair at a time."""

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from price.backfill.file import RepairsFile, refusal
from price.backfill.missing import Missing
from price.backfill.repair import Repair
from price.errors import PriceError
from price.log.row import Row
from tests.backfill.repairing import HEADER, Knows, Shop, at, down, row_of, rows
from tests.report.asking import lines

LOG = [*rows("11:00:00", "11:00:10"), down("11:00:15", 3), *rows("11:00:30", "11:00:40")]
LEARNT = [f"2026-11-20T11:00:{second}Z BTC-USD 99 kraken by=journal" for second in (15, 20, 25)]

REPAIR = "2026-11-20T11:00:20Z BTC-USD 101 kraken by=candle"


def knows(*seconds: int) -> Knows:
    return Knows({(at(f"11:00:{second}"), "BTC-USD"): "99 kraken" for second in seconds})


def test_rows_are_added_in_their_places_and_what_was_there_stays(tmp_path: Path) -> None:
    shop = Shop(tmp_path, LOG)
    shop.write(shop.repairs, [HEADER, REPAIR])

    assert shop.repair("anyone", known=knows(15, 20, 25)) == 0

    assert shop.filled() == [LEARNT[0], REPAIR, LEARNT[2]]
    assert shop.said == "BTC-USD: 2 of 2 missed slots filled by=journal, 0 stay missing\n"
    assert lines("verify", "--file", str(shop.file)) == []


def test_everyone_may_read_it_whatever_the_umask(tmp_path: Path) -> None:
    shop = Shop(tmp_path, LOG)
    before = os.umask(0o077)
    try:
        shop.repair("anyone", known=knows(15))
    finally:
        os.umask(before)

    assert shop.repairs.stat().st_mode & 0o777 == 0o644
    assert shop.repairs.read_text().startswith(f"{HEADER}\n")


def test_where_the_interval_changes_it_has_a_header_as_the_log_does(tmp_path: Path) -> None:
    shop = Shop(tmp_path, [down("11:00:00", 2), *rows("11:00:10", "11:00:55"), "# price-log 1 every=60s"])
    with shop.file.open("a") as log:
        log.write(f"{down('11:01:00', 1)}\n{rows('11:02:00', '11:02:00')[0]}\n")
    known = Knows({(at(time), "BTC-USD"): "99 kraken" for time in ("11:00:05", "11:01:00")})

    shop.repair("anyone", known=known)
    shop.repair("anyone", known=Knows({(at("11:00:00"), "BTC-USD"): "99 kraken"}))

    text = shop.repairs.read_text().splitlines()
    assert [one if one[0] == "#" else one[11:19] for one in text] == [
        *(HEADER, "11:00:00", "11:00:05"),
        *("# price-log 1 every=60s", "11:01:00"),
    ]
    assert lines("verify", "--file", str(shop.file)) == []


@pytest.mark.parametrize(
    ("log", "words", "said"),
    [
        (LOG, [], "BTC-USD: 0 of 3 missed slots filled by=journal, 3 stay missing\n"),
        (LOG, ["--pair", "BTC-USD"], "BTC-USD: 0 of 3 missed slots filled by=journal, 3 stay missing\n"),
        (LOG, ["--pair", "DOGE-USD"], "DOGE-USD: the log has no rows of it\n"),
        (rows("11:00:00", "11:00:10"), [], "no slot is missed\n"),
    ],
)
def test_where_nothing_can_be_filled_that_is_told_and_no_file_is_made(
    tmp_path: Path, log: list[str], words: list[str], said: str
) -> None:
    shop = Shop(tmp_path, log)

    shop.repair("anyone", *words, known=knows(10))

    assert (shop.said, shop.repairs.exists()) == (said, False)


class Unasked(Knows):
    """A provider whom nobody may ask."""

    def fetch(self, missing: Missing, repair: Repair) -> Iterator[Row]:
        raise AssertionError("it was asked")


ETH_REPAIR = REPAIR.replace("BTC", "ETH")


@pytest.mark.parametrize(
    ("bad", "number"),
    [
        ([HEADER, REPAIR, REPAIR.replace(":20Z", ":15Z")], 3),
        ([HEADER, REPAIR, "what is this"], 3),
        ([HEADER, "what is this"], 2),
        ([HEADER, REPAIR, REPAIR], 3),
        ([HEADER, REPAIR, ETH_REPAIR, REPAIR], 4),
        ([HEADER, "# a comment", "2026-11-20T11:00:15Z BTC-USD - down", REPAIR], 3),
        ([HEADER, REPAIR.replace("-20T", "-31T"), REPAIR], 2),
        ([HEADER, REPAIR, "# price-log 1 every=0s", ETH_REPAIR], 3),
        ([REPAIR], 1),
    ],
)
def test_a_damaged_file_is_left_as_it_is_and_named_before_anybody_is_asked(
    tmp_path: Path, bad: list[str], number: int
) -> None:
    shop = Shop(tmp_path, LOG)
    shop.write(shop.repairs, bad)
    before = shop.repairs.read_bytes()

    with pytest.raises(PriceError, match=rf"repairs\.txt:{number}: damaged: .*: mend it or move it away"):
        shop.repair("anyone", "--since", "2026-11-20T11:00:25Z", known=Unasked({}))

    assert shop.repairs.read_bytes() == before


def test_a_second_repair_of_the_same_log_waits_for_nobody(tmp_path: Path) -> None:
    shop = Shop(tmp_path, LOG)
    with (
        RepairsFile(str(shop.file), simulated=False),
        pytest.raises(PriceError, match="another repair of this log is under way: wait for its end"),
    ):
        shop.repair("anyone", known=knows(15))

    assert shop.repair("anyone", known=knows(15)) == 0


class Slow(Knows):
    """Takes a while, looks at the file meanwhile, gives a slot twice, differently, and is interrupted."""

    def __init__(self, shop: Shop) -> None:
        super().__init__({})
        self._shop = shop
        self.seen: list[list[str]] = []

    def fetch(self, missing: Missing, repair: Repair) -> Iterator[Row]:
        for second, price in ((15, 99), (15, 98), (20, 99), (25, 99)):
            self._shop.clock.freeze(11)
            self.seen.append(self._shop.filled())
            if second == 25:
                raise KeyboardInterrupt
            self._shop.clock.freeze(0 if second == 15 else -11)
            yield row_of((at(f"11:00:{second}"), "BTC-USD"), f"{price} kraken")


def test_what_is_learnt_is_on_disk_every_ten_seconds_and_after_an_interruption(tmp_path: Path) -> None:
    shop = Shop(tmp_path, LOG)
    slow = Slow(shop)

    with pytest.raises(KeyboardInterrupt):
        shop.repair("anyone", known=slow)

    assert slow.seen == [[], LEARNT[:1], LEARNT[:1], LEARNT[:1]]
    assert shop.filled() == LEARNT[:2]
    assert not (tmp_path / ".repairs.txt.new").exists()


class Stopped(Knows):
    """Is told to stop after the first answer, as systemd and `timeout` do."""

    def fetch(self, missing: Missing, repair: Repair) -> Iterator[Row]:
        for slot, said in self.known.items():
            yield row_of(slot, said)
            os.kill(os.getpid(), signal.SIGTERM)


def stop_a_repair(folder: str) -> None:
    """Repairs in a process of its own, which is stopped."""
    Shop(Path(folder), LOG).repair("anyone", known=Stopped(knows(15, 20).known))


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "logs", LOG)
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "kept.txt"
    shop.write(target, [HEADER, REPAIR])
    shop.repairs.symlink_to(target)

    shop.repair("anyone", known=knows(15))

    assert shop.repairs.is_symlink()
    assert target.read_text().splitlines() == [HEADER, LEARNT[0], REPAIR]
    assert [path.name for path in target.parent.iterdir()] == ["kept.txt"]


def test_a_folder_in_its_place_is_named_before_anybody_is_asked(tmp_path: Path) -> None:
    shop = Shop(tmp_path, LOG)
    shop.repairs.mkdir()

    with pytest.raises(PriceError, match=r"/repairs\.txt: not a file: move it away, repairs belong there"):
        shop.repair("anyone", known=Unasked({}))


def test_who_stops_a_repair_keeps_what_was_learnt_and_hears_nothing(tmp_path: Path) -> None:
    code = f"from tests.backfill.test_file import stop_a_repair; stop_a_repair({str(tmp_path)!r})"

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)

    assert (ended.returncode, ended.stdout, ended.stderr) == (143, b"", b"")
    assert Shop(tmp_path).filled() == LEARNT[:1]


def test_a_disk_that_takes_no_more_is_told_with_the_file(tmp_path: Path) -> None:
    shop = Shop(tmp_path, LOG)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
    try:
        with pytest.raises(
            PriceError, match=r"/repairs\.txt: File too large: see to the disk and repair again"
        ):
            shop.repair("anyone", known=knows(15))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert sorted(path.name for path in tmp_path.iterdir()) == [".repairs.txt.lock", "prices.txt"]


@pytest.mark.parametrize(
    ("number", "step"),
    [
        (errno.ENOSPC, "No space left on device: make room there and repair again"),
        (errno.EROFS, "Read-only file system: mount it for writing and repair again"),
        (errno.EACCES, "Permission denied: run this as the owner of the folder that the log is in"),
    ],
)
def test_what_the_disk_refuses_is_told_with_what_helps(tmp_path: Path, number: int, step: str) -> None:
    lock = tmp_path / ".repairs.txt.lock"

    assert refusal(lock, OSError(number, os.strerror(number)), is_lock=True) == f"{lock}: {step}"


def test_a_lock_that_is_not_ours_is_told_with_its_owner(tmp_path: Path) -> None:
    lock = tmp_path / ".repairs.txt.lock"
    lock.touch()

    told = refusal(lock, OSError(errno.EACCES, os.strerror(errno.EACCES)), is_lock=True)

    assert told == (
        f"{lock}: Permission denied: it belongs to {lock.owner()}: run this as that user, or remove it"
    )
