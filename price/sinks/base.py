"""The protocol of a sink, and the runner that calls all sinks in their order.

A sink keeps or shows what the recorder learnt: rows, log records, changes, status, state, signs of life.
It lives in the recorder and may never wait. What may wait belongs into a process that follows the log.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from price.errors import PriceError
from price.events import NOTICE, Event, log_event
from price.model import Quote
from price.safely import safely
from price.settings import Settings
from price.text import counted


class Sink(Protocol):
    """What the recorder calls. Whatever a method raises is reported once and harms no other sink."""

    def configure(self, settings: Settings) -> None:
        """Use these settings from now on: called at the start and at each reload."""
        ...

    def slot(self, slot: datetime, quotes: Sequence[Quote]) -> None:
        """Receive the end of a slot: its quotes, after those of missed stretches before it."""
        ...

    def idle(self) -> None:
        """Time passed without a slot (called at most every 10 s): retry, or show that all is alive."""
        ...

    def close(self) -> None:
        """The recorder stops: finish, release what is open."""
        ...


class Failures:
    """Calls what may fail; reports each task that fails once, and its recovery with a count.

    Nothing is logged while a task is called, only by `report`, between the calls: so a handler whose
    `emit` fails never gets a second record while it is still busy with the first.
    """

    def __init__(self) -> None:
        self._failed: dict[tuple[str, str], int] = {}
        self._new: list[str] = []
        self._well: dict[tuple[str, str], bool] = {}
        """Whether a task always succeeded since the last slot; of no interest while none fails."""

    def call(self, owner: object, task: str, action: Callable[..., object], *args: object) -> None:
        """Calls an action of `owner`; `task` is what it does, in words."""
        _, failure = safely(action, *args)
        if failure is None and not self._failed:
            return
        key = (type(owner).__name__.removesuffix("Sink"), task)
        self._well[key] = self._well.get(key, True) and failure is None
        if failure is not None:
            self._failed[key] = self._failed.get(key, 0) + 1
            if self._failed[key] == 1:
                self._new.append(f"{key[0]} cannot {task}: {_words(failure)}; recording goes on")

    def report(self, *, slot_ended: bool) -> None:
        """Logs what failed for the first time and, at the end of a slot, what has recovered.

        A task has recovered once it succeeded throughout a slot: one that fails now and then has not.
        """
        new, self._new = self._new, []
        for text in new:
            log_event(Event.HANDLER_FAILED, logging.ERROR, text)
        if not slot_ended:
            return
        well, self._well = self._well, {}
        for name, task in [key for key in self._failed if well.get(key)]:
            text = f"{name} can {task} again after {counted(self._failed.pop((name, task)), 'failure')}"
            log_event(Event.HANDLER_FAILED, NOTICE, text)


def _words(failure: Exception) -> str:
    """What failed: the file and the reason; of what nobody foresaw, all that is known."""
    if isinstance(failure, OSError) and failure.strerror:
        return f"{failure.filename}: {failure.strerror}" if failure.filename else failure.strerror
    return repr(failure)


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
