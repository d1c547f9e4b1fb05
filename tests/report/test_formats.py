"""What is printed: as text, as csv with its header, as json with every digit."""

import csv
import json
from pathlib import Path

import pytest

from price import times
from tests.report.asking import answer, lines, write

ROWS = (
    "2026-11-20T15:52:00Z BTC-USD 97123.45 coinbase,kraken",
    "2026-11-20T15:52:05Z BTC-USD - coinbase:timeout,kraken:stale",
    "2026-11-20T15:52:10Z BTC-USD - down slots=3",
    "2026-11-20T15:52:25Z BTC-USD 97120.000000000000000000001 kraken later=1",
)
REPAIR = "2026-11-20T15:52:15Z BTC-USD 97100 coinbase by=journal"


@pytest.fixture
def log(tmp_path: Path) -> str:
    write(tmp_path, REPAIR, name="repairs.txt")
    return write(tmp_path, *ROWS)


def test_history_as_text_is_the_log_itself(log: str) -> None:
    assert lines("history", "--file", log, "--live-only") == [*ROWS]


def test_history_as_csv_names_its_columns_and_leaves_absent_ones_empty(log: str) -> None:
    assert lines("history", "--file", log, "--format", "csv") == [
        "slot,pair,price,sources,reason,slots,by,extra",
        '2026-11-20T15:52:00Z,BTC-USD,97123.45,"coinbase,kraken",,,,',
        '2026-11-20T15:52:05Z,BTC-USD,,,"coinbase:timeout,kraken:stale",,,',
        "2026-11-20T15:52:10Z,BTC-USD,,,down,,,",
        "2026-11-20T15:52:15Z,BTC-USD,97100,coinbase,,,journal,",
        "2026-11-20T15:52:20Z,BTC-USD,,,down,,,",
        "2026-11-20T15:52:25Z,BTC-USD,97120.000000000000000000001,kraken,,,,later=1",
    ]


def test_history_as_json_has_prices_as_strings_and_leaves_absent_names_out(log: str) -> None:
    rows = [json.loads(row) for row in lines("history", "--file", log, "--format", "json", "--live-only")]

    assert rows == [
        {
            "slot": "2026-11-20T15:52:00Z",
            "pair": "BTC-USD",
            "price": "97123.45",
            "sources": "coinbase,kraken",
        },
        {"slot": "2026-11-20T15:52:05Z", "pair": "BTC-USD", "reason": "coinbase:timeout,kraken:stale"},
        {"slot": "2026-11-20T15:52:10Z", "pair": "BTC-USD", "reason": "down", "slots": 3},
        {
            "slot": "2026-11-20T15:52:25Z",
            "pair": "BTC-USD",
            "price": "97120.000000000000000000001",
            "sources": "kraken",
            "later": "1",
        },
    ]


def test_candles_in_all_forms(log: str) -> None:
    numbers = ["97123.45", "97123.45", "97100", "97120.000000000000000000001"]
    names = ["start", "pair", "open", "high", "low", "close", "count"]
    start = ["2026-11-20T15:52:00Z", "BTC-USD"]

    assert lines("candles", "--file", log) == [" ".join([*start, *numbers, "3"])]
    assert lines("candles", "--file", log, "--format", "csv") == [
        ",".join(names),
        ",".join([*start, *numbers, "3"]),
    ]
    (row,) = lines("candles", "--file", log, "--format", "json")
    assert json.loads(row) == dict(zip(names, [*start, *numbers, 3], strict=True))


