"""`--from exchange`: candles of local copies of the exchanges, over HTTP, in virtual time."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from price import times
from price.backoff import Backoff
from price.errors import PriceError, SettingsError
from price.log.row import plain
from price.model import Pair
from price.sources.simulated import price_at
from tests.backfill.repairing import NOON, Shop, at, down
from tests.backfill.repairing import rows as rows_at
from tests.exchange import Exchange, Market, faults
from tests.report.asking import lines

NAMES = ("coinbase", "kraken", "bitstamp")


def rows(first: str, last: str, every: int = 5) -> list[str]:
    """Rows at about the price that the exchanges had."""
    return rows_at(first, last, "60300", every)


HOUR = [*rows("10:00:00", "10:00:55"), down("10:01:00", 720), *rows("11:01:00", "11:01:30")]
NINE_HOURS = [*rows("02:00:00", "02:00:00"), down("02:00:05", 6480), *rows("11:00:05", "11:00:10")]
OFF = {"coinbase": Decimal("0.02"), "kraken": Decimal(0), "bitstamp": Decimal("-0.01")}


def price(exchange: str, _pair: Pair, moment: datetime) -> Decimal:
    """A price that rises by a hundredth a second, a little different at each exchange."""
    return 60000 + Decimal(times.unix(moment) - at("00:00:00")) / 100 + OFF.get(exchange, 0)


Open = Callable[..., tuple[Shop, Market]]


@pytest.fixture
def open_shop(tmp_path: Path) -> Iterator[Open]:
    """A log with a hole and exchanges that know better."""
    markets: list[Market] = []

    def make(
        log: list[str] = HOUR,
        prices: Callable[[str, Pair, datetime], Decimal | None] = price,
        **settings: str,
    ) -> tuple[Shop, Market]:
        shop = Shop(tmp_path, log)
        market = Market(
            settings.pop("names", ",".join(NAMES)).split(","), prices=prices, clock=shop.clock.now
        )
        markets.append(market.__enter__())
        shop.environ.update(market.environment)
        shop.environ.update({f"PRICE_{name}": value for name, value in settings.items()})
        shop.environ.update(
            {"PRICE_STATE": str(tmp_path / "state.json"), "PRICE_STATUS": str(tmp_path / "status.json")}
        )
        return shop, market

    yield make
    for market in markets:
        market.__exit__(None, None, None)


def close(exchange: str, slot: int) -> Decimal:
    """What an exchange's minute that ends at a slot closed with."""
    return price(exchange, Pair("BTC", "USD"), times.from_unix(slot) - timedelta(milliseconds=1))


def gaps(exchange: Exchange) -> list[float]:
    """The seconds between the requests that an exchange saw."""
    seen = [one.time for one in exchange.requests]
    return [(after - before).total_seconds() for before, after in pairwise(seen)]


def test_each_missed_slot_at_a_full_minute_gets_the_median_of_the_closes(open_shop: Open) -> None:
    shop, market = open_shop()

    assert shop.repair("exchange") == 0

    minutes = range(at("10:01:00"), at("11:01:00"), 60)
    assert shop.filled() == [
        f"{times.iso(times.from_unix(slot))} BTC-USD {median(close(name, slot) for name in NAMES):f}"
        f" coinbase,kraken,bitstamp by=candle"
        for slot in minutes
    ]
    assert shop.said == "BTC-USD: 60 of 720 missed slots filled by=candle, 660 stay missing\n"
    assert [exchange.count for exchange in market] == [1, 1, 1]
    assert lines("verify", "--file", str(shop.file)) == []


def test_asked_again_it_asks_nobody_since_no_stretch_is_over_a_minute_any_more(open_shop: Open) -> None:
    shop, market = open_shop()
    shop.repair("exchange")
    before = shop.repairs.read_bytes()

    shop.repair("exchange")

    assert shop.repairs.read_bytes() == before
    assert [exchange.count for exchange in market] == [1, 1, 1]


def test_a_minute_without_a_price_is_not_worth_a_question(open_shop: Open) -> None:
    log = [*rows("10:00:00", "10:00:30"), down("10:00:35", 11), *rows("10:01:30", "10:02:00")]
    shop, market = open_shop(log)

    shop.repair("exchange")

    assert [exchange.count for exchange in market] == [0, 0, 0]


