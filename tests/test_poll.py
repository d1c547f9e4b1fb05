"""The poller by itself: what its stories cannot show."""

import random

from price.model import Pair
from price.recorder.poll import Poller
from price.recorder.source_state import SourceState
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
