"""The local copies of the exchanges: right shapes, and minutes replayed."""

import contextlib
import gzip
import http.client
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from price import times
from price.errors import RateLimited, SourceError, Unavailable
from price.model import Answer, Pair, Reading, Request
from price.sources import CANDLE_SOURCES, SOURCES
from tests.exchange import Exchange, Market, Replay, faults
from tests.exchange.server import HOST
from tests.exchange.venues import VENUES
from tests.fakes import FakeClock

NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
TIMED = ("coinbase", "bitstamp", "binance", "okx", "coingecko")
PRICES = {"BTC": Decimal("61234.50"), "ETH": Decimal("2512.34"), "DOGE": Decimal("0.12345")}


def rising(_exchange: str, pair: Pair, moment: datetime) -> Decimal:
    """A price that rises by a hundredth each second."""
    return PRICES.get(pair.base, Decimal(10)) + int((moment - NOON).total_seconds()) * Decimal("0.01")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def market(clock: FakeClock) -> Iterator[Market]:
    with Market(VENUES, prices=rising, clock=clock.now) as market:
        yield market


def asked(exchange: Exchange, request: Request) -> Answer:
    """The answer to one request on a connection of its own."""
    connection = http.client.HTTPConnection(HOST, exchange.port, timeout=5)
    with contextlib.closing(connection):
        connection.request("GET", request.path, headers={"User-Agent": "test"})
        response = connection.getresponse()
        fields = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, fields, response.read())


def pairs_of(name: str, *bases: str) -> list[Pair]:
    quote = "USDT" if name in ("binance", "okx") else "USD"
    return [Pair(base, quote) for base in bases]


@pytest.mark.parametrize("bases", [("BTC",), ("BTC", "ETH", "DOGE")])
@pytest.mark.parametrize("name", VENUES)
def test_each_copy_is_understood_by_the_projects_own_source(
    market: Market, name: str, bases: tuple[str, ...]
) -> None:
    pairs = pairs_of(name, *bases)

    found: dict[Pair, Reading | SourceError] = {}
    for request in SOURCES[name].requests(pairs):
        found |= SOURCES[name].read(request.pairs, asked(market[name], request))

    time = NOON if name in TIMED else None
    assert found == {pair: Reading(name, PRICES[pair.base], time=time) for pair in pairs}


@pytest.mark.parametrize("name", ["coinbase", "kraken", "bitstamp"])
def test_each_copy_gives_the_minutes_that_the_source_asks_for(market: Market, name: str) -> None:
    (pair,) = pairs_of(name, "BTC")
    source = CANDLE_SOURCES[name]
    start, end = times.unix(NOON) - 3600, times.unix(NOON) - 1800

    answer = asked(market[name], source.candles_request(pair, start, end))
    candles = source.read_candles(pair, start, end, answer)

    assert [c.start for c in candles] == list(range(start, end, 60))
    assert {c.open for c in candles} == {rising(name, pair, times.from_unix(c.start)) for c in candles}
    assert all(c.low == c.open < c.close == c.high for c in candles)


@pytest.mark.parametrize("name", VENUES)
def test_each_copy_has_its_own_words_for_an_unknown_pair(market: Market, name: str) -> None:
    (pair,) = pairs_of(name, "BTC")
    market[name].fault = faults.delisted(pair)
    (request,) = SOURCES[name].requests([pair])

    try:
        found = SOURCES[name].read([pair], asked(market[name], request))[pair]
    except SourceError as error:
        found = error

    assert isinstance(found, SourceError)
    assert found.why == "refused"


@pytest.mark.parametrize(("fault", "error"), [("rate_limited", RateLimited), ("maintenance", Unavailable)])
@pytest.mark.parametrize("name", VENUES)
def test_each_copy_has_its_own_words_for_limits_and_maintenance(
    market: Market, name: str, fault: str, error: type[SourceError]
) -> None:
    pairs = pairs_of(name, "BTC")
    market[name].fault = faults.EVERY[fault]()
    (request,) = SOURCES[name].requests(pairs)

    answer = asked(market[name], request)

    with pytest.raises(error):
        SOURCES[name].read(pairs, answer)


@pytest.mark.parametrize("name", ["minutes.csv", "minutes.csv.gz"])
def test_real_minutes_are_walked_from_open_by_low_and_high_to_close(tmp_path: Path, name: str) -> None:
    text = (
        "ts,exchange,pair,open,high,low,close,volume,trades\n"
        "2026-11-20T12:00:00Z,kraken,BTC-USD,100,110.5,90,104,1.5,12\n"
        "2026-11-20T12:01:00Z,kraken,BTC-USD,104,105,80,84,2,3\n"
        "2026-11-20T12:03:00Z,kraken,BTC-USD,84,84,84,84,0.1,1\n"
        "2026-11-20T12:00:00Z,binance.us,BTC-USD,101,101,101,101,0.0,\n"
    )
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    replay = Replay(path)
    pair = Pair("BTC", "USD")
    seconds = (0, 10, 20, 40, 50, 60, 80, 100, 120)

    walked = [replay("kraken", pair, NOON + timedelta(seconds=at)) for at in seconds]

    assert walked == [*map(Decimal, ("100", "95", "90", "110.5", "107.2", "104", "105", "80")), None]
    assert replay("binance", pair, NOON) == 101
