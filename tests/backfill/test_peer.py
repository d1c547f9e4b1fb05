"""`--from FILE`: another recorder's log."""

import gzip
from pathlib import Path

import pytest

from price.errors import PriceError
from tests.backfill.repairing import HEADER, Shop, down, rows
from tests.report.asking import lines

LOG = [*rows("11:00:00", "11:00:10"), down("11:00:15", 3), *rows("11:00:30", "11:00:40")]


def peer(folder: Path, *log: str, name: str = "peer") -> Shop:
    return Shop(folder / name, log)


def test_what_the_other_has_is_taken_row_by_row(tmp_path: Path) -> None:
    shop = Shop(tmp_path, LOG)
    other = peer(
        tmp_path, *rows("11:00:15", "11:00:20", "100.5"), down("11:00:25", 1), *rows("11:00:30", "11:00:50")
    )

    shop.repair(str(other.file))

    assert shop.filled() == [
        "2026-11-20T11:00:15Z BTC-USD 100.5 coinbase,kraken by=peer",
        "2026-11-20T11:00:20Z BTC-USD 100.5 coinbase,kraken by=peer",
    ]
    assert shop.said == "BTC-USD: 2 of 3 missed slots filled by=peer, 1 stay missing\n"
    assert lines("verify", "--file", str(shop.file)) == []


def test_its_rotated_files_and_what_its_journal_gave_back_count_too(tmp_path: Path) -> None:
    shop = Shop(tmp_path, LOG)
    other = peer(tmp_path, *rows("11:00:25", "11:00:30"))
    rotated = "\n".join([HEADER, *rows("11:00:05", "11:00:10"), down("11:00:15", 2), ""])
    (other.folder / "prices.txt-20261119.gz").write_bytes(gzip.compress(rotated.encode()))
    other.write(other.repairs, [HEADER, "2026-11-20T11:00:15Z BTC-USD 101 kraken by=journal"])

    shop.repair(str(other.file))

    assert [row[11:29] for row in shop.filled()] == ["11:00:15Z BTC-USD ", "11:00:25Z BTC-USD "]


def test_what_the_other_has_at_second_hand_is_left_out(tmp_path: Path) -> None:
    shop = Shop(tmp_path, LOG)
    other = peer(tmp_path, *LOG)
    again = [f"2026-11-20T11:00:{second}Z BTC-USD 101 kraken" for second in (15, 20)]
    other.write(other.repairs, [HEADER, f"{again[0]} by=candle", f"{again[1]} by=peer"])

    shop.repair(str(other.file))

    assert shop.filled() == []


def test_of_two_of_its_rows_for_a_slot_the_first_counts_and_the_other_is_told_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path, LOG)
    again = rows("11:00:15", "11:00:15", "101")
    other = peer(tmp_path, *sorted([*rows("11:00:15", "11:00:25"), *again]))

    shop.repair(str(other.file))

    assert [row.split(" ")[2] for row in shop.filled()] == ["100", "100", "100"]
    what = "1 row stands twice; the first one counts, the other was left out: price verify names it"
    assert shop.said.splitlines() == [
        "BTC-USD: 3 of 3 missed slots filled by=peer, 0 stay missing",
        f"{other.file}: {what}",
    ]


@pytest.mark.parametrize("bad", ["2026-11-31T11:00:15Z BTC-USD 101 kraken", "what is this"])
def test_a_line_of_it_that_is_no_row_is_left_out_and_told(tmp_path: Path, bad: str) -> None:
    shop = Shop(tmp_path, LOG)
    other = peer(tmp_path, *rows("11:00:15", "11:00:15"), bad, *rows("11:00:20", "11:00:40"))

    assert shop.repair(str(other.file)) == 0

    assert shop.said.splitlines() == [
        "BTC-USD: 3 of 3 missed slots filled by=peer, 0 stay missing",
        f"{other.file}: 1 line is no row and was left out: price verify names it",
    ]


