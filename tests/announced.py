"""Workers that tell a clock what is under way: so that it need not let time pass in the meantime."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from price.clock import Clock
from price.model import Request
from price.recorder.app import make_workers
from price.recorder.workers import Workers
from price.settings import Settings


class Expecting(Clock, Protocol):
    """A clock that knows how many outcomes are still to come."""

    def expect(self) -> None:
        """One more outcome will be posted."""
        ...


class _Announced:
    def __init__(self, workers: Workers, clock: Expecting) -> None:
        self._workers = workers
        self._clock = clock

    def send(self, slot: datetime, request: Request, deadline: float, under_way: int) -> None:
        self._clock.expect()
        self._workers.send(slot, request, deadline, under_way)

    def close(self) -> None:
        self._workers.close()


def announced(wanted: Settings, clock: Expecting) -> Mapping[str, Workers]:
    """The real workers of the configured sources."""
    return {name: _Announced(one, clock) for name, one in make_workers(wanted, clock).items()}
