"""The supervisor: start, look, end, wait, start again. It knows protocols, no systems and no processes."""

import logging
from collections.abc import Callable
from typing import NamedTuple, Protocol

from price import times
from price.clock import Clock, Signal
from price.events import Event, log_event
from price.supervise.signs import LOOK_SECONDS, Signs

_WELL_SECONDS = 60.0


class Delays(NamedTuple):
    """Seconds until a recorder that is gone is started again: the least, then doubled up to the most."""

    least: float = 1.0
    most: float = 60.0

    def after(self, seconds: float, well_seconds: float) -> float:
        """The next delay after one of `seconds`, where the recorder was well for so long."""
        if well_seconds >= _WELL_SECONDS:
            return self.least
        return min(max(self.least, 2 * seconds), self.most)


class Ended(NamedTuple):
    """How a recorder ended."""

    words: str
    status: int | None = None
    """Where it is not to be started again: what the supervisor ends with."""


class Target(Protocol):
    """What is watched: our child, or a service."""

    @property
    def name(self) -> str: ...

    def start(self) -> None:
        """Has it run. Raises PriceError where it must not be started."""
        ...

    def ended(self) -> Ended | None:
        """How it ended; None where there is nothing to start again."""
        ...

    def at_work(self) -> bool:
        """Whether signs of life are to be expected of it."""
        ...

    def reload(self) -> None:
        """Has it read its settings again, if it runs."""
        ...

    def end(self) -> None:
        """Ends it, in steps, whatever it is doing."""
        ...

    def close(self) -> int:
        """The supervisor ends; returns the exit status."""
        ...


class Supervisor:
    """Watches one target until it is told to stop."""

    def __init__(
        self,
        target: Target,
        signs: Signs,
        clock: Clock,
        delays: Delays,
        *,
        idle: Callable[[], None],
        reload: Callable[[], None],
    ) -> None:
        """`idle` is called at each look, `reload` when settings are to be read again."""
        self._target = target
        self._signs = signs
        self._clock = clock
        self._delays = delays
        self._idle = idle
        self._reload = reload

    def run(self) -> int:
        """Watches; returns the exit status. Raises PriceError where the target must not be started."""
        try:
            status = self._supervise()
            if status is None:
                log_event(Event.SUPERVISOR_ENDS, logging.INFO, "supervisor stops")
        finally:
            closed = self._target.close()
        return closed if status is None else status

    def _supervise(self) -> int | None:
        """Goes on until the target is not to be started again; returns None where a stop was asked for."""
        delay = 0.0
        start_at: float | None = self._clock.monotonic()  # None while it runs
        while True:
            if start_at is not None and start_at <= self._clock.monotonic():
                self._target.start()
                self._signs.begin()
                start_at = None
            look_at = self._clock.monotonic() + LOOK_SECONDS
            item = self._clock.wait(look_at if start_at is None else min(look_at, start_at))
            if item is Signal.STOP:
                return None
            if item is Signal.RELOAD:
                self._reload()
                self._target.reload()
            self._idle()
            if start_at is None and (ended := self._look()):
                if ended.status is not None:
                    log_event(Event.SUPERVISOR_ENDS, logging.ERROR, f"{ended.words}; it is not started again")
                    return ended.status
                delay = self._delays.after(delay, self._signs.well_seconds)
                text = f"{ended.words}; it is started again in {times.span(delay)}"
                log_event(Event.RECORDER_GONE, logging.WARNING, text)
                start_at = self._clock.monotonic() + delay

    def _look(self) -> Ended | None:
        """How the target ended, if it did; ends one that hangs."""
        if ended := self._target.ended():
            return ended
        if not self._target.at_work():
            self._signs.begin()
        elif self._signs.hung():
            text = (
                f"{self._target.name} hangs: no status for {times.span(round(self._signs.still))}; ending it"
            )
            log_event(Event.RECORDER_HUNG, logging.ERROR, text)
            self._target.end()
            self._signs.still = 0.0  # where the system cannot end it, the next attempt is not the next second
        return None
