"""The end of a log, read backwards."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from price import host, times
from price.log import row as lines
from price.log.cut import sound_end
from price.log.end import Count, LogEnd, count_day, read_end
from price.log.file import LONGEST, File
from price.log.row import write
from price.model import Pair, Quote

BTC, ETH, ADA = Pair("BTC", "USD"), Pair("ETH", "USD"), Pair("ADA", "USD")
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
HEADER = "# price-log 1 every=5s\n"


@contextmanager
def opened(path: Path, content: str | bytes) -> Iterator[tuple[int, int]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    descriptor = host.open_to_read(path)
    try:
        yield descriptor, path.stat().st_size
    finally:
        os.close(descriptor)


def row(second: int, pair: Pair = BTC, price: str = "100 kraken") -> str:
    return f"{times.iso(MIDNIGHT + timedelta(seconds=second))} {pair} {price}\n"


def tail_of(path: Path, content: str, *pairs: Pair) -> LogEnd:
    with opened(path / "log", content) as (descriptor, size):
        return read_end(descriptor, size, pairs or [BTC], 60)


def end_of(path: Path, content: str | bytes) -> int:
    with opened(path / "log", content) as (descriptor, size):
        return sound_end(descriptor, size, 2)


def counts_of(path: Path, content: str, midnight: datetime = MIDNIGHT) -> dict[str, tuple[int, int]]:
    log, counts = path / "log", dict[str, Count]()
    log.write_text(content, newline="")
    for _ in count_day(log, log.stat().st_size, midnight, 5, counts):
        pass
    return {pair: (count.recorded, count.missed) for pair, count in counts.items()}


@pytest.mark.parametrize(("content", "interval"), [("", None), (HEADER, 5)])
def test_a_log_without_rows_tells_its_interval_alone(
    tmp_path: Path, content: str, interval: int | None
) -> None:
    assert vars(tail_of(tmp_path, content)) == vars(LogEnd()) | {"interval": interval}


def test_the_last_row_and_the_last_price_of_each_pair_are_found(tmp_path: Path) -> None:
    content = HEADER + row(0) + row(0, ETH) + row(5) + row(5, ETH, "- late") + row(10, BTC, "- down slots=3")

    tail = tail_of(tmp_path, content, BTC, ETH)

    assert {pair: quote.slot for pair, quote in tail.rows.items()} == {
        BTC: MIDNIGHT + timedelta(seconds=10),
        ETH: MIDNIGHT + timedelta(seconds=5),
    }
    assert {pair: times.unix(quote.slot) % 60 for pair, quote in tail.priced.items()} == {BTC: 5, ETH: 0}
    assert tail.last_slots()[BTC] == MIDNIGHT + timedelta(seconds=20)


def test_the_interval_in_force_at_the_end_is_the_last_one(tmp_path: Path) -> None:
    content = HEADER + row(0) + "# price-log 1 every=60s\n" + row(60) + "# a remark\n"

    assert tail_of(tmp_path, content).interval == 60


@pytest.mark.parametrize(
    ("first", "interval"), [("100 kraken", 5), ("- down slots=2", 5), ("- down slots=10", 1)]
)
def test_where_the_header_is_far_away_two_rows_tell_the_interval(
    tmp_path: Path, first: str, interval: int
) -> None:
    slots = int(first.partition("slots=")[2] or 1)

    assert tail_of(tmp_path, row(0, BTC, first) + row(interval * slots)).interval == interval


def test_a_pair_that_was_long_ago_is_looked_for(tmp_path: Path) -> None:
    content = HEADER + row(0, ETH) + "".join(row(5 * number) for number in range(5000))

    tail = tail_of(tmp_path, content, BTC, ETH)

    assert tail.rows[ETH].slot == MIDNIGHT


def test_pairs_that_are_not_asked_for_are_found_in_the_last_minute_only(tmp_path: Path) -> None:
    content = (
        HEADER + row(0, ADA) + "".join(row(5 * number) for number in range(50)) + row(250, ETH) + row(250)
    )

    tail = tail_of(tmp_path, content, BTC)

    assert set(tail.rows) == {BTC, ETH}


def test_pairs_that_ended_before_the_log_did_are_dropped(tmp_path: Path) -> None:
    content = HEADER + row(0, ETH) + row(5, ADA) + row(0) + row(5) + "no row\n" + row(10)
    tail = tail_of(tmp_path, content, BTC, ETH, ADA)

    dropped = tail.drop_absent(5)

    assert dropped
    assert set(tail.rows) == {BTC, ADA}  # ADA lacks the last slot alone: its row may still follow
    assert not tail.drop_absent(5)
    assert tail.drop_absent(1)  # shorter slots would lie before that
    assert set(tail.rows) == {BTC}


@pytest.mark.parametrize(
    ("torn", "kept"),
    [
        ("", row(0)), ("2026", row(0)), ("\0" * 5000, row(0)), ("\0\0\n", row(0)), (row(5)[:-1], row(0)),
        (row(5)[:9] + row(5), row(0)), (row(5), row(0) + row(5)), ("# remark\n", row(0) + "# remark\n"),
        ("# rema", row(0)), ("\0x\n\0y\nz", row(0)),
    ],
)  # fmt: skip
def test_a_log_is_sound_up_to_its_last_whole_line(tmp_path: Path, torn: str, kept: str) -> None:
    assert end_of(tmp_path, HEADER + row(0) + torn) == len(HEADER + kept)


@pytest.mark.parametrize("content", ["", "\0\0", "\0" * 200_000, "# price-lo", "# price-log 1 every=5\0\0"])
def test_a_file_torn_in_its_first_line_is_sound_nowhere(tmp_path: Path, content: str) -> None:
    assert end_of(tmp_path, content) == 0


@pytest.mark.parametrize("content", ["x", "x\n", "x\n" + row(0), "# price-log 2 every=5s\n", row(0), "\0x"])
def test_a_file_that_begins_otherwise_is_no_price_log(tmp_path: Path, content: str) -> None:
    with pytest.raises(ValueError, match="it is not a price log"):
        end_of(tmp_path, content)


@pytest.mark.parametrize("long", [b"x", b"\0"])
def test_a_stretch_without_a_line_end_takes_linear_time_and_is_passed_over(
    tmp_path: Path, long: bytes
) -> None:
    reads: list[int] = []
    text = b"a\n" + long * 5_000_000 + b"\nb\nc\n"
    path = tmp_path / "prices.txt"
    path.write_bytes(text)

    class Counted(File):
        def read(self, at: int, size: int) -> bytes:
            reads.append(size)
            return super().read(at, size)

    with path.open("rb") as opened:
        lines = b"".join(reversed(list(Counted(str(path), opened.fileno()).backwards() or ())))

    assert lines == b"a\nb\nc\n"
    assert sum(reads) <= len(text) + LONGEST


def test_the_newest_prices_are_found_behind_missed_rows_of_hours(tmp_path: Path) -> None:
    missed = "".join(
        row(5 * number, pair, "- kraken:timeout") for number in range(1, 90_000) for pair in (BTC, ETH)
    )

    tail = tail_of(tmp_path, HEADER + row(0, BTC, "7 kraken,okx") + row(0, ETH) + missed, BTC, ETH)

    assert {pair: quote.slot for pair, quote in tail.priced.items()} == {BTC: MIDNIGHT, ETH: MIDNIGHT}
    assert tail.simulated is False


def test_the_prices_of_the_last_minute_are_kept_the_oldest_first(tmp_path: Path) -> None:
    tail = tail_of(tmp_path, HEADER + "".join(row(5 * number) for number in range(100)))

    seconds = [(quote.slot - MIDNIGHT).total_seconds() for quote in tail.recent[BTC]]
    assert seconds == list(range(435, 500, 5))


def test_the_slots_of_a_day_are_counted(tmp_path: Path) -> None:
    content = (
        HEADER + row(-10) + row(-5, BTC, "- kraken:timeout") + row(0) + row(0, ETH) + row(5, BTC,
        "- late slots=3")
        + "# remark\n" + row(20) + row(25, BTC, "- kraken:busy") + row(30)
    )  # fmt: skip

    assert counts_of(tmp_path, content) == {"BTC-USD": (3, 4), "ETH-USD": (1, 0)}


@pytest.mark.parametrize(("slots", "missed"), [(1, 0), (2, 0), (3, 1), (10, 8)])
def test_missed_slots_that_reach_over_midnight_count_in_part(tmp_path: Path, slots: int, missed: int) -> None:
    count = f" slots={slots}" if slots > 1 else ""
    content = (
        HEADER
        + row(-20)
        + row(-15)
        + row(-10, BTC, f"- down{count}")
        + row(-10, ETH, "- down slots=2")
        + row(50)
    )

    found = counts_of(tmp_path, content)

    assert found["BTC-USD"] == (1, missed)


@pytest.mark.parametrize(
    ("rows", "recorded"),
    [
        (row(0) + "!!! no row here\n" + row(5) + "also no row at all\n" + row(10), 3),
        ("".join(row(5 * number) for number in range(5000)), 5000),
    ],
    ids=["lines that are no rows", "more than a block"],
)
def test_a_day_is_counted_whole(tmp_path: Path, rows: str, recorded: int) -> None:
    assert counts_of(tmp_path, HEADER + rows)["BTC-USD"] == (recorded, 0)


def test_rows_behind_one_of_a_wrong_time_are_counted_in_a_rotated_file_too(tmp_path: Path) -> None:
    (tmp_path / "log.1").write_text(HEADER + row(0) + row(86400 * 9) + row(5) + row(10), newline="")

    assert counts_of(tmp_path, HEADER + row(15) + row(20))["BTC-USD"] == (5, 0)


QUOTES = st.lists(
    st.tuples(st.sampled_from([BTC, ETH]), st.booleans(), st.integers(1, 4), st.booleans()), max_size=60
)


@given(QUOTES, st.integers(-30, 60))
def test_what_the_end_says_is_what_reading_from_the_beginning_says(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[Pair, bool, int, bool]],
    midnight: int,
) -> None:
    quotes, second = [], -100
    for pair, priced, slots, remark in steps:
        slot = MIDNIGHT + timedelta(seconds=second)
        quotes.append(
            lines.quote_of(lines.read(row(second, pair, "100 kraken" if priced else "- down")[:-1]))
        )
        second += 5 * slots if remark else 5
        assert quotes[-1].slot == slot
    content = HEADER + "".join(f"{write(quote)}\n" for quote in quotes)
    edge = MIDNIGHT + timedelta(seconds=5 * midnight)
    path = tmp_path_factory.mktemp("log")

    tail, counts = tail_of(path, content, BTC, ETH), counts_of(path, content, edge)

    last: dict[Pair, Quote] = {quote.pair: quote for quote in quotes}
    assert tail.rows == last
    recent = [quote for quote in quotes if quote.slot >= quotes[-1].slot - timedelta(seconds=60)]
    assert tail.priced.items() >= {quote.pair: quote for quote in recent if not quote.missed}.items()
    for pair in (BTC, ETH):
        today = [quote for quote in quotes if quote.pair == pair and quote.slot >= edge]
        missed = sum(quote.missed for quote in today)
        assert counts.get(str(pair), (0, 0)) == (len(today) - missed, missed)
