"""A transport to an exchange of ours, and what comes of asking it."""

import contextlib
import os
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from typing import ClassVar

import pytest

from price import settings
from price.errors import SourceError
from price.model import Answer, Pair, Request
from price.sources import SOURCES
from price.transport import Transport, trust
from tests.exchange import Fault
from tests.exchange.asked import asked
from tests.exchange.wire import Ask, Line, Reply

BTC, ETH = Pair("BTC", "USD"), Pair("ETH", "USD")
PATIENT_SECONDS = 10
"""For answers that come: however busy the machine is."""
BRIEF_SECONDS = 0.3
"""For answers that do not."""
SLACK_SECONDS = 5
"""How late a busy machine may be: without a deadline it would be for ever."""
MIB = 1024 * 1024
PRICE = "price"
FOUND: dict[str, str] = {
    "hang": "timeout",
    "delay": "timeout",
    "drip_head": "timeout",
    "drip_body": "timeout",
    "endless_body": "timeout or unreadable",  # whichever comes first, the deadline or the cap
    "endless_continue": "timeout or unreadable",  # newer http.clients count to 100
    "reset": "unreachable",
    "hang_up": "unreachable",
    "close_idle": PRICE,
    "truncated_head": "unreachable",
    "truncated_status": "unreachable",
    "truncated": "unreachable",
    "truncated_chunks": "unreachable",
    "garbage": "unreadable",
    "status_403": "refused",
    "status_418": "rate-limited",
    "status_429": "rate-limited",
    "status_429_retry_after": "rate-limited",
    "status_451": "refused",
    "status_500": "unavailable",
    "status_503_retry_after": "unavailable",
    "rate_limited": "rate-limited",
    "maintenance": "unavailable",
    "html": "unreadable",
    "empty": "unreadable",
    "huge": "unreadable",
    "gzip_bomb": "unreadable",
    "redirect_loop": "unreadable",
    "redirect_same_host": PRICE,
    "nan": "unreadable",
    "deep_nesting": "unreadable",
    "long_number": "unreadable",
    "duplicate_key": "unreadable",
    "zero": "unreadable",
    # true or not, these can be read: what they are worth is for the choice to say
    "wrong": PRICE,
    "stale": PRICE,
    "stale_without_times": "unreadable",  # coinbase promises a time
    "backward": PRICE,
    "timeless": "unreadable",
}
"""The word for each of `faults.EVERY` at coinbase."""


@cache
def _usual_trust() -> ssl.SSLContext:
    """The system's certificates, parsed once for all."""
    return trust({})


class Client:
    """A transport to an exchange, and what comes of asking it."""

    made: ClassVar[list["Client"]] = []
    """Those whose connections the end of a test closes."""

    def __init__(self, url: str, source: str = "coinbase", **environ: str) -> None:
        wanted = settings.load({"PRICE_ENV": os.devnull, **environ})
        self.source = SOURCES[source]
        headers = self.source.headers(wanted.coingecko_key, url)
        trusted = trust(wanted.network) if environ else _usual_trust()
        self.transport = Transport(url, headers, trusted, wanted.network, time.monotonic)
        self.ask: Callable[[Transport, Request, float], Answer] = asked
        self.made.append(self)

    def get(self, pair: Pair = BTC, seconds: float = PATIENT_SECONDS) -> Answer:
        """The answer to a question for a pair. Raises SourceError, in any case in time."""
        began = time.monotonic()
        try:
            return self.ask(self.transport, self.source.requests([pair])[0], began + seconds)
        finally:
            took = time.monotonic() - began
            assert took < seconds + SLACK_SECONDS, f"it took {took:.2f} s"

    def price(self, pair: Pair = BTC, seconds: float = PATIENT_SECONDS) -> Decimal:
        """The price of a pair. Raises SourceError."""
        tick = self.source.read([pair], self.get(pair, seconds))[pair]
        if isinstance(tick, SourceError):
            raise tick
        assert tick.price is not None
        return tick.price

    def word(self, seconds: float = PATIENT_SECONDS) -> str:
        """What would stand in a row: why there is no price, or that there is one."""
        try:
            self.price(seconds=seconds)
        except SourceError as error:
            return error.why if str(error).isprintable() else f"unprintable: {error!r}"
        return PRICE

    def error(self, seconds: float = PATIENT_SECONDS) -> SourceError:
        """The error that asking ends in."""
        with pytest.raises(SourceError) as caught:
            self.price(seconds=seconds)
        return caught.value


def seconds_for(word: str) -> float:
    """How long an answer with this word is waited for."""
    return BRIEF_SECONDS if "timeout" in word else PATIENT_SECONDS


def answering(change: Callable[[Ask, Reply], Reply]) -> Fault:
    """An exchange whose answers are changed."""
    return Fault("changed", answer=lambda _, ask, reply: change(ask, reply))


def sending(*pieces: bytes, close: bool = True) -> Fault:
    """An exchange that sends these bytes whatever was asked."""

    def send(line: Line, reply: Reply) -> bool:
        for piece in pieces:
            line.send(piece)
        return not close

    return Fault("sending", send=send)


@contextlib.contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    """A server at work."""
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