def test_prices_too_far_apart_are_reported_and_stay(tmp_path: Path) -> None:
    shop = Shop(tmp_path, [*LOG, *rows("11:00:45", "11:02:00")])
    far = rows("11:00:40", "11:00:40", "101.1")
    other = peer(tmp_path, *rows("11:00:00", "11:00:35", "100.9"), *far, *rows("11:00:45", "11:02:00"))

    shop.repair(str(other.file))

    assert shop.said.splitlines() == [
        "BTC-USD: 3 of 3 missed slots filled by=peer, 0 stay missing",
        "2026-11-20T11:00:40Z BTC-USD: 100 here, 101.1 there, 1.09 % apart: not changed",
    ]


def test_how_far_apart_they_may_be_is_set_as_for_sources_and_what_is_told_is_bounded(tmp_path: Path) -> None:
    shop = Shop(tmp_path, rows("11:00:00", "11:10:00"), {"PRICE_MAX_SPREAD": "0.1"})
    other = peer(tmp_path, *rows("11:00:00", "11:10:00", "100.2"))

    shop.repair(str(other.file))

    told = shop.said.splitlines()
    assert len(told) == 22
    assert told[-1] == "and 101 more slots over 0.1 % apart"


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("prices.txt", r"/prices\.txt: this is the log itself"),
        ("exchanges", "--from .*/exchanges: there is no such file; it is one of journal, exch"),
        ("notes", r"/notes: not a price log: it begins .*; name .* --from$"),
        (".", r": not a file: name the log with --from$"),
    ],
)
def test_what_is_no_other_recorders_log_is_told_with_the_option_that_named_it(
    tmp_path: Path, name: str, what: str
) -> None:
    shop = Shop(tmp_path, LOG)
    (tmp_path / "notes").write_text("milk\n")

    with pytest.raises(PriceError, match=what):
        shop.repair(str(tmp_path / name))


def test_a_range_and_a_pair_bound_what_is_filled_and_compared(tmp_path: Path) -> None:
    eth = [down("11:00:15", 3, pair="ETH-USD"), *rows("11:00:30", "11:00:30", pair="ETH-USD")]
    shop = Shop(tmp_path, sorted([*LOG, *eth]))
    far = rows("11:00:00", "11:00:40", "200", pair="ETH-USD")
    other = peer(tmp_path, *sorted([*rows("11:00:00", "11:00:40"), *far]))
    window = ["--since", "2026-11-20T11:00:20Z", "--until", "2026-11-20T11:00:25Z"]

    shop.repair(str(other.file), *window, "--pair", "BTC-USD")
    assert [row[11:29] for row in shop.filled()] == ["11:00:20Z BTC-USD "]

    shop.repair(str(other.file), "--pair", "BTC-USD")
    assert shop.said == "BTC-USD: 2 of 2 missed slots filled by=peer, 0 stay missing\n"

    shop.repair(str(other.file))
    assert "2026-11-20T11:00:30Z ETH-USD: 100 here, 200 there, 66.67 % apart: not changed" in shop.said


def test_a_recorder_that_differs_in_over_a_tenth_of_the_slots_around_a_gap_is_not_believed(
    tmp_path: Path,
) -> None:
    shop = Shop(tmp_path, [*LOG, down("11:00:45", 900), *rows("12:15:45", "12:20:00"), down("12:20:05", 1)])
    shop.write(shop.file, [*shop.file.read_text().splitlines(), *rows("12:20:10", "12:30:00")])
    wrong = rows("11:00:00", "11:00:40", "104")
    other = peer(tmp_path, *wrong, *rows("14:00:00", "14:00:00"))
    good = peer(tmp_path, *rows("11:00:00", "12:30:00"), name="good")

    shop.repair(str(other.file))

    assert shop.filled() == []
    assert shop.said.splitlines()[1] == (
        f"{other.file}: BTC-USD: 3 prices not believed:"
        " it is over 1 % away in over a tenth of the slots around them that both have"
    )

    shop.repair(str(good.file))

    assert len(shop.filled()) == 904
