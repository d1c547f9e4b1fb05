"""The journal's handler: what it sends, and what happens when journald does not take it."""

import io
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from price import events
from price.events import NOTICE, Event
from price.handlers import journal
from price.handlers.console import Console
from price.handlers.fields import priority as priority_of
from price.handlers.journal import PATIENCE_SECONDS, Journal
from price.model import Pair, Quote, Reading
from price.safely import Failures
from price.settings import load
from price.sinks.records import RecordsSink

SLOT = datetime(2026, 11, 20, 15, 52, 5, tzinfo=UTC)
BTC = Pair("BTC", "USD")


class Journald:
    """A stand-in for journald: its socket, and the entries that cysystemd would have sent."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[dict[str, str]] = []
        self.code = 0
        self._listen()

    def _listen(self) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))

    def send(self, **fields: str) -> int:
        self.entries.append(fields)
        return self.code

    def freeze(self) -> None:
        """Lets the queue fill up, as when journald does not read."""
        while self._takes_more():
            pass

    def _takes_more(self) -> bool:
        """Sends what one sender may, which can be less than a queue holds; whether any of it was taken."""
        sent = 0
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler, suppress(BlockingIOError):
            filler.setblocking(False)
            while True:
                filler.sendto(b"x", str(self.path))
                sent += 1
        return sent > 0

    def thaw(self) -> None:
        self.socket.setblocking(False)
        try:
            while True:
                self.socket.recv(64)
        except BlockingIOError:
            pass

    def restart(self, *, there: bool = True) -> None:
        """Makes the socket anew, as a restart of journald's socket unit does."""
        self.socket.close()
        if there:
            self.path.unlink()
        self._listen()


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[Journald]:
    daemon = Journald(tmp_path / "socket")
    yield daemon
    daemon.socket.close()


@pytest.fixture
def handler(journald: Journald) -> Iterator[Journal]:
    handler = Journal(journald.path, journald.send, time.monotonic, Console(io.StringIO()))
    events.ROOT.addHandler(handler)
    events.ROOT.setLevel(logging.DEBUG)
    yield handler
    events.ROOT.removeHandler(handler)
    handler.close()


def reading(source: str, price: str = "", why: str = "") -> Reading:
    return Reading(source, Decimal(price) if price else None, why)


def test_a_quote_with_a_price_has_the_promised_fields_and_no_others(
    journald: Journald, handler: Journal
) -> None:
    readings = (
        reading("coinbase", "97123.45"),
        reading("kraken", "97121.10"),
        reading("bitstamp", why="timeout"),
    )

    events.log_quote(Quote(SLOT, BTC, Decimal("97122.275"), ("coinbase", "kraken"), readings=readings))

    assert journald.entries == [
        {
            "MESSAGE": "BTC-USD 97122.275 coinbase,kraken",
            "PRIORITY": "6",
            "MESSAGE_ID": Event.RECORDED.value,
            "SYSLOG_IDENTIFIER": "price",
            "LOGGER": "price.quote",
            "PRICE_PAIR": "BTC-USD",
            "PRICE_SLOT": "2026-11-20T15:52:05Z",
            "PRICE_VALUE": "97122.275",
            "PRICE_SOURCES": "coinbase,kraken",
            "PRICE_QUOTES": "coinbase=97123.45 kraken=97121.1 bitstamp=timeout",
        }
    ]


def test_a_missed_quote_is_a_warning_with_its_reason(journald: Journald, handler: Journal) -> None:
    events.log_quote(Quote(SLOT, BTC, reason="kraken:timeout", readings=(reading("kraken", why="timeout"),)))

    (entry,) = journald.entries
    assert entry["PRIORITY"] == "4"
    assert entry["PRICE_REASON"] == "kraken:timeout"
    assert entry["MESSAGE"] == "BTC-USD missed: kraken:timeout"
    assert "PRICE_VALUE" not in entry
    assert "PRICE_SOURCES" not in entry


def test_the_choice_can_be_recomputed_from_what_each_source_said(
    journald: Journald, handler: Journal
) -> None:
    readings = (
        reading("coinbase", "100"),
        reading("kraken", "140", "outlier"),
        reading("bitstamp", "99", "stale"),
    )

    events.log_quote(Quote(SLOT, BTC, Decimal(100), ("coinbase",), readings=readings))

    assert journald.entries[0]["PRICE_QUOTES"] == "coinbase=100 kraken=140 bitstamp=stale"


def test_a_change_at_a_source_names_it(journald: Journald, handler: Journal) -> None:
    events.log_source_event(Event.SOURCE_LOST, logging.WARNING, "kraken", "lost: timeout")

    (entry,) = journald.entries
    assert (entry["PRICE_SOURCE"], entry["LOGGER"]) == ("kraken", "price.source")
    assert entry["MESSAGE"] == "kraken lost: timeout"


