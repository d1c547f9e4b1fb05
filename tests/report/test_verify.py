"""Verify names each fault at its line, and nothing else."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.report.asking import HEADER, answer, lines, write

SOUND = (
    "2026-11-20T15:52:00Z BTC-USD 97123.45 coinbase,kraken",
    "2026-11-20T15:52:00Z ETH-USD 3100 coinbase",
    "2026-11-20T15:52:05Z BTC-USD 97121 coinbase",
    "2026-11-20T15:52:05Z ETH-USD - quorum,kraken:timeout",
    "2026-11-20T15:52:10Z BTC-USD - down slots=3",
    "2026-11-20T15:52:10Z ETH-USD - down slots=3",
    "2026-11-20T15:52:25Z BTC-USD 97120.5 kraken",
    "2026-11-20T15:52:25Z ETH-USD 3101.25 kraken note=x",
    "2026-11-20T15:52:30Z BTC-USD 97119 kraken",
    "2026-11-20T15:52:30Z ETH-USD 3101 kraken",
)
Change = Callable[[list[str]], object]


def replaced(number: int, old: str, new: str) -> Change:
    def change(rows: list[str]) -> None:
        assert old in rows[number]
        rows[number] = rows[number].replace(old, new, 1)

    return change


def swapped(rows: list[str]) -> None:
    rows[0:4] = rows[2:4] + rows[0:2]


CORRUPTIONS: list[tuple[str, Change, int, str]] = [
    ("a row is gone", lambda rows: rows.pop(2), 5, "a hole: BTC-USD has no row for 1 slot"),
    ("a whole slot is gone", lambda rows: rows.__delitem__(slice(6, 8)), 8, "a hole: BTC-USD"),
    ("a missed stretch is gone", lambda rows: rows.pop(5), 8, "a hole: ETH-USD has no row for 3 slots"),
    ("a row stands twice", lambda rows: rows.insert(3, rows[2]), 5, "has a row for this slot already"),
    ("a row stands twice in one slot", lambda rows: rows.insert(2, rows[0]), 4, "BTC-USD has a row for this"),
    ("two slots are swapped", swapped, 4, "earlier than a row above it"),
    ("a stretch is too long", replaced(4, "=3", "=4"), 8, "BTC-USD has a row for this slot already"),
    ("a stretch is too short", replaced(4, "=3", "=2"), 8, "a hole: BTC-USD has no row for 1 slot"),
    ("a stretch lost its length", replaced(4, " slots=3", ""), 8, "a hole: BTC-USD has no row for 2 slots"),
    ("a slot is none", replaced(6, ":25Z", ":26Z"), 8, "not a slot of every=5s"),
    ("a day does not exist", replaced(2, "11-20", "11-31"), 4, "no calendar has"),
    ("an hour does not exist", replaced(2, "T15", "T25"), 4, "no calendar has"),
    ("a slot has no Z", replaced(2, "Z ", " "), 4, "column 1 is not a slot"),
    ("a slot has a fraction", replaced(2, "Z ", ".5Z "), 4, "column 1 is not a slot"),
    ("a pair is in lower case", replaced(2, "BTC", "btc"), 4, "column 2 is not a pair"),
    ("a pair has no dash", replaced(2, "BTC-USD", "BTCUSD"), 4, "column 2 is not a pair"),
    ("a price has an exponent", replaced(2, "97121", "9.7E4"), 4, "column 3 is not a price"),
    ("a price has a sign", replaced(2, "97121", "-97121"), 4, "column 3 is not a price"),
    ("a price ends in a zero", replaced(2, "97121", "97121.50"), 4, "column 3 is not a price"),
    ("a price ends in a point", replaced(2, "97121", "97121."), 4, "column 3 is not a price"),
    ("a price is zero", replaced(2, "97121", "0"), 4, "column 3 is not a price"),
    ("a price begins with a zero", replaced(2, "97121", "097121"), 4, "column 3 is not a price"),
    ("a price has a separator", replaced(2, "97121", "97,121"), 4, "column 3 is not a price"),
    ("a price is no number", replaced(2, "97121", "nan"), 4, "column 3 is not a price"),
    ("a price has no sources", replaced(2, " coinbase", ""), 4, "at least 4 columns"),
    (
        "a source failed and counts",
        replaced(2, "coinbase", "coinbase:timeout"),
        4,
        "column 4 names no sources",
    ),
    ("a comma is left over", replaced(2, "coinbase", "coinbase,"), 4, "column 4 names no sources"),
    ("a reason is in upper case", replaced(3, "quorum", "QUORUM"), 5, "column 4 names no reason"),
    ("an extra is no key=value", replaced(7, "note=x", "note"), 9, "not key=value"),
    ("a price stands for several slots", replaced(2, "coinbase", "coinbase slots=2"), 4, "slots="),
    ("a stretch of no slots", replaced(4, "=3", "=0"), 6, "slots="),
    ("two blanks", replaced(2, "BTC-USD ", "BTC-USD  "), 4, ""),
    ("a blank at the end", replaced(2, "coinbase", "coinbase "), 4, "not key=value"),
    ("a carriage return", replaced(2, "coinbase", "coinbase\r"), 4, "column 4 names no sources"),
    ("an empty line", lambda rows: rows.insert(2, ""), 4, "at least 4 columns"),
    ("zeros of a crash", lambda rows: rows.insert(2, "\0" * 40), 4, "at least 4 columns"),
    ("half a row joined to the next", replaced(2, "2026-11-20T15", "2026-112026-11-20T15"), 4, "column 1"),
    ("half a row at the front", replaced(2, "2026-11-20T15:52", "52"), 4, "column 1 is not a slot"),
    (
        "a stretch of centuries",
        replaced(4, "=3", "=9999999999"),
        8,
        "BTC-USD has a row for this slot already",
    ),
    ("a header that is none", lambda rows: rows.insert(2, "# price-log 2 every=5s"), 4, "not a header"),
    ("an interval that is none", lambda rows: rows.insert(2, "# price-log 1 every=7s"), 4, "not a header"),
]


@pytest.mark.parametrize(
    ("change", "number", "what"), [case[1:] for case in CORRUPTIONS], ids=[case[0] for case in CORRUPTIONS]
)
def test_each_corruption_is_found_at_its_line(tmp_path: Path, change: Change, number: int, what: str) -> None:
    rows = list(SOUND)
    change(rows)
    path = tmp_path / "prices.txt"
    path.write_bytes((HEADER + "".join(row + "\n" for row in rows)).encode())

    status, shown = answer("verify", "--file", str(path))

    first, *others = shown.splitlines()
    assert status == 1
    assert len(others) <= 2
    assert first.startswith(f"{path}:{number}: ")
    assert what in first


MINUTES = "# price-log 1 every=60s"
LOGS = [
    ("a sound log", [HEADER, *SOUND], []),
    ("comments", [HEADER, *SOUND[:2], "# moved house", "#", *SOUND[2:]], []),
    (
        "a new interval goes on at its first slot",
        [HEADER, *SOUND[::2], MINUTES, "2026-11-20T15:53:00Z BTC-USD - down slots=2"],
        [],
    ),
    (
        "a new interval leaves no hole",
        [HEADER, *SOUND[::2], MINUTES, "2026-11-20T15:55:00Z BTC-USD 1 coinbase"],
        ["8: a hole: BTC-USD has no row for 2 slots from 2026-11-20T15:53:00Z on"],
    ),
    (
        "a repeated header lets a pair come back",
        [HEADER, *SOUND, HEADER, "2026-11-20T16:00:00Z BTC-USD 1 x", "2026-11-20T16:00:00Z ETH-USD 1 x"],
        [],
    ),
    (
        "without a header it leaves a hole",
        [HEADER, *SOUND[:9], "2026-11-20T15:52:35Z BTC-USD 1 x", "2026-11-20T15:52:35Z ETH-USD 1 x"],
        ["12: a hole: ETH-USD has no row for 1 slot from 2026-11-20T15:52:30Z on"],
    ),
    ("no header", [*SOUND], ["1: the first line is not '# price-log 1 every=5s'"]),
    (
        "a stretch beyond the calendar",
        ["# price-log 1 every=3600s", "2026-11-20T15:00:00Z BTC-USD - down slots=9999999999"],
        ["2: its slots reach beyond the year 9999"],
    ),
]


@pytest.mark.parametrize(("text", "faults"), [case[1:] for case in LOGS], ids=[case[0] for case in LOGS])
def test_the_segments_of_a_log_join_and_nothing_else_is_a_fault(
    tmp_path: Path, text: list[str], faults: list[str]
) -> None:
    path = write(tmp_path, *(line.rstrip() for line in text), header="")

    shown = "".join(f"{path}:{fault}\n" for fault in faults)
    assert answer("verify", "--file", path) == (int(bool(faults)), shown)


def test_the_last_line_of_the_growing_file_may_be_unfinished(tmp_path: Path) -> None:
    path = write(tmp_path, *SOUND)
    with Path(path).open("a") as file:
        file.write("2026-11-20T15:52:35Z BTC-U")

    assert answer("verify", "--file", path) == (0, "")


DATED, LAST, OLDER = "prices.txt-20261120", "prices.txt.1", "prices.txt.2"


@pytest.mark.parametrize(
    ("name", "older", "newer", "faults"),
    [
        (LAST, [*SOUND[:8], "2026-11-20T15:52:30Z BTC-U"], 8, [".1:10: the last line has no line end"]),
        (
            DATED,
            SOUND[:6],
            8,
            [
                f":{line}: a hole: {pair} has no row for 1 slot"
                for line, pair in ((2, "BTC-USD"), (3, "ETH-USD"))
            ],
        ),
        (OLDER, SOUND[:6], 8, []),  # the numbers show that a file is missing
        (LAST, SOUND[:6], 6, []),
        (
            LAST,
            SOUND[:6],
            4,
            [
                f":{line}: {pair} has a row for this slot already"
                for line, pair in ((2, "BTC-USD"), (3, "ETH-USD"))
            ],
        ),
    ],
)
def test_a_rotated_file_and_the_next_one_join(
    tmp_path: Path, name: str, older: list[str], newer: int, faults: list[str]
) -> None:
    rotated = write(tmp_path, *older, name=name)
    if older[-1].endswith("BTC-U"):
        Path(rotated).write_text(Path(rotated).read_text()[:-1])
    path = write(tmp_path, *SOUND[newer:])

    shown = lines("verify", "--file", path)

    assert [fault.partition(" from")[0] for fault in shown] == [f"{path}{fault}" for fault in faults]


def test_rotated_files_that_join_are_whole(tmp_path: Path) -> None:
    (tmp_path / "prices.txt-20261119.gz").write_bytes(
        gzip.compress((HEADER + "\n".join(SOUND[:4]) + "\n").encode())
    )
    write(tmp_path, *SOUND[4:6], name="prices.txt-20261120")

    assert answer("verify", "--file", write(tmp_path, *SOUND[6:])) == (0, "")


def test_a_damaged_packed_file_is_a_fault(tmp_path: Path) -> None:
    packed = gzip.compress((HEADER + "\n".join(SOUND * 400) + "\n").encode(), 0)
    (tmp_path / "prices.txt.1.gz").write_bytes(packed[: len(packed) // 2])

    shown = lines("verify", "--file", write(tmp_path, *SOUND[6:]))

    assert any("prices.txt.1.gz:" in fault and "damaged (cut short)" in fault for fault in shown)


REPAIR = "2026-11-20T15:52:15Z BTC-USD 97100 coinbase by=journal"
REPAIR_FAULTS = [
    (
        "2026-11-20T15:52:05Z BTC-USD 97100 coinbase by=peer",
        "BTC-USD has a live price for 2026-11-20T15:52:05Z",
    ),
    ("2026-11-20T15:52:16Z BTC-USD 97100 coinbase by=peer", "not a slot of every=5s"),
    (
        "2026-11-20T15:51:55Z BTC-USD 97100 coinbase by=peer",
        "before the log's first row of BTC-USD, which is for 2026-11-20T15:52:00Z",
    ),
    *(
        (
            f"2026-11-20T15:59:{second}Z BTC-USD 97100 coinbase by=peer",
            "after the log's last row of BTC-USD, which is for 2026-11-20T15:52:30Z",
        )
        for second in (50, 51)
    ),
    ("2026-11-20T15:52:15Z DOGE-USD 1 coinbase by=peer", "the log has no row of DOGE-USD"),
    ("2026-11-20T15:52:15Z BTC-USD 97100 coinbase", "a repair says by=journal, by=candle or by=peer"),
    ("2026-11-20T15:52:15Z BTC-USD 97100 coinbase by=magic", "a repair says by="),
    ("2026-11-20T15:52:15Z BTC-USD - down by=peer", "a repair has a price"),
    ("2026-11-20T15:52:15Z BTC-USD 97100", "a row has at least 4 columns, this one 3"),
]


@pytest.mark.parametrize(("wrong", "what"), REPAIR_FAULTS)
def test_each_wrong_repair_is_found_at_its_line(tmp_path: Path, wrong: str, what: str) -> None:
    path = write(tmp_path, *SOUND)
    rows = sorted([wrong, "2026-11-20T15:52:20Z ETH-USD 3100 coinbase by=candle"])
    repairs = write(tmp_path, *rows, name="repairs.txt")

    (fault,) = lines("verify", "--file", path)

    assert fault.startswith(f"{repairs}:{2 + rows.index(wrong)}: {what}")


def test_a_repair_inside_a_missed_row_that_ends_the_log_is_no_fault(tmp_path: Path) -> None:
    path = write(
        tmp_path, "2026-11-20T15:52:05Z BTC-USD 1 kraken", "2026-11-20T15:52:10Z BTC-USD - down slots=3"
    )
    write(tmp_path, REPAIR, REPAIR.replace(":15Z", ":20Z"), name="repairs.txt")

    assert answer("verify", "--file", path) == (0, "")


def test_a_missed_row_that_leads_out_of_the_calendar_does_not_end_the_proof_of_repairs(
    tmp_path: Path,
) -> None:
    path = write(
        tmp_path, "# price-log 1 every=3600s", "2026-11-20T15:00:00Z BTC-USD - down slots=9999999999"
    )
    repairs = write(tmp_path, REPAIR, name="repairs.txt")

    assert lines("verify", "--file", path)[1:] == [f"{repairs}:2: not a slot of every=3600s"]


def test_repairs_are_sorted_and_stand_once(tmp_path: Path) -> None:
    path = write(tmp_path, *SOUND)
    earlier = "2026-11-20T15:52:10Z BTC-USD 97100 coinbase by=journal"
    repairs = write(tmp_path, REPAIR, REPAIR, earlier, name="repairs.txt")

    shown = lines("verify", "--file", path)

    assert shown == [
        f"{repairs}:3: BTC-USD has a row for this slot already",
        f"{repairs}:4: earlier than a row above it, which is for 2026-11-20T15:52:15Z",
    ]


def test_sound_repairs_are_no_fault_and_live_only_leaves_them_out(tmp_path: Path) -> None:
    path = write(tmp_path, *SOUND)
    write(tmp_path, REPAIR, name="repairs.txt")
    assert answer("verify", "--file", path) == (0, "")

    write(tmp_path, "no repair", name="repairs.txt")
    assert answer("verify", "--file", path)[0] == 1
    assert answer("verify", "--file", path, "--live-only") == (0, "")


def test_faults_are_told_as_csv_and_json_too(tmp_path: Path) -> None:
    path = write(tmp_path, *SOUND[:2], SOUND[1], *SOUND[2:])
    what = "ETH-USD has a row for this slot already"

    assert lines("verify", "--file", path, "--format", "csv") == ["file,line,fault", f"{path},4,{what}"]
    assert lines("verify", "--file", path, "--format", "json") == [
        f'{{"file": "{path}", "line": 4, "fault": "{what}"}}'
    ]


def test_a_range_and_a_pair_limit_what_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, *SOUND[:2], SOUND[1], *SOUND[2:])

    assert answer("verify", "--file", path, "--pair", "BTC-USD")[0] == 0
    assert answer("verify", "--file", path, "--since", "2026-11-20T15:52:05Z")[0] == 0
    assert answer("verify", "--file", path, "--until", "2026-11-20T15:52:05Z")[0] == 1


SIMULATED = "# price-log 1 every=5s simulated\n"


@pytest.mark.parametrize(
    ("older", "source", "newer", "said"),
    [
        (SIMULATED, "simulated", HEADER, "simulated above"),
        (HEADER, "kraken", SIMULATED, "real above"),
        (HEADER, "simulated", SIMULATED, ""),
        (SIMULATED, "simulated", SIMULATED, ""),
        (HEADER, "kraken", HEADER, ""),
    ],
)
def test_a_log_that_mixes_simulated_and_real_prices_is_a_fault(
    tmp_path: Path, older: str, source: str, newer: str, said: str
) -> None:
    write(tmp_path, f"2026-11-20T15:00:00Z A-B 1 {source}", name="prices.txt.1", header=older)
    log = write(tmp_path, "2026-11-20T15:00:05Z A-B - down", header=newer)

    status, shown = answer("verify", "--file", log)

    assert status == int(bool(said))
    assert shown == (f"{log}:1: a log is simulated or real as a whole: {said}\n" if said else "")
