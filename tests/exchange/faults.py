"""Everything that goes wrong with exchanges, as values to switch on: `exchange.fault = faults.hang()`.

A fault changes one of three things: what the exchange says (`trade`), what it answers (`answer`), or how
the answer goes over the wire (`send`, which returns whether the connection stays open). Faults of TLS
show at the handshake.
"""

import gzip
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache, partial
from typing import Literal

from price.model import Pair
from tests.exchange.venues.base import Deal, Page, Venue
from tests.exchange.wire import MIRROR, Ask, Line, Reply

Look = Callable[[Pair, datetime], Deal | None]
"""The honest last trade of a pair at a moment."""
Trade = Callable[[Look, Pair, datetime, datetime], Deal | None]
"""The last trade that is said of a pair, now, by an exchange whose fault began at a moment."""

_MIB = 1024 * 1024
_FIRST_NAME = re.compile(rb'\{("[^"]*"):')
_ANSWERLESS = b"<html><body><h1>Just a moment...</h1></body></html>"


def _honest(look: Look, _pair: Pair, now: datetime, _since: datetime) -> Deal | None:
    return look(_pair, now)


def _same(_venue: Venue, _ask: Ask, reply: Reply) -> Reply:
    return reply


def _whole(line: Line, reply: Reply) -> bool:
    line.send(reply.head() + reply.body)
    return True


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an exchange; healthy in everything that is not given."""

    name: str
    trade: Trade = _honest
    answer: Callable[[Venue, Ask, Reply], Reply] = _same
    send: Callable[[Line, Reply], bool] = _whole
    delisted: Pair | None = None
    certificate: str = ""

    def __str__(self) -> str:
        return self.name


# Answers that are late, or never come.


def hang() -> Fault:
    """It takes the request and never answers."""

    def send(line: Line, reply: Reply) -> bool:
        line.pause()
        return False

    return Fault("hang", send=send)


def delay(seconds: float = 2) -> Fault:
    """It answers well, but later."""

    def send(line: Line, reply: Reply) -> bool:
        line.pause(seconds)
        return _whole(line, reply)

    return Fault(f"delay {seconds} s", send=send)


def drip_head(seconds: float = 0.1) -> Fault:
    """A byte at a time, from the first one on."""
    return Fault("drip_head", send=lambda line, reply: _drip(line, b"", reply.head() + reply.body, seconds))


def drip_body(seconds: float = 0.1) -> Fault:
    """The headers at once, then the body a byte at a time."""
    return Fault("drip_body", send=lambda line, reply: _drip(line, reply.head(), reply.body, seconds))


def _drip(line: Line, at_once: bytes, slowly: bytes, seconds: float) -> bool:
    line.send(at_once)
    for byte in slowly:
        line.send(bytes([byte]))
        line.pause(seconds)
    return True


def endless_body(piece: int = 256 * 1024) -> Fault:
    """A body that goes on and on: a piece of spaces every 10 ms."""
    chunk = f"{piece:x}\r\n".encode() + b" " * piece + b"\r\n"
    return _endless("endless_body", lambda reply: reply.head("Transfer-Encoding: chunked"), chunk)


def endless_continue() -> Fault:
    """Never an answer, only `100 Continue`, every 10 ms."""
    return _endless("endless_continue", lambda _: b"", b"HTTP/1.1 100 Continue\r\n\r\n")


def _endless(name: str, head: Callable[[Reply], bytes], piece: bytes) -> Fault:
    def send(line: Line, reply: Reply) -> bool:
        line.send(head(reply))
        while True:
            line.send(piece)
            line.pause(0.01)

    return Fault(name, send=send)


# Connections that break.


def reset() -> Fault:
    """The connection is reset instead of an answer."""

    def send(line: Line, reply: Reply) -> bool:
        line.reset()
        return False

    return Fault("reset", send=send)


def hang_up() -> Fault:
    """The connection is closed without an answer."""
    return Fault("hang_up", send=lambda line, reply: False)


def close_idle() -> Fault:
    """Good answers, each followed by closing the connection that it promised to keep."""
    return Fault("close_idle", send=lambda line, reply: _whole(line, reply) and False)


def truncated_head(missing: bytes = b"") -> Fault:
    """The headers end before the empty line, at which their body would begin.

    With `missing`, the status line ends before these bytes of it.
    """

    def send(line: Line, reply: Reply) -> bool:
        status, newline, _ = reply.head().partition(b"\r\n")
        line.send(status.partition(missing)[0] if missing else status + newline)
        return False

    return Fault("truncated_head", send=send)


def truncated(missing: int = 10) -> Fault:
    """The body ends before the length that was promised."""

    def send(line: Line, reply: Reply) -> bool:
        line.send(reply.head(f"Content-Length: {len(reply.body) + missing}") + reply.body)
        return False

    return Fault("truncated", send=send)


def truncated_chunks() -> Fault:
    """A chunked body that ends within a chunk."""

    def send(line: Line, reply: Reply) -> bool:
        begin = f"{len(reply.body):x}\r\n".encode() + reply.body[: len(reply.body) // 2]
        line.send(reply.head("Transfer-Encoding: chunked") + begin)
        return False

    return Fault("truncated_chunks", send=send)


def garbage(data: bytes = b"\x15\x03\x01\x00\x02\x02\x46 not HTTP at all\r\n\r\n") -> Fault:
    """Something that is not HTTP."""

    def send(line: Line, reply: Reply) -> bool:
        line.send(data)
        return False

    return Fault("garbage", send=send)


# Other answers than a price.


def status(code: int, body: str | bytes = b"", headers: Mapping[str, str] | None = None) -> Fault:
    """Another status, with this body and these headers: 403, 418, 429, 451, 500, 503 ..."""
    content = body.encode() if isinstance(body, str) else body
    return _instead(str(code), Reply(code, tuple((headers or {}).items()), content))


def rate_limited(retry_after: int | str | None = None) -> Fault:
    """Asked too often, in the exchange's own words."""
    extra = () if retry_after is None else (("Retry-After", str(retry_after)),)
    return Fault("rate_limited", answer=lambda venue, _, reply: _said(venue.limited, extra))


