"""The handler that tells systemd how the service is: ready, reloading, stopping, and alive slot by slot.

sd_notify(3). It is the last handler: if the recorder or a handler before it hangs, the watchdog notices.
"""

import logging
from collections.abc import Callable

from price.events import Event, details_of
from price.log import line
from price.model import Quote

Tell = Callable[[str], object]


def teller() -> Tell:
    """What sends a datagram to systemd. Raises ImportError where there is no cysystemd."""
    from cysystemd._daemon import sd_notify  # `daemon.notify` sends one assignment only, and hides errors

    tell: Tell = sd_notify
    return tell


class Notify(logging.Handler):
    """Sends one datagram for each change of the service, and one for each slot that is finished."""

    def __init__(
        self, tell: Tell, monotonic: Callable[[], float], held: Callable[[], int], missed: Callable[[], int]
    ) -> None:
        super().__init__()
        self._tell = tell
        self._monotonic = monotonic
        self._held = held
        self._missed = missed
        self._quotes: list[Quote] = []
        self._shown = "no slot yet"

    def emit(self, record: logging.LogRecord) -> None:
        """Passes a change on. Raises OSError or ValueError where systemd cannot be told."""
        note = details_of(record)
        if note is None:
            return
        if note.quote is not None and note.quote.readings:
            self._quotes.append(note.quote)
        elif note.event in (Event.STARTED, Event.RELOADED, Event.RELOAD_REFUSED):
            self._tell("READY=1")
        elif note.event is Event.RELOADING:
            self._tell(f"RELOADING=1\nMONOTONIC_USEC={int(self._monotonic() * 1_000_000)}")
        elif note.event is Event.STOPPING:
            self._tell("STOPPING=1")

    def flush(self) -> None:
        """Tells that a slot is finished: its rows are on disk, or held with the fault said."""
        if self._quotes:
            self._shown = _shown(self._quotes)
            self._quotes = []
        held = self._held()
        waiting = f"; {held} rows held: the file cannot be written" if held else ""
        status = f"{self._shown}; {self._missed()} slots missed today{waiting}"
        self._tell(f"WATCHDOG=1\nSTATUS={' '.join(status.split())}")


def _shown(quotes: list[Quote]) -> str:
    """The first pair of a slot in words, and how many more there are."""
    first, *others = quotes
    if first.price is None:
        text = f"{first.pair} missed: {first.reason}"
    else:
        agree = f"{len(first.sources)} of {len(first.readings)} sources agree"
        text = f"{first.pair} {line.plain(first.price)}, {agree}"
    return text + (f", {len(others)} more pairs" if others else "")