@pytest.mark.parametrize("seconds", [30, 60, 240])
def test_adjacent_ranges_fill_what_one_run_fills(open_shop: Open, seconds: int) -> None:
    log = [*rows("10:00:00", "10:00:30"), down("10:00:35", 48), *rows("10:04:35", "10:05:00")]
    shop, _ = open_shop(log)
    shop.repair("exchange")
    at_once = shop.filled()
    shop.repairs.unlink()

    for start in range(at("10:00:30"), at("10:04:30"), seconds):
        edges = [times.iso(times.from_unix(unix)) for unix in (start, start + seconds)]
        shop.repair("exchange", "--since", edges[0], "--until", edges[1])

    assert shop.filled() == at_once
    assert len(at_once) == 4


@pytest.mark.parametrize(
    ("times_right", "quorum", "sources"),
    [
        ({"coinbase": 1, "kraken": 2, "bitstamp": 1}, "", {"coinbase,bitstamp"}),
        ({"coinbase": 1, "kraken": 2}, "2", set()),
        ({"kraken": 1}, "", set()),
        ({"kraken": 1}, "2", set()),
        ({"kraken": 1}, "1", {"kraken"}),
        ({"kraken": 1000}, "1", set()),
        (dict.fromkeys(NAMES, 1000), "1", set()),
    ],
)
def test_closes_are_chosen_as_live_prices_are_and_believed_near_to_these(
    open_shop: Open, times_right: dict[str, int], quorum: str, sources: set[str]
) -> None:
    def close_of(name: str, pair: Pair, moment: datetime) -> Decimal | None:
        return price(name, pair, moment) * times_right[name] if name in times_right else None

    shop, _ = open_shop(prices=close_of, QUORUM=quorum)

    shop.repair("exchange")

    assert {row.split(" ")[3] for row in shop.filled()} == sources
    assert len(shop.filled()) == (60 if sources else 0)
    lied = 1000 in times_right.values()
    assert ("prices not believed, over 5 % outside those recorded around" in shop.said) == lied


def test_half_of_what_the_recorder_leaves_of_a_limit_is_used_at_most(open_shop: Open) -> None:
    shop, market = open_shop(NINE_HOURS)

    shop.repair("exchange")

    # kraken: 60 a minute, of which the recorder takes 12; half of 48
    assert min(gaps(market["kraken"])) >= 2.5
    assert market["kraken"].count == 2
    assert len(shop.filled()) == 540


def test_a_source_whose_limit_the_recorder_uses_up_is_not_asked(open_shop: Open) -> None:
    log = [
        *rows("10:00:00", "10:00:10", every=1),
        down("10:00:11", 240),
        *rows("10:04:11", "10:04:12", every=1),
    ]
    shop, market = open_shop([], INTERVAL="1")
    shop.write(shop.file, ["# price-log 1 every=1s", *log])

    shop.repair("exchange")

    assert market["kraken"].count == 0
    assert {row.split(" ")[3] for row in shop.filled()} == {"coinbase,bitstamp"}
    assert "kraken is not asked: the recorder uses all of its limit" in shop.said


@pytest.mark.parametrize(("fault", "seconds"), [(faults.rate_limited(90), 90), (faults.rate_limited(), 60)])
def test_who_asks_for_a_rest_gets_it_and_is_asked_again(
    open_shop: Open, fault: faults.Fault, seconds: int
) -> None:
    shop, market = open_shop()
    market["kraken"].fail(fault, answers=1)

    shop.repair("exchange")

    assert len(gaps(market["kraken"])) == 1
    assert seconds <= gaps(market["kraken"])[0] < seconds + 1
    assert {row.split(" ")[3] for row in shop.filled()} == {"coinbase,kraken,bitstamp"}


def test_what_was_learnt_is_kept_before_a_rest_is_waited_out(open_shop: Open) -> None:
    def limiting(name: str, pair: Pair, moment: datetime) -> Decimal:
        if name == "bitstamp" and market["coinbase"].count == 1:
            market["coinbase"].fail(faults.rate_limited(90), answers=1)
        return price(name, pair, moment)

    shop, market = open_shop(NINE_HOURS, limiting)
    kept: list[int] = []
    shop.clock.at(60, lambda: kept.append(len(shop.filled())))

    shop.repair("exchange")

    assert kept == [300]
    assert len(shop.filled()) == 540


