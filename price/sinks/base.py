"""The one handler that the loggers know: a slot's rows go to the disk before anybody else hears of them."""

import logging
from collections.abc import Callable, Sequence

from price.events import NOTICE, Event, log_event, quote_of
from price.safely import safely

_Task = tuple[logging.Handler, str]


class RowsFirst(logging.Handler):
    """Keeps a slot's quotes until `flush`; passes everything else on at once.

    A handler that fails is said to fail once, to the others, and said to work again with the count of
    what it missed; it never disturbs whoever logs.
    """

    def __init__(self, rows: logging.Handler, others: Sequence[logging.Handler]) -> None:
        super().__init__()
        self.rows = rows
        self._others = others
        self._slot: list[logging.LogRecord] = []
        self._failed: dict[_Task, int] = {}
        self._well: dict[_Task, bool] = {}
        """Whether all went well with what was tried since the last slot."""

    def emit(self, record: logging.LogRecord) -> None:
        """Takes a record."""
        if quote_of(record) is None:
            self._pass_on(record)
        else:
            self._slot.append(record)

    def flush(self) -> None:
        """Ends a slot: rows to the disk, then its records to the others, then the others' own flush."""
        slot, self._slot = self._slot, []
        for record in slot:
            self._guard(self.rows, "take a row", self.rows.handle, record)
        self._guard(self.rows, "write a slot", self.rows.flush)
        for record in slot:
            self._pass_on(record)
        for handler in self._others:
            self._guard(handler, "end a slot", handler.flush)
        if slot:  # what is done between slots proves little
            self._note_recoveries()

    def close(self) -> None:
        """Closes them all."""
        for handler in (self.rows, *self._others):
            self._guard(handler, "close", handler.close)
        super().close()

    def _pass_on(self, record: logging.LogRecord) -> None:
        for handler in self._others:
            if record.levelno >= handler.level:
                self._guard(handler, "take a record", handler.handle, record)

    def _guard(
        self, handler: logging.Handler, task: str, action: Callable[..., object], *args: object
    ) -> None:
        _, failure = safely(action, *args)
        key = (handler, task)
        self._well[key] = self._well.get(key, True) and failure is None
        if failure is None:
            return
        self._failed[key] = self._failed.get(key, 0) + 1
        if self._failed[key] == 1:
            name = type(handler).__name__
            log_event(
                Event.HANDLER_FAILED, logging.ERROR, f"{name} cannot {task}: {failure!r}; recording goes on"
            )

    def _note_recoveries(self) -> None:
        """A task has recovered once it went well throughout a slot: one that fails now and then has not."""
        well, self._well = self._well, {}
        for key in [key for key in self._failed if well.get(key)]:
            handler, task = key
            text = f"{type(handler).__name__} can {task} again after {self._failed.pop(key)} failures"
            log_event(Event.HANDLER_FAILED, NOTICE, text)