def maintenance(retry_after: int | str | None = None) -> Fault:
    """In maintenance, in the exchange's own words."""
    extra = () if retry_after is None else (("Retry-After", str(retry_after)),)
    return Fault("maintenance", answer=lambda venue, _, reply: _said(venue.away, extra))


def _said(page: Page, extra: tuple[tuple[str, str], ...]) -> Reply:
    kept = [(name, value) for name, value in page.headers if name not in dict(extra)]
    return Reply(page.status, (*kept, *extra), page.body())


def html(body: bytes = _ANSWERLESS) -> Fault:
    """A web page with status 200, as protections against robots send it."""
    return _instead("html", Reply(200, (("Content-Type", "text/html"),), body))


def empty() -> Fault:
    """Status 200 and no body."""
    return _instead("empty", Reply(200, (), b""))


def _instead(name: str, other: Reply) -> Fault:
    return Fault(name, answer=lambda _, __, reply: other)


def huge(mebibytes: int = 9) -> Fault:
    """A good answer behind so many spaces."""
    spaces = b" " * _MIB

    def send(line: Line, reply: Reply) -> bool:
        line.send(reply.head(f"Content-Length: {mebibytes * _MIB + len(reply.body)}"))
        for _ in range(mebibytes):
            line.send(spaces)
        line.send(reply.body)
        return True

    return Fault("huge", send=send)


def compressed() -> Fault:
    """No fault at all: a good answer, packed with gzip."""
    return Fault("compressed", answer=lambda _, __, reply: _zipped(reply, gzip.compress(reply.body)))


def gzip_bomb(size: int = 64 * _MIB) -> Fault:
    """A good answer behind so many spaces, packed into some kilobytes."""
    bomb = _bomb(size)
    return Fault("gzip_bomb", answer=lambda _, __, reply: _zipped(reply, bomb + gzip.compress(reply.body)))


def _zipped(reply: Reply, body: bytes) -> Reply:
    return Reply(reply.status, (*reply.headers, ("Content-Encoding", "gzip")), body)