@pytest.mark.parametrize(
    ("fault", "count"),
    [(faults.rate_limited(3600), 1), (faults.status(403), 1), (faults.html(), 3), (faults.status(500), 3)],
)
def test_who_does_not_answer_is_left_alone_and_the_others_go_on(
    open_shop: Open, fault: faults.Fault, count: int
) -> None:
    shop, market = open_shop()
    market["kraken"].fault = fault

    shop.repair("exchange")

    assert market["kraken"].count == count
    assert {row.split(" ")[3] for row in shop.filled()} == {"coinbase,bitstamp"}
    assert "kraken is not asked any more in this run: " in shop.said


def test_a_pair_that_a_source_does_not_know_costs_one_question(open_shop: Open) -> None:
    shop, market = open_shop(NINE_HOURS)
    market["coinbase"].fault = faults.delisted(Pair("BTC", "USD"))

    shop.repair("exchange")

    assert market["coinbase"].count == 1
    assert "coinbase does not answer for BTC-USD" in shop.said
    assert len(shop.filled()) == 540


def test_nobody_is_asked_for_what_lies_beyond_its_reach(open_shop: Open) -> None:
    shop, market = open_shop()
    shop.clock.suspend(86400)

    shop.repair("exchange")

    assert market["kraken"].count == 0  # it keeps twelve hours
    assert {row.split(" ")[3] for row in shop.filled()} == {"coinbase,bitstamp"}


def test_a_minute_that_has_just_ended_is_left_for_later(open_shop: Open) -> None:
    shop, _ = open_shop()
    shop.clock.step(at("10:30:30") - times.unix(NOON))

    shop.repair("exchange")

    assert shop.filled()[-1].startswith("2026-11-20T10:29:00Z")


def test_only_slots_that_end_a_minute_are_filled_whatever_the_interval(open_shop: Open) -> None:
    shop, _ = open_shop([])
    log = [*rows("10:00:00", "10:00:00"), down("10:00:45", 20), *rows("10:15:45", "10:15:45")]
    shop.write(shop.file, ["# price-log 1 every=45s", *log])

    shop.repair("exchange")

    assert [row[11:19] for row in shop.filled()] == [f"10:{minute:02}:00" for minute in range(3, 16, 3)]


@pytest.mark.parametrize(("rest", "count"), [(40, 1), (4000, 0)])
def test_a_rest_that_the_recorder_keeps_is_kept_here_too(open_shop: Open, rest: int, count: int) -> None:
    shop, market = open_shop()
    saved = {"url": market["kraken"].url, **Backoff().saved(0), "rest_seconds": rest}
    state = {"version": 1, "saved": NOON.isoformat(), "sources": {"kraken": saved, "okx": {}}}
    (shop.folder / "state.json").write_text(json.dumps(state))

    shop.repair("exchange")

    assert market["kraken"].count == count
    assert all((one.time - NOON).total_seconds() >= rest for one in market["kraken"].requests)


def test_bad_settings_and_sources_without_candles_are_said(open_shop: Open) -> None:
    shop, _ = open_shop(QUORUM="9")
    with pytest.raises(SettingsError):
        shop.repair("exchange")

    shop.environ |= {"PRICE_QUORUM": "1", "PRICE_SOURCES": "coingecko"}
    with pytest.raises(PriceError, match="none of them has one-minute candles"):
        shop.repair("exchange")


def test_the_simulated_exchange_repairs_its_own_log(tmp_path: Path) -> None:
    known = plain(price_at(Pair("BTC", "USD"), at("10:30:00")))
    made_up = [text.replace("60300 coinbase,kraken", f"{known} simulated") for text in HOUR]
    shop = Shop(tmp_path, made_up, {"PRICE_SOURCES": "simulated"})

    shop.repair("exchange")

    assert len(shop.filled()) == 60
    assert {row.split(" ", 3)[3] for row in shop.filled()} == {"simulated by=candle"}
