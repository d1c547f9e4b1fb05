"""Ranges: edges, times as people type them, and what becomes of a missed row that reaches over an edge."""

from argparse import Namespace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from price.errors import PriceError
from price.report.options import file_of
from tests.report.asking import answer, lines, write

ROWS = (
    "2026-11-20T15:50:00Z BTC-USD 1 kraken",
    "2026-11-20T15:50:05Z BTC-USD - down slots=20",
    "2026-11-20T15:51:45Z BTC-USD 2 kraken",
    "2026-11-20T15:51:50Z BTC-USD 3 kraken",
    "2026-11-20T15:51:55Z BTC-USD 4 kraken",
    "2026-11-20T15:52:00Z BTC-USD 5 kraken",
    "2026-11-20T15:52:05Z BTC-USD 6 kraken",
)


@pytest.fixture
def log(tmp_path: Path) -> str:
    return write(tmp_path, *ROWS)


def test_since_is_included_and_until_is_not(log: str) -> None:
    shown = lines(
        "history", "--file", log, "--since", "2026-11-20T15:51:45Z", "--until", "2026-11-20T15:51:55Z"
    )

    assert shown == [*ROWS[2:4]]


@pytest.mark.parametrize(
    ("since", "until", "row"),
    [
        ("15:50:05", "15:51:45", "15:50:05Z BTC-USD - down slots=20"),
        ("15:50:06", "15:51:45", "15:50:10Z BTC-USD - down slots=19"),
        ("15:50:10", "15:51:45", "15:50:10Z BTC-USD - down slots=19"),
        ("15:50:05", "15:51:40", "15:50:05Z BTC-USD - down slots=19"),
        ("15:50:05", "15:51:41", "15:50:05Z BTC-USD - down slots=20"),
        ("15:50:30", "15:50:40", "15:50:30Z BTC-USD - down slots=2"),
        ("15:51:40", "15:51:45", "15:51:40Z BTC-USD - down"),
        ("15:50:31", "15:50:36", "15:50:35Z BTC-USD - down"),
    ],
)
def test_a_missed_row_is_clipped_to_the_range(log: str, since: str, until: str, row: str) -> None:
    window = ("--since", f"2026-11-20T{since}Z", "--until", f"2026-11-20T{until}Z")

    assert lines("history", "--file", log, *window) == [f"2026-11-20T{row}"]


def test_a_range_between_two_slots_is_empty(log: str) -> None:
    window = ("--since", "2026-11-20T15:50:31Z", "--until", "2026-11-20T15:50:34Z")

    assert answer("history", "--file", log, *window) == (0, "")
    assert answer("gaps", "--file", log, *window) == (0, "no slots in this range\n")
    assert answer("candles", "--file", log, *window) == (0, "")


def test_what_follows_the_number_of_slots_survives_the_clipping(tmp_path: Path) -> None:
    log = write(tmp_path, "2026-11-20T15:50:05Z BTC-USD - down slots=20 note=a by=x")

    shown = lines("history", "--file", log, "--since", "2026-11-20T15:51:35")

    assert shown == ["2026-11-20T15:51:35Z BTC-USD - down slots=2 note=a by=x"]


@pytest.mark.parametrize("since", ["10s", "10s ago", "2026-11-20T15:51:57", "2026-11-20T16:51:57+01:00"])
def test_times_are_what_people_type(log: str, since: str) -> None:
    assert lines("history", "--file", log, "--since", since) == [*ROWS[5:]]


def test_last_counts_rows_per_pair_in_the_range(tmp_path: Path) -> None:
    log = write(tmp_path, ROWS[0], "2026-11-20T15:50:00Z ETH-USD 9 kraken", *ROWS[1:])

    assert lines("history", "--file", log, "--last", "1") == [
        "2026-11-20T15:50:00Z ETH-USD 9 kraken",
        ROWS[-1],
    ]
    shown = lines(
        "history", "--file", log, "--last", "2", "--until", "2026-11-20T15:51:00", "--pair", "btc/usd"
    )
    assert shown == [ROWS[0], "2026-11-20T15:50:05Z BTC-USD - down slots=11"]


@pytest.mark.parametrize("count", [9, 900])
def test_the_last_rows_of_a_log_in_reverse_are_those_of_its_history(tmp_path: Path, count: int) -> None:
    rows = [f"2026-11-20T{n // 60:02d}:{n % 60:02d}:00Z BTC-USD 1 kraken" for n in range(count)]
    log = write(tmp_path, *reversed(rows), header="# price-log 1 every=60s\n")

    shown = lines("history", "--file", log)

    assert shown
    assert lines("history", "--file", log, "--last", "1") == shown[-1:]