def test_gaps_in_all_forms(log: str) -> None:
    edges = "2026-11-20T15:52:05Z", "2026-11-20T15:52:05Z"
    text = lines("gaps", "--file", log)

    assert text == [
        f"{edges[0]} {edges[1]} BTC-USD 1 coinbase:timeout,kraken:stale",
        "2026-11-20T15:52:10Z 2026-11-20T15:52:10Z BTC-USD 1 down",
        "2026-11-20T15:52:20Z 2026-11-20T15:52:20Z BTC-USD 1 down",
        "50 % complete: 3 of 6 slots have a price",
    ]
    names, first, *others = csv.reader(lines("gaps", "--file", log, "--format", "csv"))
    assert names == ["start", "end", "pair", "slots", "reason"]
    assert first == [*edges, "BTC-USD", "1", "coinbase:timeout,kraken:stale"]
    assert len(others) == 2
    rows = [json.loads(row) for row in lines("gaps", "--file", log, "--format", "json", "--live-only")]
    assert rows[1] == {
        "start": "2026-11-20T15:52:10Z",
        "end": "2026-11-20T15:52:20Z",
        "pair": "BTC-USD",
        "slots": 3,
        "reason": "down",
    }


@pytest.mark.parametrize(
    ("every", "starts"),
    [
        ("1s", ["15:52:00", "15:52:15", "15:52:25"]),
        ("10s", ["15:52:00", "15:52:10", "15:52:20"]),
        ("20s", ["15:52:00", "15:52:20"]),
        ("1m", ["15:52:00"]),
        ("5m", ["15:50:00"]),
        ("2h", ["14:00:00"]),
        ("1d", ["00:00:00"]),
    ],
)
def test_periods_are_aligned_to_utc(log: str, every: str, starts: list[str]) -> None:
    shown = lines("candles", "--file", log, "--every", every)

    assert [row.split("Z")[0].split("T")[1] for row in shown] == starts


