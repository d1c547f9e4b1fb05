"""The protocol of a sink, and the runner that calls all sinks in their order.

A sink keeps or shows what the recorder learnt: rows, log records, changes, status, state, signs of life.
It lives in the recorder and may never wait. What may wait belongs into a process that follows the log.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from price.errors import PriceError
from price.model import Quote
from price.safely import Failures, safely
from price.settings import Settings


class Sink(Protocol):
    """What the recorder calls. Whatever a method raises is reported once and harms no other sink."""

    def configure(self, settings: Settings) -> None:
        """Use these settings from now on: called at the start and at each reload."""
        ...

    def slot(self, slot: datetime, quotes: Sequence[Quote]) -> None:
        """Receive the end of a slot: its quotes, after those of missed stretches before it."""
        ...

    def idle(self) -> None:
        """Retry, show that all is alive: every 10 s without a slot, and where one is dropped."""
        ...

    def close(self) -> None:
        """The recorder stops: finish, release what is open."""
        ...


class Sinks:
    """The sinks in the order in which they are called, each isolated from the others."""

    def __init__(self, sinks: Sequence[Sink], failures: Failures) -> None:
        self._sinks = sinks
        self._failures = failures

    def configure(self, settings: Settings) -> None:
        """Passes settings on. Raises PriceError where the first sink, the rows, refuses them.

        Then nothing has changed: the other sinks are not called.
        """
        first, *others = self._sinks
        _, error = safely(first.configure, settings)
        if error is not None:
            raise error if isinstance(error, PriceError) else PriceError(repr(error))
        for sink in others:
            self._failures.call(sink, "accept settings", sink.configure, settings)

    def slot(self, slot: datetime, quotes: Sequence[Quote]) -> None:
        """Passes the end of a slot on."""
        for sink in self._sinks:
            self._failures.call(sink, "end a slot", sink.slot, slot, quotes)
        self._failures.report(slot_ended=True)

    def idle(self) -> None:
        """Has each sink retry what it could not do, and show that it is alive."""
        for sink in self._sinks:
            self._failures.call(sink, "idle", sink.idle)
        self._failures.report(slot_ended=False)

    def close(self) -> None:
        """Closes the sinks, the last one first: the log records of the others' ends are still taken."""
        for sink in reversed(self._sinks):
            self._failures.call(sink, "close", sink.close)