def test_last_counts_gaps_per_pair_and_leaves_the_completeness_alone(tmp_path: Path) -> None:
    log = write(tmp_path, *ROWS, "2026-11-20T15:52:10Z BTC-USD - late")

    assert lines("gaps", "--file", log, "--last", "1") == [
        "2026-11-20T15:52:10Z 2026-11-20T15:52:10Z BTC-USD 1 late",
        "22.2222 % complete: 6 of 27 slots have a price",
    ]


def test_completeness_is_never_rounded_up_to_all(tmp_path: Path) -> None:
    log = write(
        tmp_path,
        "2026-11-20T23:59:55Z BTC-USD - late",
        *(
            f"2026-11-21T{hour:02}:{minute:02}:{second:02}Z BTC-USD 1 x"
            for hour in range(14)
            for minute in range(60)
            for second in range(0, 60, 5)
        ),
    )

    assert lines("gaps", "--file", log)[-1] == "99.99 % complete: 10080 of 10081 slots have a price"


@pytest.mark.parametrize(
    "words",
    [
        ["--since", "yesteryear"],
        ["--until", "2026-13-01"],
        ["--since", "1h", "--until", "2h"],
        ["--last", "0"],
        ["--last", "-1"],
        ["--pair", "BTCUSD"],
        ["--format", "xml"],
        ["--every", "1w"],
        ["--every", "0s"],
        ["--every", "m"],
    ],
)
def test_a_wrong_option_is_a_wrong_command_line(
    log: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        answer("candles", "--file", log, *words)

    assert exit_.value.code == 2
    assert words[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environ", "file"),
    [
        ({}, "logs/prices.txt"),
        ({"LOGS_DIRECTORY": "/var/log/price"}, "/var/log/price/prices.txt"),
        ({"LOGS_DIRECTORY": "/var/log/price:/var/log/other"}, "/var/log/price/prices.txt"),
        ({"LOGS_DIRECTORY": "/var/log/price", "PRICE_FILE": "/mine.txt"}, "/mine.txt"),
        ({"PRICE_FILE": ""}, "logs/prices.txt"),
    ],
)
def test_the_log_is_found_as_the_recorder_finds_it(environ: dict[str, str], file: str) -> None:
    assert file_of(Namespace(file=None), environ) == file


def test_the_environment_names_the_log(log: str) -> None:
    assert answer("history", environ={"PRICE_FILE": log}) == answer("history", "--file", log)


@pytest.mark.parametrize("command", ["history", "candles", "gaps", "verify"])
def test_what_is_no_log_is_said_in_one_line(tmp_path: Path, command: str) -> None:
    (tmp_path / "letter.txt").write_text("Dear operator,\n")
    (tmp_path / "state.json").write_text('{"no": "end"}')

    for name, what in (
        ("absent.txt", "no such file: name the log with --file"),
        ("no/such/folder.txt", "no such file"),
        ("letter.txt", "not a price log: it begins 'Dear operator,"),
        ("state.json", "not a price log"),
        (".", "not a file"),
    ):
        with pytest.raises(PriceError, match=what) as error:
            answer(command, "--file", str(tmp_path / name))
        assert "\n" not in str(error.value)


def test_a_log_without_rows_answers_nothing(tmp_path: Path) -> None:
    log = write(tmp_path)

    assert answer("history", "--file", log, "--last", "3") == (0, "")
    assert answer("candles", "--file", log) == (0, "")
    assert answer("gaps", "--file", log) == (0, "no slots in this range\n")
    assert answer("verify", "--file", log) == (0, "")


def test_a_damaged_stretch_before_a_range_does_not_change_its_interval(tmp_path: Path) -> None:
    # the header is megabytes away, and of the rows before the range every second one was lost
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    slots = [number for number in range(8000) if number < 7900 or number % 2 == 0 or number >= 7990]
    rows = [
        f"{noon + timedelta(seconds=5 * slot):%Y-%m-%dT%H:%M:%SZ} BTC-USD 97123.45 kraken" for slot in slots
    ]
    log = write(tmp_path, *rows)

    gaps = lines("gaps", "--file", log, "--since", f"{noon + timedelta(seconds=5 * 7950):%Y-%m-%dT%H:%M:%SZ}")

    assert len(gaps) == 21
    assert gaps[-1] == "60 % complete: 30 of 50 slots have a price"