@lru_cache(maxsize=4)
def _bomb(size: int) -> bytes:
    packer = zlib.compressobj(wbits=31)
    spaces = b" " * _MIB
    packed = [packer.compress(spaces) for _ in range(size // _MIB)]
    return b"".join([*packed, packer.compress(b" " * (size % _MIB)), packer.flush()])


def redirect(location: str = "{path}", code: int = 302) -> Fault:
    """To another address, in which `{path}` stands for what was asked: by itself, that is a loop.

    `/mirror{path}` is a good answer on the same host; another exchange's URL, or one with https for
    http, followed by `{path}`, is another host or another scheme.
    """

    def answer(_: Venue, ask: Ask, reply: Reply) -> Reply:
        if ask.path.startswith(MIRROR):
            return reply
        return Reply(code, (("Location", location.replace("{path}", ask.target)),), b"")

    return Fault("redirect", answer=answer)


# JSON that should not be read.


def raw_price(text: str, name: str = "raw_price") -> Fault:
    """The price replaced by a piece of JSON."""
    return Fault(name, trade=_changed(lambda deal: deal._replace(raw=text)))


def nan() -> Fault:
    """NaN for a price."""
    return raw_price("NaN", "nan")


def deep_nesting(depth: int = 100_000) -> Fault:
    """A hundred thousand brackets for a price."""
    return raw_price("[" * depth + "]" * depth, "deep_nesting")


def long_number(digits: int = 5000) -> Fault:
    """A price of 5,000 digits."""
    return raw_price("1" * digits, "long_number")


def duplicate_key() -> Fault:
    """A name twice in one object."""

    def answer(_: Venue, __: Ask, reply: Reply) -> Reply:
        if b"{" in reply.body:
            return reply._replace(body=_FIRST_NAME.sub(rb"{\1:1,\1:", reply.body, count=1))
        return reply._replace(body=reply.body.replace(b"[", b'[{"a":1,"a":2},', 1))

    return Fault("duplicate_key", answer=answer)


# Prices and times that are not true.


def _changed(change: Callable[[Deal], Deal]) -> Trade:
    def trade(look: Look, pair: Pair, now: datetime, since: datetime) -> Deal | None:
        deal = look(pair, now)
        return change(deal) if deal else None

    return trade


def zero() -> Fault:
    """A price of zero, as for dead listings."""
    return Fault("zero", trade=_changed(lambda deal: deal._replace(price=deal.price * 0)))


def wrong(factor: float | str | Decimal = "1.03") -> Fault:
    """The price times a factor."""
    by = Decimal(str(factor))
    changed = _changed(lambda deal: deal._replace(price=(deal.price * by).quantize(deal.price)))
    return Fault(f"wrong by {by}", trade=changed)


def stale(times: Literal["old", "fresh", "none"] = "old") -> Fault:
    """The price as it was when the fault began; with its old time, with a fresh one, or without any."""

    def trade(look: Look, pair: Pair, now: datetime, since: datetime) -> Deal | None:
        deal = look(pair, since)
        if deal is None or times == "old":
            return deal
        return deal._replace(time=now if times == "fresh" else None)

    return Fault(f"stale, {times} times", trade=trade)


def backward() -> Fault:
    """True prices, but their time runs backward from when the fault began."""

    def trade(look: Look, pair: Pair, now: datetime, since: datetime) -> Deal | None:
        deal = look(pair, now)
        return deal and deal._replace(time=since - (now - since) - timedelta(seconds=1))

    return Fault("backward", trade=trade)


def timeless() -> Fault:
    """True prices without any time."""
    return Fault("timeless", trade=_changed(lambda deal: deal._replace(time=None)))


def missing(pair: Pair) -> Fault:
    """A pair is left out of the answer without a word; asked for alone, it is unknown."""

    def trade(look: Look, asked: Pair, now: datetime, since: datetime) -> Deal | None:
        return None if asked == pair else look(asked, now)

    return Fault(f"missing {pair}", trade=trade)


def delisted(pair: Pair) -> Fault:
    """The exchange no longer knows a pair."""
    return Fault(f"delisted {pair}", delisted=pair)


# TLS. On a connection that is already open it is closed, so that the next one meets the fault.


def tls(kind: str) -> Fault:
    """A certificate that a client must refuse (see certificates.py), or, `silent`, TLS that never begins."""
    return Fault(kind, send=lambda line, reply: False, certificate=kind)


CERTIFICATES = ("wrong_host", "expired", "not_yet_valid", "untrusted", "self_signed")
_PLAIN = (
    *(
        hang,
        delay,
        drip_head,
        drip_body,
        endless_body,
        endless_continue,
        reset,
        hang_up,
        close_idle,
        truncated_head,
    ),
    *(truncated, truncated_chunks, garbage, rate_limited, maintenance, html, empty, huge, gzip_bomb, nan),
    *(deep_nesting, long_number, duplicate_key, zero, wrong, stale, backward, timeless),
)
_RETRY_AFTER = {"Retry-After": "2"}
EVERY: dict[str, Callable[[], Fault]] = {
    **{fault.__name__: fault for fault in _PLAIN},
    **{f"status_{code}": partial(status, code) for code in (403, 418, 429, 451, 500)},
    **{f"status_{code}_retry_after": partial(status, code, headers=_RETRY_AFTER) for code in (429, 503)},
    "truncated_status": partial(truncated_head, b"0 OK"),
    "redirect_loop": redirect,
    "redirect_same_host": partial(redirect, MIRROR + "{path}"),
    "stale_without_times": partial(stale, "none"),
}
"""All faults that need no argument and no TLS, for going through them one by one."""
