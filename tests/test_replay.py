"""An hour of minutes from three exchanges, recorded in seconds by the real recorder over real HTTP."""

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.replay import Minutes, Report, replay

BEGIN = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
MINUTES = 60
EXCHANGES = ("coinbase", "kraken", "binance.us")


@pytest.fixture(scope="module")
def minutes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour of made-up minutes, over midnight; kraken has no minute 20, and nobody has minute 40."""
    dice = random.Random(20)
    path = tmp_path_factory.mktemp("minutes") / "minutes.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["ts", "exchange", "pair", "open", "high", "low", "close", "volume", "trades"])
        middle = 60_000.0
        for number in range(MINUTES):
            before, middle = middle, middle * (1 + dice.gauss(0, 0.0008))
            for name in EXCHANGES:
                if number == 40 or (number == 20 and name == "kraken"):
                    continue
                opened, closed = (value * dice.uniform(0.9995, 1.0005) for value in (before, middle))
                high = max(opened, closed) * dice.uniform(1, 1.001)
                low = min(opened, closed) * dice.uniform(0.999, 1)
                start = (BEGIN + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
                shown = [f"{value:.2f}" for value in (opened, high, low, closed)]
                writer.writerow([start, name, "BTC-USD", *shown, "1.5", "12"])
    return path


@pytest.fixture(scope="module")
def report(minutes: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """What came of recording them."""
    return replay(minutes, tmp_path_factory.mktemp("replay"), MINUTES)


def test_every_slot_of_the_hour_has_its_row(report: Report) -> None:
    assert len(report.rows) == report.slots == 720
    assert report.rows[0].startswith("2026-11-20T23:30:00Z BTC-USD ")
    assert report.rows[-1].startswith("2026-11-21T00:29:55Z BTC-USD ")


def test_every_price_is_one_that_the_exchanges_had_in_that_minute(report: Report) -> None:
    assert report.outside == []


def test_only_what_the_exchanges_did_not_have_is_missed(report: Report) -> None:
    rows = [row.split(" ") for row in report.rows]
    minute = [row[2:] for row in rows if row[0][11:16] == "23:50"]
    assert {sources for _, sources in minute} <= {"coinbase,bitstamp", "coinbase", "bitstamp"}
    gone = [row[2:] for row in rows if row[0][11:16] == "00:10"]
    assert gone[0] == ["-", "coinbase:unavailable,kraken:unavailable,bitstamp:unavailable"]
    assert {price for price, _ in gone} == {"-"}
    assert report.missed <= 12 + 12  # and then each rests for a while
    assert len([row for row in rows if row[3] == "coinbase,kraken,bitstamp"]) > 600


def test_an_exchange_that_the_recorder_does_not_know_in_dollars_goes_by_another_name(minutes: Path) -> None:
    assert list(Minutes(minutes).names) == ["coinbase", "kraken", "bitstamp"]
