"""Files: rotated, packed, growing, replaced, and read no further than needed."""

import gzip
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from price import times
from price.cli import main
from price.log.read import PriceLog
from price.log.row import text
from tests.report.asking import HEADER, answer, lines, write

ROOT = Path(__file__).parents[2]


def row(number: int, pair: str = "BTC-USD") -> str:
    return (
        f"2026-11-20T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z {pair} {number + 1} kraken"
    )


def test_reading_while_rows_are_written_gives_whole_rows_only(tmp_path: Path) -> None:
    log = write(tmp_path, row(0))
    coming = (row(5) + "\n" + row(10) + "\n").encode()

    for written in range(len(coming)):
        with Path(log).open("ab") as file:
            file.write(coming[written : written + 1])
        whole = coming[: written + 1].count(b"\n")

        assert lines("history", "--file", log) == [row(0), row(5), row(10)][: 1 + whole]
        assert lines("history", "--file", log, "--last", "1") == [[row(0), row(5), row(10)][whole]]
        assert lines("candles", "--file", log)[0].endswith(f" {1 + whole}")
        assert lines("gaps", "--file", log) == [
            f"100 % complete: {1 + whole} of {1 + whole} slots have a price"
        ]


def test_what_is_appended_after_the_question_is_not_seen(tmp_path: Path) -> None:
    path = write(tmp_path, row(0))

    log = PriceLog(path)
    write(tmp_path, row(0), row(5))
    rows = [text(one) for one in log.rows()]

    assert rows == [row(0)]


def test_a_rotation_during_the_question_loses_nothing(tmp_path: Path) -> None:
    write(tmp_path, row(0), name="prices.txt.1")
    path = write(tmp_path, row(5))

    log = PriceLog(path)
    (tmp_path / "prices.txt.1").rename(tmp_path / "prices.txt.2")
    Path(path).rename(tmp_path / "prices.txt.1")
    write(tmp_path, row(10))
    rows = [text(one) for one in log.rows()]

    assert rows == [row(0), row(5)]


def test_a_log_that_was_just_rotated_is_still_there(tmp_path: Path) -> None:
    write(tmp_path, row(0), name="prices.txt.1")

    assert lines("history", "--file", str(tmp_path / "prices.txt")) == [row(0)]


def test_a_packed_file_may_have_several_members(tmp_path: Path) -> None:
    parts = [HEADER, row(0) + "\n" + row(5)[:9], row(5)[9:] + "\n", row(10) + "\n"]
    packed = b"".join(gzip.compress(part.encode()) for part in parts)
    (tmp_path / "prices.txt.1.gz").write_bytes(packed + b"\0" * 100)

    assert lines("history", "--file", write(tmp_path, row(15))) == [row(0), row(5), row(10), row(15)]


def test_a_damaged_packed_file_matters_to_a_question_that_needs_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = HEADER + "".join(row(number * 5) + "\n" for number in range(2000))
    packed = bytearray(gzip.compress(text.encode(), 0))
    packed[-5000:-4990] = b"\xff" * 10
    (tmp_path / "prices.txt.1.gz").write_bytes(packed)

    log = write(tmp_path, *(row(10000 + number * 5) for number in range(9)))

    status, shown = answer("history", "--file", log)

    assert status == 1
    assert shown.startswith(row(0))
    assert shown.endswith(row(10040) + "\n")
    assert "prices.txt.1.gz: damaged" in capsys.readouterr().err
    assert answer("history", "--file", log, "--last", "1") == (0, row(10040) + "\n")
    assert capsys.readouterr().err == ""


def test_a_file_outside_the_range_is_not_read_through(tmp_path: Path) -> None:
    old = [row(number * 5) for number in range(4000)]
    old[2000] = "no row at all, which would be counted"
    write(tmp_path, *old, name="prices.txt.1")
    path = write(tmp_path, row(20000), row(20005))

    log = PriceLog(path)
    rows = [text(one) for one in log.rows(times.slot_unix("2026-11-20T05:33:20Z"))]

    assert rows == [row(20000), row(20005)]
    assert log.left.lines == 0


def test_a_long_log_gives_an_hour_without_being_read_through(tmp_path: Path) -> None:
    path = write(tmp_path, *(row(number) for number in range(80_000)), header="# price-log 1 every=1s\n")
    damaged = bytearray(Path(path).read_bytes())
    for place in (600_000, 2_900_000):
        damaged[place : place + 200] = b"\n" * 200
    Path(path).write_bytes(damaged)

    log = PriceLog(path)
    start = times.slot_unix("2026-11-20T11:00:00Z")
    rows = [text(one) for one in log.rows(start, start + 3600)]

    assert rows == [row(number) for number in range(39600, 43200)]
    assert log.left.lines == 0