@pytest.mark.parametrize(
    ("level", "priority"),
    [
        (logging.CRITICAL, "2"),
        (90, "2"),
        (logging.ERROR, "3"),
        (logging.WARNING, "4"),
        (NOTICE, "5"),
        (logging.INFO, "6"),
        (10, "7"),
        (1, "7"),
    ],
)
def test_priorities_follow_the_level_and_never_reach_every_terminal(level: int, priority: str) -> None:
    assert priority_of(level) == priority


@pytest.mark.parametrize(
    "text",
    ["a\0b", "two\nlines", "half \udc80 of a character", "x" * 5_000_000, "%s %d", ""],
    ids=["NUL", "lines", "surrogate", "5 MB", "placeholders", "nothing"],
)
def test_anything_a_record_can_hold_becomes_an_entry(text: str, journald: Journald, handler: Journal) -> None:
    # not through a logger: pytest would capture the text, and its workers cannot report a lone surrogate
    handler.handle(logging.LogRecord("price", logging.INFO, "", 1, "%s", (text,), None))

    (entry,) = journald.entries
    entry["MESSAGE"].encode("utf-8")
    assert len(entry["MESSAGE"]) >= len(text)


def test_an_entry_that_journald_refuses_is_an_error_that_is_said(
    journald: Journald, handler: Journal
) -> None:
    journald.code = -22

    with pytest.raises(OSError, match="refused"):
        events.log_event(Event.STARTED, logging.INFO, "too odd")


def test_a_full_queue_costs_each_slot_a_fifth_of_a_second_in_all_and_is_said_afterwards(
    journald: Journald, handler: Journal
) -> None:
    journald.freeze()
    took = []
    for _ in range(2):
        began = time.monotonic()
        for _ in range(50):
            events.log_quote(Quote(SLOT, BTC, Decimal(1), ("kraken",)))
        took.append(time.monotonic() - began)
        handler.flush()

    assert journald.entries == []
    assert min(took) > 0.15
    assert max(took) < 50 * PATIENCE_SECONDS / 2, "they do not wait one by one"

    journald.thaw()
    events.log_quote(Quote(SLOT, BTC, Decimal(2), ("kraken",)))

    assert [entry["MESSAGE"] for entry in journald.entries] == [
        "100 entries dropped: journald's queue was full",
        "BTC-USD 2 kraken",
    ]


def test_a_socket_that_was_made_anew_is_asked_from_the_next_slot_on(
    journald: Journald, handler: Journal
) -> None:
    journald.restart()
    handler.flush()
    journald.freeze()

    events.log_quote(Quote(SLOT, BTC, Decimal(1), ("kraken",)))

    assert journald.entries == []


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({"JOURNAL_STREAM": "1:1", "SYSTEMD_EXEC_PID": "1"}, False),
        ({"SYSTEMD_EXEC_PID": str(os.getpid())}, True),  # also before journald runs
    ],
)
def test_records_go_to_the_journal_where_systemd_started_us_and_else_to_the_terminal(
    environ: dict[str, str], wanted: bool
) -> None:
    assert journal.wanted(environ) is wanted


@pytest.mark.parametrize("way", ["nobody listens", "no socket"])
def test_what_the_journal_refuses_goes_to_stderr_until_it_takes_entries_again(
    journald: Journald, tmp_path: Path, way: str
) -> None:
    stderr = (tmp_path / "stderr").open("w")
    failures = Failures()
    handler = Journal(journald.path, journald.send, time.monotonic, Console(stderr))
    sink = RecordsSink([handler], failures)
    sink.configure(load({}))

    def record(price: int) -> None:
        sink.slot(SLOT, [Quote(SLOT, BTC, Decimal(price), ("kraken",))])
        failures.report(slot_ended=True)

    record(1)
    if way == "no socket":
        journald.path.unlink()
    else:
        journald.code = -111
    record(2)
    record(3)
    if way == "no socket":
        journald.restart(there=False)
    journald.code = 0
    refused = len(journald.entries)
    record(4)
    sink.close()
    stderr.close()

    first, fault, second = (tmp_path / "stderr").read_text().splitlines()
    assert (first.partition("Z ")[2], second.partition("Z ")[2]) == ("BTC-USD 2 kraken", "BTC-USD 3 kraken")
    assert "Journal cannot take a record" in fault
    sent = [entry["MESSAGE"] for entry in journald.entries[refused:]]
    assert sent[0] == "BTC-USD 4 kraken"
    assert "Journal can take a record again after" in sent[-1]


def test_a_stderr_that_nobody_reads_is_not_waited_for(journald: Journald) -> None:
    journald.code = -111
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb"), os.fdopen(writer, "w") as stream:
        handler = Journal(journald.path, journald.send, time.monotonic, Console(stream))
        record = logging.LogRecord("price", logging.INFO, "", 1, "%s", ("x" * 4000,), None)
        for _ in range(40):
            with pytest.raises(OSError, match="refused"):
                handler.emit(record)

        assert handler.dropped > 0
        handler.close()


def test_the_ids_of_events_are_fixed_and_differ() -> None:
    ids = [event.value for event in Event]

    assert len(set(ids)) == len(ids)
    assert all(len(one) == 32 and int(one, 16) and one == one.lower() for one in ids)
