"""`--from journal`: entries that truly come from the recorder, and nothing else."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from price.backfill.journal import Journal
from price.events import Event
from tests.backfill.repairing import Shop, at, down, rows
from tests.report.asking import lines

LOG = [*rows("11:00:00", "11:00:10"), down("11:00:15", 3), *rows("11:00:30", "11:40:00"), down("11:40:05", 1)]


def entry(time: str, value: str = "99.5", unit: str = "price.service", **more: object) -> dict[str, object]:
    """A journal entry of a quote, as cysystemd gives it."""
    said = {"PRICE_PAIR": "BTC-USD", "PRICE_SLOT": f"2026-11-20T{time}Z", "PRICE_VALUE": value}
    return {**said, "PRICE_SOURCES": "coinbase,kraken", "_SYSTEMD_UNIT": unit, "_UID": "998", **more}


class Entries:
    """A journal."""

    def __init__(self, *entries: dict[str, object]) -> None:
        self.entries = entries
        self.asked: list[tuple[int, int]] = []

    def __call__(self, since: int, until: int) -> Iterator[Mapping[str, object]]:
        self.asked.append((since, until))
        yield from self.entries


def learn(folder: Path, *entries: dict[str, object], uid: int | None = None) -> Shop:
    shop = Shop(folder, LOG)
    shop.repair("journal", known=Journal(Entries(*entries), "price.service", uid))
    return shop


def test_what_the_file_lacks_is_taken_to_the_digit(tmp_path: Path) -> None:
    shop = learn(tmp_path, entry("11:00:10"), entry("11:00:20"), entry("11:00:25", "99.000000012"))

    assert shop.filled() == [
        "2026-11-20T11:00:20Z BTC-USD 99.5 coinbase,kraken by=journal",
        "2026-11-20T11:00:25Z BTC-USD 99.000000012 coinbase,kraken by=journal",
    ]
    assert shop.said == "BTC-USD: 2 of 4 missed slots filled by=journal, 2 stay missing\n"
    assert lines("verify", "--file", str(shop.file)) == []


def test_only_the_stretches_are_looked_up_not_what_lies_between(tmp_path: Path) -> None:
    shop, entries = Shop(tmp_path, LOG), Entries()

    shop.repair("journal", known=Journal(entries, "price.service", None))

    assert entries.asked == [
        (at("11:00:15"), at("11:01:35")),
        (at("11:40:05"), at("11:41:15")),
    ]


def test_entries_that_somebody_else_wrote_are_not_believed_and_that_is_said(tmp_path: Path) -> None:
    shop = learn(tmp_path, entry("11:00:20", "99", unit="session-1.scope"), entry("11:00:25"))

    assert [row[11:19] for row in shop.filled()] == ["11:00:25"]
    assert "entries not believed, since journald says that others wrote them: 1;" in shop.said
    assert "--unit names the recorder's unit" in shop.said


def test_what_processes_of_ones_own_wrote_is_believed(tmp_path: Path) -> None:
    shop = learn(tmp_path, entry("11:00:20", unit="user@998.service"), uid=998)

    assert len(shop.filled()) == 1


def test_where_two_entries_differ_neither_is_believed(tmp_path: Path) -> None:
    twice = [entry("11:00:20", "99"), entry("11:00:20", "98"), entry("11:00:25"), entry("11:00:25")]

    shop = learn(tmp_path, *twice)

    assert [row[11:19] for row in shop.filled()] == ["11:00:25"]
    assert "slots that stay missing, since two entries differ about them: 1" in shop.said


@pytest.mark.parametrize(
    "odd",
    [
        {"PRICE_VALUE": "1e5"},
        {"PRICE_VALUE": "99 by=peer"},
        {"PRICE_VALUE": ["99", "98"]},
        {"PRICE_VALUE": "99\n2026-11-20T11:00:25Z BTC-USD 98 kraken"},
        {"PRICE_VALUE": "-", "PRICE_SOURCES": "down"},
        {"PRICE_SOURCES": "kraken slots=2"},
        {"PRICE_SOURCES": "kraken by=peer"},
        {"PRICE_SOURCES": None},
        {"PRICE_SLOT": "2026-02-30T11:00:20Z"},
        {"PRICE_SLOT": "2026-11-20T11:00:21Z"},
        {"PRICE_PAIR": "ETH-USD"},
        {"PRICE_PAIR": "BTC\udcff-USD"},
    ],
)
def test_an_entry_that_is_no_row_is_left_aside(tmp_path: Path, odd: dict[str, object]) -> None:
    shop = learn(tmp_path, {**entry("11:00:20"), **odd})

    assert shop.filled() == []


def json_line(entry: Mapping[str, object], second: str = "") -> str:
    """An entry as a line of `journalctl -o json`, logged in a second, by default in that of its slot."""
    moment = at(second or str(entry["PRICE_SLOT"])[11:19]) * 1_000_000 + 400_000
    ours = {"SYSLOG_IDENTIFIER": "price", "MESSAGE_ID": Event.RECORDED.value}
    return json.dumps({"__REALTIME_TIMESTAMP": str(moment), **ours, **entry})


def own(time: str, value: str = "99.5") -> dict[str, object]:
    """An entry as the recorder writes it to stderr: nobody vouches for it."""
    return {name: said for name, said in entry(time, value).items() if not name.startswith("_")}


def test_lines_of_json_are_read_as_entries_of_the_journal_are(tmp_path: Path) -> None:
    shop = Shop(tmp_path, LOG)
    written = [
        "Traceback (most recent call last):",
        json_line(own("11:00:10")),
        json_line(entry("11:00:20")),
        '{"half": ',
        "[" * 50_000,
        "7",
        json_line({**own("11:00:25"), "__REALTIME_TIMESTAMP": "soon"}),
        json_line({**own("11:00:10"), "__REALTIME_TIMESTAMP": "4102444800000000"}),  # a clock of 2100
        json_line({**own("11:00:25"), "SYSLOG_IDENTIFIER": "price-b"}),
        json_line(own("11:00:25", "99.000000012"), "11:00:27"),
        json_line(own("11:40:05"), "11:40:06"),
        json_line(own("11:40:05", "1"), "11:59:00"),
    ]
    shop.write(tmp_path / "lines.json", written)

    shop.repair(f"journal:{tmp_path / 'lines.json'}")

    assert shop.filled() == [
        "2026-11-20T11:00:20Z BTC-USD 99.5 coinbase,kraken by=journal",
        "2026-11-20T11:00:25Z BTC-USD 99.000000012 coinbase,kraken by=journal",
        "2026-11-20T11:40:05Z BTC-USD 99.5 coinbase,kraken by=journal",
    ]


def test_of_lines_of_json_one_that_names_another_writer_is_not_believed(tmp_path: Path) -> None:
    shop = Shop(tmp_path, LOG)
    shop.write(tmp_path / "lines.json", [json_line(entry("11:00:20", unit="session-1.scope"))])

    shop.repair(f"journal:{tmp_path / 'lines.json'}")

    assert shop.filled() == []
    assert "others wrote them: 1;" in shop.said


def test_the_end_of_a_line_that_is_too_long_is_no_line_of_its_own(tmp_path: Path) -> None:
    shop = Shop(tmp_path, LOG)
    forged = json_line(own("11:00:20"))
    lines = ["x" * 64 * 1024 * pieces + forged for pieces in (1, 2, 33)]
    shop.write(tmp_path / "lines.json", [*lines, json_line(own("11:00:25"))])

    shop.repair(f"journal:{tmp_path / 'lines.json'}")

    assert [row[11:] for row in shop.filled()] == ["11:00:25Z BTC-USD 99.5 coinbase,kraken by=journal"]
