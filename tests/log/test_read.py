"""The log as one sequence of rows: which files belong to it, and what is left out and told."""

import bz2
import gzip
import lzma
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from price import times
from price.log.file import BLOCK
from price.log.files import log_files
from price.log.read import PriceLog
from price.log.row import text
from tests.needs import unlike_windows
from tests.report.asking import HEADER, answer, lines, write

STRANGE = b"\x28\xb5\x2f\xfd"
PACKS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
}


def row(second: int, price: str = "") -> str:
    time = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    return f"2026-11-20T{time}Z BTC-USD {price or second + 1} kraken"


def content(*rows: str) -> bytes:
    return (HEADER + "".join(f"{one}\n" for one in rows)).encode()


ROTATED = [
    "prices.txt-20261125", "prices.txt.20261125", "prices.txt_2026-11-25", "prices.txt-20261125.txt",
    "prices.txt-20261125-1732500000", "prices.txt.1", "prices.txt.12", "prices-20261125.txt", "prices.1.txt",
    "prices.txt-2026-W47", "prices.txt-20261125.bak", "prices.txt-W47", "prices.txt_week47", "prices.txt.gz",
    "prices.txt.old", "prices.txt.xz",
]  # fmt: skip


@pytest.mark.parametrize("name", ROTATED)
def test_whatever_logrotate_calls_a_rotated_file_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(content(row(0), row(5)))
    log = write(tmp_path, row(10))

    assert lines("history", "--file", log) == [row(0), row(5), row(10)]
    assert answer("verify", "--file", log) == (0, "")


