"""What counts as missed where the random logs seldom go."""

import tracemalloc
from itertools import islice
from pathlib import Path

import pytest

from price.backfill.command import MOST_SLOTS
from price.backfill.missing import find_missing
from price.log.read import PriceLog
from tests.backfill.repairing import Knows, Shop, at, down, rows
from tests.report.asking import lines

EVERYTHING = Knows({(unix, "BTC-USD"): "99 kraken" for unix in range(at("11:00:00"), at("12:00:00"))})


def slots(shop: Shop) -> list[str]:
    return [row[11:19] for row in shop.filled()]


def test_rows_that_somebody_cut_out_are_missed(tmp_path: Path) -> None:
    # more than is read at once
    shop = Shop(tmp_path, [*rows("06:00:00", "11:00:30"), *rows("11:00:45", "11:01:00")])

    shop.repair("anyone", known=EVERYTHING)

    assert slots(shop) == ["11:00:35", "11:00:40"]


def test_nothing_is_filled_before_the_first_and_after_the_last_row_of_a_pair(tmp_path: Path) -> None:
    others = rows("11:00:00", "11:02:00", pair="ETH-USD")
    shop = Shop(tmp_path, sorted([*others, *rows("11:00:30", "11:00:40"), down("11:00:45", 2)]))

    shop.repair("anyone", known=EVERYTHING)

    assert slots(shop) == ["11:00:45", "11:00:50"]


def test_a_pair_that_was_away_while_the_interval_changed_gets_the_slots_of_each(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.write(
        shop.file,
        [
            "# price-log 1 every=5s",
            *rows("11:00:00", "11:01:00"),
            "# price-log 1 every=60s",
            *rows("11:02:00", "11:05:00", every=60, pair="ETH-USD"),
            "# price-log 1 every=5s",
            *rows("11:05:05", "11:05:10", pair="ETH-USD"),
            *rows("11:05:15", "11:05:20"),
        ],
    )

    shop.repair("anyone", known=EVERYTHING)

    assert slots(shop) == ["11:02:00", "11:03:00", "11:04:00", "11:05:00", "11:05:05", "11:05:10"]
    assert lines("verify", "--file", str(shop.file)) == []


MINUTES, SECONDS = "# price-log 1 every=60s", "# price-log 1 every=5s"


@pytest.mark.parametrize(
    ("log", "count"),
    [
        # a hole before the first row of the new interval is one of that
        (
            [
                MINUTES,
                *rows("11:00:00", "11:00:00"),
                down("11:01:00", 2),
                SECONDS,
                *rows("11:02:30", "11:02:30"),
            ],
            7,
        ),
        # what a missed row stands for is of its own interval
        (
            [
                SECONDS,
                *rows("11:00:00", "11:00:00"),
                down("11:00:05", 23),
                MINUTES,
                *rows("11:02:00", "11:02:00"),
            ],
            23,
        ),
    ],
)
def test_slots_around_a_new_interval_are_filled_as_verify_counts_them(
    tmp_path: Path, log: list[str], count: int
) -> None:
    shop = Shop(tmp_path)
    shop.write(shop.file, log)

    shop.repair("anyone", known=EVERYTHING)

    assert len(shop.filled()) == count
    assert [fault for fault in lines("verify", "--file", str(shop.file)) if "repairs.txt" in fault] == []


def test_a_hole_from_before_a_range_is_seen_in_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path, [*rows("11:00:00", "11:00:10"), *rows("11:10:00", "11:10:10")])
    words = ["--since", "2026-11-20T11:05:00Z", "--until", "2026-11-20T11:05:10Z"]

    shop.repair("anyone", *words, known=EVERYTHING)

    assert slots(shop) == ["11:05:00", "11:05:05"]


def test_a_slot_with_a_price_inside_a_missed_row_of_a_damaged_log_is_left_alone(tmp_path: Path) -> None:
    shop = Shop(tmp_path, [down("11:00:00", 4), *rows("11:00:10", "11:00:30")])

    shop.repair("anyone", known=EVERYTHING)

    assert slots(shop) == ["11:00:00", "11:00:05"]


def test_doubles_and_rows_out_of_order_are_told_once_and_fill_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = rows("11:00:05", "11:00:05")
    log = [*rows("11:00:00", "11:00:10"), *twice, down("11:00:15", 2), *rows("11:00:25", "11:00:30")]
    shop = Shop(tmp_path, [*log, *rows("11:00:30", "11:00:40")])

    shop.repair("anyone", "--since", "2026-11-20T11:00:05Z", known=EVERYTHING)

    assert slots(shop) == ["11:00:15", "11:00:20"]
    assert capsys.readouterr().err.splitlines() == [
        "1 row stands twice; the first one counts, the other was left out: price verify names it",
        "1 row is earlier than one before it and was left out: price verify names it",
    ]


def test_a_pair_that_is_away_for_years_takes_no_memory(tmp_path: Path) -> None:
    others = rows("11:00:00", "11:01:00", pair="ETH-USD")
    log = sorted([*rows("11:00:00", "11:00:00"), down("11:00:05", 10_000_000), *others])
    shop = Shop(tmp_path, log)
    found = find_missing(PriceLog(str(shop.file), live_only=True), [], None, None)

    tracemalloc.start()
    seen = sum(1 for _ in islice(found, 1000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert seen == 1000
    assert peak < 2_000_000  # a list of the slots would take 80 MB


def test_more_slots_than_are_worked_on_at_once_are_all_filled(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    first, last = at("00:00:00"), at("14:00:00")
    lack = f"2026-11-20T00:00:01Z BTC-USD - down slots={last - first - 1}"
    ends = [*rows("00:00:00", "00:00:00"), lack, *rows("14:00:00", "14:00:00")]
    shop.write(shop.file, ["# price-log 1 every=1s", *ends])

    shop.repair("anyone", known=Knows({(unix, "BTC-USD"): "99 kraken" for unix in range(first, last)}))

    assert MOST_SLOTS < len(shop.filled()) == last - first - 1