@pytest.mark.parametrize("early", [1, 60])
def test_the_interval_in_force_is_found_far_behind_its_header(tmp_path: Path, early: int) -> None:
    rows = [f"2026-11-19T{hour:02}:00:00Z BTC-USD 1 x" for hour in range(24)]
    later = [row(number * 5) for number in range(12_000)]
    stretch = "2026-11-20T16:40:00Z BTC-USD - down slots=100"
    path = write(tmp_path, *rows, HEADER.rstrip(), *later, stretch, header=f"# price-log 1 every={early}s\n")

    assert lines("history", "--file", path, "--since", "2026-11-20T16:48:11") == [
        "2026-11-20T16:48:15Z BTC-USD - down"
    ]


@pytest.mark.parametrize("number", [6998, 6999])
@pytest.mark.parametrize("damaged", ["", "BTC-USD", "BTC-USD - down slots=", "BTC-USD - down slots=0"])
def test_a_damaged_row_before_the_range_does_not_hide_the_interval(
    tmp_path: Path, damaged: str, number: int
) -> None:
    rows = [row(number * 5) for number in range(7001)]
    rows[number] = f"{rows[number][:21]}{damaged}"
    path = write(tmp_path, *rows)

    assert lines("history", "--file", path, "--since", rows[7000][:20]) == [rows[7000]]


def test_files_are_closed_again(tmp_path: Path) -> None:
    write(tmp_path, row(0), name="prices.txt.1")
    write(tmp_path, name="prices.txt.2")
    path = write(tmp_path, row(5))

    for command in ("history", "candles", "gaps", "verify"):
        lines(command, "--file", path)

    opened = [descriptor.resolve() for descriptor in Path("/proc/self/fd").iterdir()]
    assert [file for file in opened if tmp_path in file.parents] == []


def test_repairs_fill_what_the_log_lacks_or_missed_and_nothing_else(tmp_path: Path) -> None:
    path = write(tmp_path, row(0), "2026-11-20T00:00:05Z BTC-USD - down slots=5", row(30), row(60))
    repaired = [row(seconds).replace("kraken", "bitstamp by=peer") for seconds in (0, 10, 20, 22, 45, 60)]
    write(tmp_path, *repaired, name="repairs.txt")

    assert lines("history", "--file", path) == [
        row(0),
        "2026-11-20T00:00:05Z BTC-USD - down",
        repaired[1],
        "2026-11-20T00:00:15Z BTC-USD - down",
        repaired[2],
        "2026-11-20T00:00:25Z BTC-USD - down",
        row(30),
        repaired[4],
        row(60),
    ]


def test_a_file_of_repairs_alone_can_be_read(tmp_path: Path) -> None:
    path = write(tmp_path, row(0) + " by=peer", name="repairs.txt")

    assert lines("history", "--file", path) == [row(0) + " by=peer"]


def test_the_log_is_the_one_that_the_settings_file_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log").write_text("# price-log 1 every=5s\n2026-11-20T15:52:05Z BTC-USD 1 coinbase\n")
    (tmp_path / "settings").write_text(f"PRICE_FILE={tmp_path / 'log'}\nPRICE_QUORUM=many\n")

    status = main(["history"], {"PRICE_ENV": str(tmp_path / "settings")}, datetime.now(UTC))

    assert (status, capsys.readouterr().out) == (0, "2026-11-20T15:52:05Z BTC-USD 1 coinbase\n")


def test_a_thousand_inherited_descriptors_are_no_trouble(tmp_path: Path) -> None:
    rows = [f"2026-11-20T15:00:{second:02d}Z A-B 1 x" for second in (0, 5)]
    log = write(tmp_path, *rows)
    code = (
        "import os, resource, sys; most = resource.getrlimit(resource.RLIMIT_NOFILE)[1];"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (most, most));"
        "[os.set_inheritable(os.dup(0), True) for _ in range(1100)];"
        f"os.execv(sys.executable, [sys.executable, '-m', 'price', *sys.argv[1:], '--file', {log!r}])"
    )

    for command, shown in (("history", "\n".join(rows)), ("gaps", "100 % complete"), ("verify", "")):
        done = subprocess.run(
            [sys.executable, "-c", code, command], cwd=ROOT, capture_output=True, text=True, check=True
        )

        assert done.stdout.startswith(shown)
        assert done.stderr == ""


@pytest.mark.parametrize(("sound", "needed"), [(20, False), (4, False), (3, False), (2, True)])
@pytest.mark.parametrize("pair", [[], ["--pair", "BTC-USD"]])
def test_an_older_damaged_file_matters_to_the_last_rows_only_if_they_are_in_it(
    tmp_path: Path, pair: list[str], sound: int, needed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    older = gzip.compress((HEADER + "".join(f"{row(5 * number)}\n" for number in range(20))).encode())
    (tmp_path / "prices.txt.1.gz").write_bytes(older[:-30])
    rows = [row(100 + 5 * number) for number in range(sound)]
    log = write(tmp_path, *rows)

    status, shown = answer("history", "--last", "3", *pair, "--file", log)

    assert status == int(needed)
    assert shown.splitlines()[-sound:][-3:] == rows[-3:]
    assert ("prices.txt.1.gz: damaged" in capsys.readouterr().err) == needed
