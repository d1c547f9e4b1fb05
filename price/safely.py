"""Keeps what the recorder calls from ending it: the only `except Exception`. Reports each failure once."""

import logging
from collections.abc import Callable
from typing import TypeVar

from price.events import NOTICE, Event, log_event
from price.text import counted

T = TypeVar("T")


def safely(action: Callable[..., T], *args: object) -> tuple[T | None, Exception | None]:
    """What an action returns, or the exception that it ended in."""
    try:
        return action(*args), None
    except Exception as error:
        return None, error


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
