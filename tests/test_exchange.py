"""The local copies of the exchanges: right shapes, faults that do what they say, minutes replayed."""

import gzip
import http.client
import json
import re
import socket
import subprocess
import sys
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
PATHS = {"coinbase": "/products/BTC-USD/ticker", "kraken": "/0/public/Ticker?pair=XBTUSD"}
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


@pytest.fixture
def coinbase(market: Market) -> Exchange:
    return market["coinbase"]


def get(exchange: Exchange, path: str = "", **headers: str) -> Answer:
    """The answer to one request on a connection of its own."""
    connection = http.client.HTTPConnection(HOST, exchange.port, timeout=5)
    try:
        connection.request("GET", path or PATHS[exchange.name], headers={"User-Agent": "test"} | headers)
        response = connection.getresponse()
        fields = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, fields, response.read())
    finally:
        connection.close()


def dialled(exchange: Exchange) -> socket.socket:
    """A bare connection over which a request has been sent."""
    connection = socket.create_connection((HOST, exchange.port), timeout=5)
    connection.sendall(f"GET {PATHS[exchange.name]} HTTP/1.1\r\nUser-Agent: test\r\n\r\n".encode())
    return connection


def everything(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def asked(exchange: Exchange, request: Request) -> Answer:
    return get(exchange, request.path)


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


@pytest.mark.parametrize("name", [name for name in VENUES if name in CANDLE_SOURCES])
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


def test_kraken_names_its_pairs_otherwise_and_fails_a_whole_batch_for_one_of_them(market: Market) -> None:
    good = get(market["kraken"], "/0/public/Ticker?pair=XBTUSD,XDGUSD,XBTUSDT")
    bad = get(market["kraken"], "/0/public/Ticker?pair=XBTUSD,NOSUCH")

    assert list(json.loads(good.body)["result"]) == ["XXBTZUSD", "XDGUSD", "XBTUSDT"]
    assert (bad.status, bad.body) == (200, b'{"error":["EQuery:Unknown asset pair"]}')


def test_a_request_without_a_user_agent_is_refused_by_coinbase(coinbase: Exchange) -> None:
    with socket.create_connection((HOST, coinbase.port), timeout=5) as connection:
        connection.sendall(b"GET /products/BTC-USD/ticker HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert b"400 Bad Request" in everything(connection)


def test_an_exchange_comes_back_on_its_port(coinbase: Exchange) -> None:
    port = coinbase.port
    with dialled(coinbase) as idle:
        assert idle.recv(15) == b"HTTP/1.1 200 OK"
        coinbase.stop()
        everything(idle)

    with pytest.raises(ConnectionRefusedError):
        get(coinbase)

    coinbase.start()
    assert coinbase.port == port
    assert get(coinbase).status == 200


def test_a_fault_can_be_planned_for_some_answers(coinbase: Exchange) -> None:
    coinbase.fail(faults.status(500), answers=2)

    assert [get(coinbase).status for _ in range(3)] == [500, 500, 200]


def test_a_fault_can_be_planned_for_a_time(coinbase: Exchange, clock: FakeClock) -> None:
    coinbase.fail(faults.status(418), since=NOON + timedelta(seconds=5), until=NOON + timedelta(seconds=10))

    seen = []
    for _ in range(3):
        seen.append(get(coinbase).status)
        clock.freeze(5)

    assert seen == [200, 418, 200]


def test_a_stale_price_stays_as_it_was_when_the_fault_began(coinbase: Exchange, clock: FakeClock) -> None:
    coinbase.fail(faults.stale(), since=NOON)
    clock.freeze(100)
    old = json.loads(get(coinbase).body)
    coinbase.fail(faults.stale("fresh"), since=NOON)
    fresh = json.loads(get(coinbase).body)
    coinbase.fail(faults.stale("none"), since=NOON)
    timeless = json.loads(get(coinbase).body)
    coinbase.fault = None

    assert {answer["price"] for answer in (old, fresh, timeless)} == {"61234.50"}
    assert (old["time"][11:19], fresh["time"][11:19]) == ("12:00:00", "12:01:40")
    assert "time" not in timeless
    assert json.loads(get(coinbase).body)["price"] == "61235.50"


@pytest.fixture(params=["minutes.csv", "minutes.csv.gz"])
def minutes(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    text = (
        "ts,exchange,pair,open,high,low,close,volume,trades\n"
        "2026-11-20T12:00:00Z,kraken,BTC-USD,100,110.5,90,104,1.5,12\n"
        "2026-11-20T12:01:00Z,kraken,BTC-USD,104,105,80,84,2,3\n"
        "2026-11-20T12:03:00Z,kraken,BTC-USD,84,84,84,84,0.1,1\n"
        "2026-11-20T12:00:00Z,binance.us,BTC-USD,101,101,101,101,0.0,\n"
    )
    path = tmp_path / str(request.param)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.fixture
def replay(minutes: Path) -> Replay:
    return Replay(minutes)


def test_real_minutes_are_walked_from_open_by_low_and_high_to_close(replay: Replay) -> None:
    pair = Pair("BTC", "USD")
    seconds = (0, 10, 20, 40, 50, 60, 80, 100, 120)

    walked = [replay("kraken", pair, NOON + timedelta(seconds=at)) for at in seconds]

    assert walked == [*map(Decimal, ("100", "95", "90", "110.5", "107.2", "104", "105", "80")), None]
    assert replay("binance", pair, NOON) == 101


def test_a_replay_is_served_at_the_tests_own_time(replay: Replay, clock: FakeClock) -> None:
    pairs = pairs_of("kraken", "BTC")
    source = CANDLE_SOURCES["kraken"]
    with Exchange("kraken", prices=replay, clock=clock.now) as exchange:
        (request,) = source.requests(pairs)
        clock.freeze(20)
        assert source.read(pairs, asked(exchange, request)) == {pairs[0]: Reading("kraken", Decimal(90))}

        clock.freeze(100)
        with pytest.raises(Unavailable):
            source.read(pairs, asked(exchange, request))

        clock.freeze(120)
        start = times.unix(NOON)
        answer = asked(exchange, source.candles_request(pairs[0], start, start + 240))
        candles = source.read_candles(pairs[0], start, start + 240, answer)
    assert [(c.open, c.high, c.low, c.close) for c in candles] == [
        (Decimal(100), Decimal("110.5"), Decimal(90), Decimal(104)),
        (Decimal(104), Decimal(105), Decimal(80), Decimal(84)),
        (Decimal(84),) * 4,  # kraken fills the minutes without trades
        (Decimal(84),) * 4,
    ]


def test_the_program_announces_its_ports_and_stops_when_told(tmp_path: Path) -> None:
    ports = tmp_path / "ports"
    command = [
        sys.executable,
        "-m",
        "tests.exchange",
        "--exchanges",
        "okx,kraken",
        "--ports-file",
        str(ports),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        lines = [program.stdout.readline().strip() for _ in range(3)]
        program.terminate()
        assert program.wait(5) == 0

    assert lines[0] == "PRICE_SOURCES=okx,kraken"
    assert re.fullmatch(r"PRICE_OKX_URL=http://127\.0\.0\.1:\d+", lines[1])