@pytest.mark.parametrize(
    "garbage",
    [
        "2026-11-20T15:52:07Z BTC-USD nan kraken",
        "2026-02-29T15:52:07Z BTC-USD 100 kraken",
        "2026-11-20T15:52:07Z BTC-USD 1e5 kraken",
        *(
            f"2026-11-20T15:52:07Z BTC-USD {price} kraken"
            for price in ("0", "1.2.3", ".", "5e1", "0.0", "00")
        ),
        "2026-11-20T15:52:07Z BTC-USD 1_000 kraken",
        "2026-11-20T15:52:07Z BTC-USD 1",
        "2026-11-20T15:52:07Z BTC-USD 1 2 3 4 5",
        "\0" * 30,
        "x\r2026-11-20T15:52:07Z BTC-USD 1 kraken",
    ],
)
def test_a_line_that_is_no_row_is_left_out_and_counted(
    tmp_path: Path, garbage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ("2026-11-20T15:52:05Z BTC-USD 2 kraken", "2026-11-20T15:52:10Z BTC-USD 3 kraken")
    log = write(tmp_path, rows[0], garbage, rows[1])
    said = "1 line is no row and was left out: price verify names it\n"

    for command, shown in (
        ("history", [*rows]),
        ("candles", ["2026-11-20T15:52:00Z BTC-USD 2 3 2 3 2"]),
        ("gaps", ["100 % complete: 2 of 2 slots have a price"]),
    ):
        assert lines(command, "--file", log) == shown
        assert capsys.readouterr().err == said
    assert answer("verify", "--file", log)[0] == 1


@pytest.mark.parametrize("command", ["history", "candles", "gaps"])
def test_a_pair_of_which_there_is_no_row_is_named(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(tmp_path, "2026-11-20T15:52:05Z BTC-USD 2 kraken", "2026-11-20T15:52:10Z BTC-USD 3 kraken")
    said = "no row of ETH-USD in this range: price history --last 1 shows each pair's last\n"

    for more in ([], ["--last", "1"]):
        status, _ = answer(command, "--file", log, "--pair", "ETH-USD", *more)
        assert (status, capsys.readouterr().err) == (0, said)
        answer(command, "--file", log, "--pair", "BTC-USD", *more)
        assert capsys.readouterr().err == ""


def test_a_pair_whose_rows_are_all_repairs_is_not_named_as_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(tmp_path, "2026-11-20T15:52:05Z BTC-USD 2 kraken", "2026-11-20T15:52:15Z BTC-USD 3 kraken")
    write(tmp_path, "2026-11-20T15:52:10Z BTC-USD 4 kraken by=peer", name="repairs.txt")
    words = ("--pair", "BTC-USD", "--since", "2026-11-20T15:52:10Z", "--until", "2026-11-20T15:52:15Z")

    assert lines("history", "--file", log, *words) == ["2026-11-20T15:52:10Z BTC-USD 4 kraken by=peer"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        (["97121.5", "97121.45", "97122", "97121"], "97121.5 97122 97121 97121"),
        (["9.5", "10.25", "10"], "9.5 10.25 9.5 10"),
        (["9", "10", "8"], "9 10 8 8"),
        (["0.5", "0.25", "0.125"], "0.5 0.5 0.125 0.125"),
        (["0.00000812", "0.00000811999999999999999"], "0.00000812 0.00000812 {1} {1}"),
        (["123456789012345678.1", "99999999999999999.2"], "{0} {0} {1} {1}"),
        ([f"900719925474099{digit}" for digit in (3, 2, 4, 3)], "{0} {2} {1} {3}"),
        ([f"1.{'0' * 17}{digit}" for digit in (5, 9, 1, 3)], "{0} {1} {2} {3}"),
    ],
)  # fmt: skip
def test_the_high_and_the_low_are_those_of_the_numbers(
    tmp_path: Path, prices: list[str], expected: str
) -> None:
    rows = [
        f"2026-11-20T15:52:{5 * number:02}Z BTC-USD {price} kraken" for number, price in enumerate(prices)
    ]
    log = write(tmp_path, *rows)

    assert lines("candles", "--file", log) == [
        f"2026-11-20T15:52:00Z BTC-USD {expected.format(*prices)} {len(prices)}"
    ]


def test_a_period_of_any_length_has_the_same_candle_as_its_prices(tmp_path: Path) -> None:
    prices = [str(1 + at * 7919 % 30_011) for at in range(25_000)]
    rows = (f"{times.slot_text(1_767_225_600 + 5 * at)} A-B {price} x" for at, price in enumerate(prices))
    path = write(tmp_path, *rows)
    high, low = max(prices, key=int), min(prices, key=int)

    assert lines("candles", "--file", path, "--every", "1000d") == [
        f"2024-10-04T00:00:00Z A-B {prices[0]} {high} {low} {prices[-1]} 25000"
    ]


LOST = [f"2026-11-20T15:{minute:02d}:00Z A-B 1 x" for minute in (0, 1, 5, 6)]
"""Rows of a minute each; those of 15:02 to 15:04 were lost."""


@pytest.mark.parametrize(
    ("since", "until", "gaps"),
    [
        ("15:03", "15:07", ["15:03 15:04 2", "50"]),
        ("15:00", "15:03", ["15:02 15:02 1", "66.6666"]),
        ("15:03", "15:04", ["15:03 15:03 1", "0"]),
        ("15:05", "15:09", ["100"]),
        ("14:00", "15:02", ["100"]),
        ("15:02", "15:05", ["15:02 15:04 3", "0"]),
        ("13:00", "14:00", ["no slots in this range"]),
        ("16:00", "17:00", ["no slots in this range"]),
    ],
)
def test_a_hole_that_reaches_over_an_edge_counts_as_far_as_it_is_in_the_range(
    tmp_path: Path, since: str, until: str, gaps: list[str]
) -> None:
    log = write(tmp_path, *LOST, header="# price-log 1 every=60s\n")
    day = "2026-11-20T"

    *shown, complete = lines(
        "gaps", "--file", log, "--since", f"{day}{since}:00Z", "--until", f"{day}{until}:00Z"
    )

    wanted = [gap.split(" ") for gap in gaps[:-1]]
    assert shown == [
        f"{day}{start}:00Z {day}{end}:00Z A-B {slots} unrecorded" for start, end, slots in wanted
    ]
    assert complete.startswith(gaps[-1])