@pytest.mark.parametrize(
    "name", ["prices.txt-20261125.gz", "prices.txt.2.xz", "prices.txt.1", "prices-20261125.txt.bz2"]
)
@pytest.mark.parametrize("pack", PACKS.values())
def test_a_packed_file_is_known_by_its_bytes_not_by_its_name(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    (tmp_path / name).write_bytes(pack(content(row(0), row(5))))
    log = write(tmp_path, row(10))

    assert lines("history", "--file", log) == [row(0), row(5), row(10)]
    assert lines("history", "--file", log, "--since", "2026-11-20T00:00:05Z") == [row(5), row(10)]


def test_files_of_several_names_are_in_the_order_of_their_rows(tmp_path: Path) -> None:
    for second, name in (
        (0, "prices.txt.9"),
        (5, "prices.txt-20260101"),
        (10, "prices.txt.20251231"),
        (15, "prices.txt.10.gz"),
    ):
        packed = gzip.compress if name.endswith(".gz") else bytes
        (tmp_path / name).write_bytes(packed(content(row(second))))
    log = write(tmp_path, row(20))

    assert lines("history", "--file", log) == [row(second) for second in range(0, 25, 5)]


@pytest.mark.parametrize(
    "name", ["prices-2.txt", "prices.txt.cut", "prices.txt.lock", "prices.txt~", "prices.txtx", "price.txt.1"]
)
def test_another_file_beside_the_log_is_not_of_it(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content(row(0)))
    log = write(tmp_path, row(10))

    assert lines("history", "--file", log) == [row(10)]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("begun", "form"), [(STRANGE, "zstd"), (b"\x04\x22\x4d\x18", "lz4"), (b"Dear reader", "not a price log")]
)
def test_a_rotated_file_that_is_not_read_is_named_once(
    tmp_path: Path, begun: bytes, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prices.txt-20261125.zst").write_bytes(begun + b" and so on\n")
    log = write(tmp_path, row(10))

    for command in ("history", "gaps", "candles"):
        status, shown = answer(command, "--file", log)
        told = capsys.readouterr().err
        assert (status, shown != "") == (0, True)
        assert told.count("prices.txt-20261125.zst") == 1
        assert form in told
    status, shown = answer("verify", "--file", log)
    assert status == 1
    assert "prices.txt-20261125.zst:1: " in shown


@unlike_windows("Wine makes no links, and Windows only for an administrator")
def test_a_log_behind_a_link_is_read_with_the_files_beside_either(tmp_path: Path) -> None:
    data, logs = tmp_path / "data", tmp_path / "logs"
    data.mkdir()
    logs.mkdir()
    write(data, row(0), name="prices.txt.2")
    write(data, row(10))
    (logs / "prices.txt").symlink_to("../data/prices.txt")
    (logs / "prices.txt.1").symlink_to(shutil.copy(write(tmp_path, row(5), name="elsewhere"), data / "old"))
    (logs / "prices.txt.3").symlink_to("nowhere")

    assert lines("history", "--file", str(logs / "prices.txt")) == [row(0), row(5), row(10)]


@unlike_windows("its named pipes are in no folder")
def test_a_folder_is_no_file_of_the_log_and_a_pipe_is_named_and_not_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prices.txt-20261125").mkdir()
    os.mkfifo(tmp_path / "prices.txt.1")
    log = write(tmp_path, row(10))

    assert lines("history", "--file", log) == [row(10)]
    told = capsys.readouterr().err
    assert "prices.txt.1: not a file" in told
    assert told.count("\n") == 1


@unlike_windows("a process may have 8,192 descriptors, and Wine takes a millisecond for each question")
def test_two_thousand_rotated_files_need_no_more_descriptors_than_one(tmp_path: Path) -> None:
    for number in range(2000):
        (tmp_path / f"prices.txt.{2000 - number}").write_bytes(content(row(number * 5)))
    log = write(tmp_path, row(10_000))

    assert len(lines("history", "--file", log)) == 2001


def test_bytes_behind_a_packed_file_are_left_out_with_one_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prices.txt.1.gz").write_bytes(gzip.compress(content(row(0), row(5))) + b"\r\n")
    log = write(tmp_path, row(10))

    assert answer("history", "--file", log) == (0, "".join(f"{one}\n" for one in (row(0), row(5), row(10))))
    assert capsys.readouterr().err.count("\n") == 1
    assert answer("verify", "--file", log)[0] == 1


def test_a_row_that_stands_twice_counts_once_and_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(tmp_path, *(row(second) for second in range(0, 50, 5)))
    shutil.copy(log, f"{log}.1")

    assert lines("gaps", "--file", log) == ["100 % complete: 10 of 10 slots have a price"]
    assert "10 rows stand twice" in capsys.readouterr().err
    assert len(lines("history", "--file", log)) == 10


def test_files_whose_rows_overlap_are_merged(tmp_path: Path) -> None:
    write(tmp_path, *(row(second) for second in range(0, 60, 10)), name="prices.txt.2")
    write(tmp_path, row(5), row(15, "7"), row(20, "8"), name="prices.txt-20261125")
    log = write(tmp_path, row(35), row(60))

    shown = [text(one) for one in PriceLog(log).rows()]

    assert shown == [
        row(second, "7" if second == 15 else "") for second in (0, 5, 10, 15, 20, 30, 35, 40, 50, 60)
    ]


def test_a_row_that_is_earlier_than_one_before_it_never_moves_a_close_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(tmp_path, row(0, "1"), row(10, "3"), row(5, "9"), row(15, "4"))

    assert lines("candles", "--file", log) == ["2026-11-20T00:00:00Z BTC-USD 1 4 1 4 3"]
    assert "1 row is earlier than one before it" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["1926", "2926"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_row_of_a_wrong_time_changes_no_range(tmp_path: Path, packed: bool, wrong: str) -> None:
    rows = [row(5 * number) for number in range(2000)]
    rows[1000] = f"{rows[1000][:20]} BTC-USD - down slots=500"  # up to the row 1500
    del rows[1001:1500]
    for at in (3, 250, 500, 750, 900, 1003, 1250):  # the search asks at halves and quarters
        rows.insert(at, row(7, "2").replace("2026", wrong))
    text = content(*rows)
    (tmp_path / "prices.txt.1").write_bytes(gzip.compress(text) if packed else text)
    log = write(tmp_path, row(10_000))

    for first in (100, 600, 999, 1200, 1600):
        since = row(5 * first)[:20]
        missed = f"{since} BTC-USD - down slots=300"
        wanted = [missed] if first == 1200 else [row(5 * first)]

        assert lines("history", "--file", log, "--since", since)[:1] == wanted


def test_a_copy_of_a_packed_file_hides_none_of_its_rows(tmp_path: Path) -> None:
    rows = [row(5 * number) for number in range(100)]
    (tmp_path / "prices.txt-20261119.gz").write_bytes(gzip.compress(content(*rows)))
    write(tmp_path, *rows[:10], name="prices.txt.1")
    log = write(tmp_path, row(500))

    assert lines("history", "--file", log, "--since", rows[50][:20]) == [*rows[50:], row(500)]


@pytest.mark.parametrize("packed", [False, True])
def test_a_long_stretch_without_a_line_end_is_passed_in_bounded_memory(tmp_path: Path, packed: bool) -> None:
    middle = b"\0" * 20_000_000 + b"\n"
    whole = content(row(0)) + middle + f"{row(5)}\n{row(10)}\n".encode()
    (tmp_path / ("prices.txt.1" if packed else "prices.txt")).write_bytes(
        gzip.compress(whole, 1) if packed else whole
    )
    log = str(tmp_path / "prices.txt")

    assert lines("history", "--file", log) == [row(0), row(5), row(10)]
    assert lines("history", "--file", log, "--last", "1") == [row(10)]
    status, shown = answer("verify", "--file", log)
    assert (status, shown.count("\n")) == (1, 1)
    assert ":3: over 64 KiB without a line end" in shown


def test_a_header_with_words_of_a_later_version_opens_a_log(tmp_path: Path) -> None:
    log = write(tmp_path, row(0), header="# price-log 1 every=5s simulated checked=yes\n")

    assert lines("history", "--file", log) == [row(0)]
    assert log_files(log)[0].simulated


def test_a_hole_without_rows_is_a_gap(tmp_path: Path) -> None:
    log = write(tmp_path, row(0), row(5), row(300), row(305))

    assert lines("gaps", "--file", log) == [
        "2026-11-20T00:00:10Z 2026-11-20T00:04:55Z BTC-USD 58 unrecorded",
        "6.4516 % complete: 4 of 62 slots have a price",
    ]


def test_what_a_later_version_adds_to_rows_is_passed_on(tmp_path: Path) -> None:
    log = write(
        tmp_path, row(0) + " spread=0.1234 note=a:b", "2026-11-20T00:00:05Z BTC-USD - down slots=3 why=x"
    )

    assert lines("history", "--file", log)[0] == row(0) + " spread=0.1234 note=a:b"
    assert lines("history", "--file", log, "--since", "2026-11-20T00:00:10Z") == [
        "2026-11-20T00:00:10Z BTC-USD - down slots=2 why=x"
    ]
    assert lines("history", "--file", log, "--format", "csv")[1].endswith(",spread=0.1234 note=a:b")
    assert '"spread": "0.1234"' in lines("history", "--file", log, "--format", "json")[0]


def test_a_file_that_is_packed_while_the_log_is_read_is_found_again(tmp_path: Path) -> None:
    old = Path(write(tmp_path, row(0), row(5), name="prices.txt.1"))
    log = PriceLog(write(tmp_path, row(10)))

    (tmp_path / "prices.txt.1.gz").write_bytes(gzip.compress(old.read_bytes()))
    old.unlink()

    assert [text(one) for one in log.rows(times.slot_unix("2026-11-20T00:00:05Z"))] == [row(5), row(10)]
    assert log.left.report() == ""


def test_a_header_glued_behind_a_row_costs_that_line_alone(tmp_path: Path) -> None:
    log = write(tmp_path, row(0), f"{row(5)}# price-log 1 every=5s", row(10), f"x{HEADER}".rstrip(), row(15))

    assert lines("history", "--file", log) == [row(0), row(10), row(15)]
    for command in ("gaps", "candles", "verify"):
        assert answer(command, "--file", log)[0] in (0, 1)


@pytest.mark.parametrize("name", ["prices.txt", "prices.txt.1", "prices.txt-20261125"])
@pytest.mark.parametrize("ending", PACKS)
def test_a_packed_file_is_left_alone_only_while_it_is_packed(
    tmp_path: Path, name: str, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = PACKS[ending]
    log = write(tmp_path, row(20))
    (tmp_path / name).write_bytes(content(row(10), row(15)))
    rest = [row(10), row(15), *([row(20)] if name != "prices.txt" else [])]

    (tmp_path / f"{name}{ending}").write_bytes(pack(content(row(10), row(15))))
    assert lines("history", "--file", log) == rest
    assert capsys.readouterr().err == ""

    (tmp_path / f"{name}{ending}").write_bytes(pack(content(row(0), row(5))))
    assert lines("history", "--file", log) == [row(0), row(5), *rest]


@unlike_windows("Wine makes no links, and Windows only for an administrator")
def test_a_file_that_cannot_be_looked_at_is_named_and_stops_no_reader(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(tmp_path, row(10))
    (tmp_path / "prices.txt.1").symlink_to("prices.txt.2")
    (tmp_path / "prices.txt.2").symlink_to("prices.txt.1")
    (tmp_path / "prices.txt.3").symlink_to("n" * 300)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "prices.txt.4"))

    assert lines("history", "--file", log) == [row(10)]

    told = capsys.readouterr().err
    assert [told.count(f"prices.txt.{number}: ") for number in (1, 2, 3, 4)] == [1, 1, 1, 1]
    assert "prices.txt.4: not a file: " in told
    assert answer("verify", "--file", log)[0] == 1


@pytest.mark.parametrize("late", ["2036-01-01T00:00:00Z", "2026-11-21T00:00:00Z"])
@pytest.mark.parametrize("at", ["end of a block", "before a header", "in the middle"])
def test_a_wrong_late_time_hides_no_later_row(
    tmp_path: Path, late: str, at: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = [row(5 * number, "1.5") for number in range(4000)]
    size = len(f"{sound[0]}\n")
    place = (BLOCK - len(HEADER)) // size - 1 if at == "end of a block" else 99
    rows = [*sound[:place], f"{late}{sound[place][20:]}", *sound[place + 1 :]]
    if at == "before a header":
        rows.insert(place + 1, HEADER.strip())
    log = write(tmp_path, *rows)

    shown = lines("history", "--file", log, "--until", "2026-11-20T12:00:00Z")

    assert shown == sound[:place] + sound[place + 1 :]
    assert "1 row is earlier than one before it" in capsys.readouterr().err


@pytest.mark.parametrize("at", [0, 1, 2, 3], ids=["first", "second", "third", "last"])
@pytest.mark.parametrize("damage", [(5, b"\xb1"), (5, b"9"), (0, b"\0"), (12, b"x"), (14, b"7"), (1, b"-")])
def test_one_damaged_byte_in_a_slot_costs_that_row_alone(
    tmp_path: Path, at: int, damage: tuple[int, bytes]
) -> None:
    rows = [row(0), row(5), row(10), row(15)]
    log = Path(write(tmp_path, *rows))
    text, (offset, byte) = bytearray(log.read_bytes()), damage
    begin = text.index(rows[at].encode()) + offset
    text[begin : begin + 1] = byte
    log.write_bytes(text)
    rest = [*rows[:at], *rows[at + 1 :]]

    assert lines("history", "--file", str(log)) == rest
    assert lines("history", "--file", str(log), "--last", "1") == rest[-1:]
    assert lines("history", "--file", str(log), "--since", "2026-11-20T00:00:05Z") == [
        one for one in rest if one != row(0)
    ]
    for command in ("gaps", "candles"):
        assert answer(command, "--file", str(log))[0] == 0
    assert answer("verify", "--file", str(log))[0] == 1


@unlike_windows("no name has a control character")
def test_a_name_that_would_change_a_terminal_is_escaped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prices.txt.1\x1b[2J").write_bytes(STRANGE)
    log = write(tmp_path, row(10))

    assert lines("history", "--file", log) == [row(10)]
    assert "prices.txt.1\\x1b[2J: packed with zstd" in capsys.readouterr().err


def test_repairs_with_a_damaged_header_are_left_out_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(tmp_path, row(0), row(10))
    (tmp_path / "repairs.txt").write_text(f"x{HEADER}{row(5)} by=peer\n", newline="")

    for command in ("history", "gaps", "candles"):
        assert answer(command, "--file", log)[0] == 0
        assert "repairs.txt: not a price log" in capsys.readouterr().err
    assert lines("history", "--file", log) == [row(0), row(10)]
    assert answer("verify", "--file", log)[0] == 1
