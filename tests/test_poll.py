"""The poller by itself: what its stories cannot show."""

import random
from datetime import timedelta

from price.errors import Unavailable
from price.model import Pair
from price.recorder.poll import Poller
from price.source_state import SourceState
from price.sources import SOURCES
from tests.fakes import START, FakeClock, FakeSource

BTC = Pair("BTC", "USD")


def test_a_round_of_a_minute_gives_signs_of_life_although_nobody_answers() -> None:
    clock = FakeClock()
    kraken = FakeSource("kraken", clock)
    kraken.hangs()
    signs: list[float] = []
    poller = Poller(
        [SourceState(SOURCES["kraken"])],
        {"kraken": [BTC]},
        {"kraken": kraken},
        clock,
        random.Random(1),
        lambda: signs.append(clock.passed),
    )

    readings = poller.ask(START, 60)

    assert readings is not None
    assert readings[BTC][0].why == "timeout"
    assert signs == [10, 20, 30, 40, 50, 60]


def test_a_round_knows_what_the_servers_clocks_show_when_it_ends() -> None:
    clock = FakeClock()
    coinbase, kraken, okx = (FakeSource(name, clock) for name in ("coinbase", "kraken", "okx"))
    coinbase.dates(START + timedelta(hours=1))
    kraken.dates(START - timedelta(hours=1))
    kraken.fails(Unavailable("503"))
    sources = (coinbase, kraken, okx)
    poller = Poller(
        [SourceState(SOURCES[one.name]) for one in sources],
        {one.name: [BTC] for one in sources},
        {one.name: one for one in sources},
        clock,
        random.Random(1),
    )

    poller.ask(START, 2)

    ended = timedelta(seconds=clock.passed)
    assert poller.server_times() == [
        START + timedelta(hours=1) + ended,
        START - timedelta(hours=1) + ended,
    ]

    coinbase.dates(None)
    poller.ask(START + timedelta(seconds=5), 2)

    (kraken_shows,) = poller.server_times()
    assert kraken_shows < START
