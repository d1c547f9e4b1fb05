"""Real workers that tell the fake clock what is under way: it lets no time pass in the meantime."""

from collections.abc import Mapping
from datetime import datetime

from price.clock import Clock
from price.model import Request
from price.recorder.app import MakeWorkers, make_workers
from price.recorder.workers import Workers
from price.settings import Settings
from tests.fakes import FakeClock


class Announced:
    """Workers of one source that do so."""

    def __init__(self, workers: Workers, clock: FakeClock) -> None:
        self._workers = workers
        self._clock = clock

    def send(self, slot: datetime, request: Request, deadline: float, under_way: int) -> None:
        self._clock.expect()
        self._workers.send(slot, request, deadline, under_way)

    def close(self) -> None:
        self._workers.close()


def announced(clock: FakeClock) -> MakeWorkers:
    """Makes the real workers of the configured sources."""

    def make(wanted: Settings, _: Clock) -> Mapping[str, Workers]:
        return {name: Announced(one, clock) for name, one in make_workers(wanted, clock).items()}

    return make
