"""What systemd is told."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from price.handlers.notify import Notify, sender
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
def service(systemd: Systemd) -> Notify:
    return Notify(systemd.heard.append, lambda: 12.5, lambda: systemd.held, lambda: systemd.missed)


def quote(pair: Pair, price: str) -> Quote:
    readings = (Reading("coinbase", Decimal(price)), Reading("kraken", why="timeout"))
    return Quote(SLOT, pair, Decimal(price), ("coinbase",), readings=readings)


def test_a_start_a_reload_and_a_stop_are_told(systemd: Systemd, service: Notify) -> None:
    service.ready()
    service.reloading()
    service.stopping()

    assert systemd.heard == ["READY=1", "RELOADING=1\nMONOTONIC_USEC=12500000", "STOPPING=1"]


def test_without_a_service_manager_nothing_is_sent() -> None:
    assert sender({})("READY=1") is None


def test_a_finished_slot_is_one_datagram_with_the_last_price_and_the_gaps_of_the_day(
    systemd: Systemd, service: Notify
) -> None:
    systemd.missed = 3
    service.slot(SLOT, [quote(BTC, "97123.450"), quote(ETH, "3300")])

    assert systemd.heard == [
        "WATCHDOG=1\nSTATUS=BTC-USD 97123.45, 1 of 2 sources agree, 1 more pair; 3 slots missed today"
    ]


def test_rows_that_are_held_show_in_the_status_line(systemd: Systemd, service: Notify) -> None:
    systemd.held = 12
    readings = (Reading("kraken", why="timeout"),)
    service.slot(SLOT, [Quote(SLOT, BTC, reason="kraken:timeout", readings=readings)])

    assert "BTC-USD missed: kraken:timeout" in systemd.heard[0]
    assert "12 rows held" in systemd.heard[0]


def test_a_pulse_without_a_slot_keeps_the_watchdog_quiet_and_the_last_status(
    systemd: Systemd, service: Notify
) -> None:
    service.slot(SLOT, [quote(BTC, "1")])
    service.idle()

    assert systemd.heard[0] == systemd.heard[1]


def test_nothing_in_a_status_can_pass_for_another_assignment(systemd: Systemd, service: Notify) -> None:
    readings = (Reading("x\nERRNO=5", why="y"),)
    service.slot(SLOT, [Quote(SLOT, BTC, reason="x\nERRNO=5", readings=readings)])

    assert [text.partition("=")[0] for text in systemd.heard[0].split("\n")] == ["WATCHDOG", "STATUS"]
