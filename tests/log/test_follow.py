"""A log is read on from a position, whatever happens to the files meanwhile."""

import gzip
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from price import times
from price.log.follow import LogReader, Position, at_slot
from price.log.row import text
from tests.report.asking import HEADER, write


def row(number: int, pair: str = "BTC-USD") -> str:
    second = 5 * number
    return (
        f"2026-11-20T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z {pair} {number + 1} kraken"
    )


def add(log: str, *rows: str) -> None:
    path = Path(log)
    if not path.exists() or not path.stat().st_size:
        path.write_bytes(HEADER.encode())
    with path.open("a", newline="") as file:
        file.write("".join(f"{one}\n" for one in rows))


def news(reader: LogReader) -> list[str]:
    """What a reader reads."""
    return [text(one) for _, rows in reader.read() for one in rows]


@pytest.fixture
def log(tmp_path: Path) -> str:
    return write(tmp_path, row(0), row(1))


def followed(log: str) -> LogReader:
    reader = LogReader(log, Position())
    assert news(reader) == [row(0), row(1)]
    return reader


def test_what_is_appended_comes_once(log: str) -> None:
    reader = followed(log)

    assert news(reader) == []
    add(log, row(2), row(2, "ETH-USD"))
    assert news(LogReader(log, reader.position)) == [row(2), row(2, "ETH-USD")]


def test_an_unfinished_line_is_left_for_the_next_time(log: str) -> None:
    reader = followed(log)
    half = row(2)[:30]

    with Path(log).open("a", newline="") as file:
        file.write(half)
    assert news(reader) == []
    add(log, row(2)[30:])
    assert news(reader) == [row(2)]


def test_the_first_line_that_is_no_row_is_named_by_file_and_line(log: str) -> None:
    add(log, *(row(number) for number in range(2, 4000)))
    reader = LogReader(log, Position())
    news(reader)
    add(log, "# a remark", row(4000), "half a row", row(4001), "another")

    assert news(reader) == [row(4000), row(4001)]
    assert reader.left.place == f"{log}:4004"
    assert reader.left.report().startswith(f"2 lines are no rows and were left out, the first at {log}:4004:")


def renamed(log: Path) -> None:
    log.rename(f"{log}-20261120")


def packed(log: Path) -> None:
    Path(f"{log}.1.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.unlink()


def copied_and_truncated(log: Path) -> None:
    shutil.copy(log, f"{log}.1")
    log.write_bytes(b"")


@pytest.mark.parametrize("rotate", [renamed, packed, copied_and_truncated])
def test_a_rotation_loses_nothing_on_either_side(log: str, rotate: Callable[[Path], None]) -> None:
    reader = followed(log)

    add(log, row(2))
    rotate(Path(log))
    add(log, row(3), row(4), row(5))

    assert news(reader) == [row(2), row(3), row(4), row(5)]


def test_an_empty_new_file_does_not_end_the_old_one(log: str) -> None:
    reader = followed(log)

    Path(log).rename(f"{log}.1")
    Path(log).touch()  # logrotate's `create`
    assert news(reader) == []
    add(f"{log}.1", row(2))  # the recorder sees the rename at its next slot
    add(log, row(3))

    assert news(reader) == [row(2), row(3)]


def test_a_truncated_log_is_gone_on_with(log: str) -> None:
    reader = followed(log)
    Path(log).write_bytes(b"")
    assert news(reader) == []

    add(log, row(2))

    assert news(reader) == [row(2)]


def test_a_file_that_an_editor_replaced_is_gone_on_with_by_time(log: str) -> None:
    reader = followed(log)
    Path(log).unlink()
    write(Path(log).parent, "# somebody was here, and wrote more than there was", row(0), row(1))
    add(log, row(2))

    assert news(reader) == [row(2)]


def test_rows_that_stand_twice_after_a_rotation_come_once(log: str) -> None:
    reader = followed(log)
    Path(log).rename(f"{log}.1")
    add(log, row(1), row(1, "ETH-USD"), row(2))

    assert news(reader) == [row(1, "ETH-USD"), row(2)]


def test_a_follower_may_begin_at_a_slot(log: str) -> None:
    write(Path(log).parent, row(-0), name="prices.txt.1")
    add(log, row(2))

    assert news(LogReader(log, at_slot(times.slot_unix("2026-11-20T00:00:05Z")))) == [row(1), row(2)]


def test_the_interval_is_the_one_in_force(log: str) -> None:
    reader = followed(log)
    add(log, "# price-log 1 every=60s", "2026-11-20T00:01:00Z BTC-USD 9 kraken")

    ((every, _),) = reader.read()

    assert (every, reader.position.every) == (60, 60)


@given(
    st.lists(st.sampled_from(["slot", "read", "stop", "rename", "copy", "pack"]), max_size=40),
    st.integers(),
)
def test_whatever_happens_each_row_comes_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], seed: int
) -> None:
    folder, chance = tmp_path_factory.mktemp("log"), random.Random(seed)
    log = write(folder, row(0), row(0, "ETH-USD"))
    reader = LogReader(log, Position())
    wanted, found, rotated = [row(0), row(0, "ETH-USD")], [], 0
    for number, step in enumerate(steps, 1):
        old = f"{log}.{100 - rotated}"
        if step == "slot":
            rows = [row(number), row(number, "ETH-USD")][: chance.randint(1, 2)]
            add(log, *rows)
            wanted += rows
        elif step == "read":
            found += news(reader)
        elif step == "stop":
            for _, first in reader.read():
                found += [text(one) for one in first]
                reader = LogReader(log, reader.position)
                break
        elif step == "rename" and Path(log).exists():
            Path(log).rename(old)
            rotated += 1
        elif step == "copy" and Path(log).exists():
            shutil.copy(log, old)
            Path(log).write_bytes(b"")
            rotated += 1
        elif step == "pack" and Path(f"{log}.{101 - rotated}").exists():
            last = Path(f"{log}.{101 - rotated}")
            last.with_name(f"{last.name}.gz").write_bytes(gzip.compress(last.read_bytes(), 1))
            last.unlink()

    found += news(reader)

    assert found == wanted
