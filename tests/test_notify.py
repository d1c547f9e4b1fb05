"""What systemd is told."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from price import events
from price.events import NOTICE, Event
from price.handlers.notify import Notify
from price.model import Pair, Quote, Reading

SLOT = datetime(2026, 11, 20, 15, 52, 5, tzinfo=UTC)
BTC, ETH = Pair("BTC", "USD"), Pair("ETH", "USD")


class Systemd:
    """Listens; and lets a test say how many rows are held and how many slots were missed."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.held = 0
        self.missed = 0


@pytest.fixture
def systemd() -> Systemd:
    return Systemd()


@pytest.fixture
def handler(systemd: Systemd) -> Iterator[Notify]:
    handler = Notify(systemd.heard.append, lambda: 12.5, lambda: systemd.held, lambda: systemd.missed)
    events.ROOT.addHandler(handler)
    events.ROOT.setLevel(logging.DEBUG)
    yield handler
    events.ROOT.removeHandler(handler)


def quote(pair: Pair, price: str) -> Quote:
    readings = (Reading("coinbase", Decimal(price)), Reading("kraken", why="timeout"))
    return Quote(SLOT, pair, Decimal(price), ("coinbase",), readings=readings)


def test_ready_comes_with_the_start_and_stopping_with_the_stop(systemd: Systemd, handler: Notify) -> None:
    events.log_event(Event.STARTED, logging.INFO, "started")
    events.log_event(Event.STOPPING, logging.INFO, "stopping")

    assert systemd.heard == ["READY=1", "STOPPING=1"]


@pytest.mark.parametrize("end", [Event.RELOADED, Event.RELOAD_REFUSED])
def test_a_reload_begins_with_its_time_and_ends_ready_whatever_came_of_it(
    end: Event, systemd: Systemd, handler: Notify
) -> None:
    events.log_event(Event.RELOADING, logging.INFO, "reading")
    events.log_event(end, NOTICE, "read")

    assert systemd.heard == ["RELOADING=1\nMONOTONIC_USEC=12500000", "READY=1"]


def test_a_finished_slot_is_one_datagram_with_the_last_price_and_the_gaps_of_the_day(
    systemd: Systemd, handler: Notify
) -> None:
    systemd.missed = 3
    events.log_quote(quote(BTC, "97123.450"))
    events.log_quote(quote(ETH, "3300"))
    handler.flush()

    assert systemd.heard == [
        "WATCHDOG=1\nSTATUS=BTC-USD 97123.45, 1 of 2 sources agree, 1 more pairs; 3 slots missed today"
    ]


def test_rows_that_are_held_show_in_the_status_line(systemd: Systemd, handler: Notify) -> None:
    systemd.held = 12
    readings = (Reading("kraken", why="timeout"),)
    events.log_quote(Quote(SLOT, BTC, reason="kraken:timeout", readings=readings))
    handler.flush()

    assert "BTC-USD missed: kraken:timeout" in systemd.heard[0]
    assert "12 rows held" in systemd.heard[0]


def test_a_pulse_without_a_slot_keeps_the_watchdog_quiet_and_the_last_status(
    systemd: Systemd, handler: Notify
) -> None:
    events.log_quote(quote(BTC, "1"))
    handler.flush()
    handler.flush()

    assert systemd.heard[0] == systemd.heard[1]


def test_nothing_in_a_status_can_pass_for_another_assignment(systemd: Systemd, handler: Notify) -> None:
    events.log_quote(Quote(SLOT, BTC, reason="x\nERRNO=5", readings=(Reading("x\nERRNO=5", why="y"),)))
    handler.flush()

    assert [text.partition("=")[0] for text in systemd.heard[0].split("\n")] == ["WATCHDOG", "STATUS"]
