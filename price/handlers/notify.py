"""Notifies systemd of the service: ready, reloading, stopping, and alive slot by slot.

sd_notify(3). It is the last sink: if the recorder or a sink before it hangs, the watchdog notices.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from price.log.row import plain
from price.model import Quote
from price.text import counted

Send = Callable[[str], object]


def sender(environ: Mapping[str, str]) -> Send:
    """What sends a datagram to systemd; it does nothing where no service manager listens.

    Raises ImportError where one listens and there is no cysystemd.
    """
    if not environ.get("NOTIFY_SOCKET"):
        return lambda _: None
    from cysystemd._daemon import sd_notify  # `daemon.notify` sends one assignment only, and hides errors

    send: Send = sd_notify
    return send


class Notify:
    """One datagram for each change of the service, and one for each slot that is finished.

    All methods raise OSError or ValueError where systemd cannot be notified.
    """

    def __init__(
        self,
        send: Send,
        monotonic: Callable[[], float],
        held: Callable[[], int],
        missed: Callable[[], int],
    ) -> None:
        self._send = send
        self._monotonic = monotonic
        self._held = held
        self._missed = missed
        self._shown = "no slot yet"

    def ready(self) -> None:
        """The recorder has started, or has read its settings again, with whatever result."""
        self._send("READY=1")

    def reloading(self) -> None:
        """The settings are being read again."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(self._monotonic() * 1_000_000)}")

    def stopping(self) -> None:
        """The recorder is about to end."""
        self._send("STOPPING=1")

    def configure(self, settings: object) -> None:
        """No setting matters here."""

    def slot(self, slot: datetime, quotes: Sequence[Quote]) -> None:  # noqa: ARG002 - quotes say it
        """A slot is finished: its rows are on disk, or held with the fault reported."""
        self._shown = _shown([quote for quote in quotes if quote.readings]) or self._shown
        self.idle()

    def idle(self) -> None:
        """Keeps the watchdog quiet and the status line true."""
        held = self._held()
        waiting = f"; {counted(held, 'row')} held: the file cannot be written" if held else ""
        status = f"{self._shown}; {counted(self._missed(), 'slot')} missed today{waiting}"
        self._send(f"WATCHDOG=1\nSTATUS={' '.join(status.split())}")

    def close(self) -> None:
        """Nothing is open."""


def _shown(quotes: Sequence[Quote]) -> str:
    """The first pair of a slot in words, and how many more there are; nothing without a quote."""
    if not quotes:
        return ""
    first, *others = quotes
    if first.price is None:
        text = f"{first.pair} missed: {first.reason}"
    else:
        all_ = counted(len(first.readings), "source agrees", "sources agree")
        agree = f"{len(first.sources)} of {all_}"
        text = f"{first.pair} {plain(first.price)}, {agree}"
    return text + (f", {counted(len(others), 'more pair')}" if others else "")
