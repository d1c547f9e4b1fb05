"""Many slots under random faults: `python -m tests.soak --slots 20000` shows that nothing grows.

The recorder is a process with real files, threads and connections; the exchanges are real servers, two of
them over HTTPS. Only the time between the slots is left out.
"""

import argparse
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.checks import sound
from tests.exchange import Exchange, Fault, Market, faults
from tests.faults.network import Needs, needs_of
from tests.faults.place import Place

SECURE, PLAIN = ("coinbase", "kraken"), ("bitstamp", "gemini", "bitfinex")
PAIRS = "BTC-USD,ETH-USD"
INTERVAL_SECONDS = 60
"""As long as rests after failures: else the exchanges would hardly be asked."""
CALM_SLOTS = 70
"""Until a source that is retired has been asked again."""
_OF_TLS = (*(partial(faults.tls, kind) for kind in (*faults.CERTIFICATES, "silent")),)


class Measured(NamedTuple):
    """What the recorder took after so many slots, while all was well."""

    slots: int
    seconds: float
    requests: int
    needs: Needs

    def __str__(self) -> str:
        needs = self.needs
        memory = f"{needs.kib / 1024:8.1f} {needs.peak_kib / 1024:8.1f}"
        counted = f"{needs.threads:8} {needs.files:6} {needs.connections:12}"
        return f"{self.slots:7} {self.seconds:8.0f} {self.requests:9} {memory} {counted}"


HEAD = "  slots  seconds  requests  MiB now     most  threads  files  connections"


class Soak:
    """A recorder, five exchanges, and dice."""

    def __init__(self, place: Place, seed: int) -> None:
        self.place = place
        place.settings |= {"PAIRS": PAIRS, "INTERVAL": str(INTERVAL_SECONDS), "TIMEOUT": "0.1"}
        self._now = place.next_now()
        self._chance = random.Random(seed)
        secure = Market(SECURE, clock=self._clock, ca=place.aside / "ca.pem")
        plain = Market(PLAIN, clock=self._clock)
        self._markets = (plain, secure)
        self._exchanges = [*secure, *plain]
        self._slots = self._rotations = 0

    def run(self, slots: int, every: int) -> Iterator[Measured]:
        """Records so many slots, and measures before them and after each `every`."""
        began = time.monotonic()
        with ExitStack() as running:
            environ: dict[str, str] = {}
            for market in self._markets:
                running.enter_context(market)
                environ |= market.environment
            environ["PRICE_SOURCES"] = ",".join(one.name for one in self._exchanges)
            self._recorder = self.place.start(**environ)
            while True:
                self._calm()
                requests = sum(one.count for one in self._exchanges)
                needs = needs_of(self._recorder.process.pid)
                yield Measured(self._slots, time.monotonic() - began, requests, needs)
                if self._slots >= slots:
                    break
                for _ in range(every):
                    self._happen()
                    self._slot()
            assert self._recorder.stop() == 0
        assert "Traceback" not in self.place.said
        logs = [self.place.file, *self.place.folder.glob("prices.txt.*")]
        assert sum(row.slots for log in logs for row in sound(log)) == len(PAIRS.split(",")) * (
            self._slots + 1
        )

    def _clock(self) -> datetime:
        return self._now

    def _slot(self) -> None:
        self._now += timedelta(seconds=INTERVAL_SECONDS)
        self._slots += 1
        self._recorder.slot()

    def _calm(self) -> None:
        """Has all be well until each source gives prices."""
        for exchange in self._exchanges:
            exchange.fault = None
        for _ in range(CALM_SLOTS):
            self._slot()
            states = {source["state"] for source in self.place.status["sources"].values()}
            if states == {"selected"}:
                return
        raise AssertionError(f"not all is well again: {self.place.status['sources']}")

    def _happen(self) -> None:
        """Throws the dice, now and then."""
        chance = self._chance
        if chance.random() < 0.3:
            exchange = chance.choice(self._exchanges)
            exchange.fault = self._fault(exchange) if chance.random() < 0.6 else None
        if chance.random() < 0.02:
            chance.choice(self._exchanges).drop_connections()
        if chance.random() < 0.01:
            self._away(chance.choice(self._exchanges))
        if chance.random() < 0.003:
            self._recorder.do("reload")
        if chance.random() < 0.003:
            self._rotations += 1
            self.place.file.rename(self.place.file.with_name(f"prices.txt.{self._rotations}"))

    def _fault(self, exchange: Exchange) -> Fault:
        every: list[Callable[[], Fault]] = [
            *faults.EVERY.values(),
            *(_OF_TLS if exchange.name in SECURE else ()),
        ]
        return self._chance.choice(every)()

    def _away(self, exchange: Exchange) -> None:
        """Has nobody be at an exchange's port for a slot."""
        exchange.stop()
        self._slot()
        exchange.start()


def main() -> None:
    """Soaks, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--slots", type=int, default=20_000)
    parser.add_argument("--every", type=int, default=1000, help="slots between two lines")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    print(HEAD)
    with TemporaryDirectory() as folder:
        place = Place(Path(folder) / "log", Path(folder))
        try:
            for measured in Soak(place, args.seed).run(args.slots, args.every):
                print(measured, flush=True)
        finally:
            place.clear()


if __name__ == "__main__":
    main()
