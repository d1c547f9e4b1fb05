"""Answers with something surprising about them: none is ever taken for the answer to another request."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from ssl import SSLContext
from threading import Event

import pytest

from price.errors import SourceError
from price.model import Pair, Reading
from price.sources import SOURCES
from price.transport import Transport, trust
from price.transport.answers import MAX_INTERIM
from price.wire import MOST_THREADS
from tests.exchange import Exchange, Fault
from tests.exchange.asked import asked
from tests.exchange.certificates import Certificates
from tests.exchange.wire import Line, Reply

PAIRS = [Pair(base, "USD") for base in ("BTC", "ETH", "XRP", "LTC", "ADA", "SOL", "DOGE")]
PATIENT_SECONDS, BRIEF_SECONDS = 10, 0.3
"""For answers that come, and for those that do not."""
LATE_SECONDS = 0.03
PRICE = "price"
NEVER = b'{"price": "1.5", "time": "2026-11-20T15:52:05Z"}'
STRAY = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(NEVER), NEVER)
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"


def price_of(pair: Pair) -> Decimal:
    """What the exchange has to say of a pair: no two are alike."""
    return Decimal(100 + PAIRS.index(pair))


def _prices(_name: str, pair: Pair, _moment: datetime) -> Decimal:
    return price_of(pair)


class Asker:
    """Asks an exchange of ours."""

    def __init__(self, exchange: Exchange, context: SSLContext) -> None:
        self.source = SOURCES["coinbase"]
        self.transport = Transport(exchange.url, {}, context, {}, time.monotonic)

    def word(self, pair: Pair, seconds: float = PATIENT_SECONDS) -> str:
        """Why there is no price, or that there is one: the pair's own in any case."""
        (request,) = self.source.requests([pair])
        try:
            found = self.source.read([pair], asked(self.transport, request, time.monotonic() + seconds))[pair]
        except SourceError as error:
            return error.why
        if isinstance(found, Reading):
            assert found.price == price_of(pair), f"{pair} has the price {found.price}"
            return PRICE
        return found.why


@pytest.fixture(scope="module", params=["http", "https"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Exchange, SSLContext]]:
    certificates = Certificates("127.0.0.1")
    path = tmp_path_factory.mktemp("trust") / "ca.pem"
    certificates.write(path)
    secure = certificates if request.param == "https" else None
    with Exchange("coinbase", prices=_prices, pairs=PAIRS, certificates=secure) as exchange:
        yield exchange, trust({"SSL_CERT_FILE": str(path)})


@pytest.fixture
def exchange(served: tuple[Exchange, SSLContext]) -> Exchange:
    served[0].fault = None
    served[0].drop_connections()
    return served[0]


@pytest.fixture
def asker(exchange: Exchange, served: tuple[Exchange, SSLContext]) -> Iterator[Asker]:
    asker = Asker(exchange, served[1])
    yield asker
    asker.transport.hang_up()


Pieces = Callable[[Reply], list[bytes]]


def sends(pieces: Pieces, seconds: float, all_sent: Event | None = None) -> Fault:
    """An exchange whose good answers go over the wire like this, with a pause between two pieces."""

    def send(line: Line, reply: Reply) -> bool:
        try:
            for number, piece in enumerate(pieces(reply)):
                if number and seconds:
                    line.pause(seconds)
                line.send(piece)
        finally:
            if all_sent:
                all_sent.set()
        return True

    return Fault("surprise", send=send)


def _whole(reply: Reply, framing: str = "") -> bytes:
    return reply.head(framing) + reply.body


def _framed(*headers: str) -> Pieces:
    """With other headers about where the body ends, though it ends where the right ones would say."""
    return lambda reply: [reply.head("\r\n".join(headers)) + reply.body]


def _lines(reply: Reply, old: bytes, new: bytes) -> bytes:
    return _whole(reply).replace(old, new, 1)


PAST: dict[str, Pieces] = {
    "100": lambda reply: [b"HTTP/1.1 100 Continue\r\n\r\n", _whole(reply)],
    "102": lambda reply: [b"HTTP/1.1 102 Processing\r\n\r\n", _whole(reply)],
    "103": lambda reply: [HINTS, _whole(reply)],
    "103 within": lambda reply: [HINTS[:20], HINTS[20:] + _whole(reply)[:30], _whole(reply)[30:]],
    "103, 100, 102, 199": lambda reply: [
        HINTS,
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 102 \r\n\r\n",
        b"HTTP/1.1 199 So be it\r\n\r\n",
        _whole(reply),
    ],
    "as many as are read past": lambda reply: [HINTS * MAX_INTERIM, _whole(reply)],
    "103 that says how long it is": lambda reply: [HINTS[:-2] + b"Content-Length: 0\r\n\r\n", _whole(reply)],
    "103 that says close": lambda reply: [HINTS[:-2] + b"Connection: close\r\n\r\n", _whole(reply)],
}
"""Interim answers, which are read past, and the connection kept."""

ODD: dict[str, tuple[Pieces, set[str]]] = {
    "101": (lambda reply: [SWITCH + _whole(reply)], {"unreadable"}),
    "101 after 103": (lambda reply: [HINTS + SWITCH, _whole(reply)], {"unreadable"}),
    "one 103 too many": (lambda reply: [HINTS * (MAX_INTERIM + 1), _whole(reply)], {"unreadable"}),
    "a flood of 102": (lambda reply: [b"HTTP/1.1 102 \r\n\r\n" * 50_000, _whole(reply)], {"unreadable"}),
    "a flood of 100": (lambda reply: [b"HTTP/1.1 100 \r\n\r\n" * 50_000, _whole(reply)], {"unreadable"}),
    "103 with a body": (
        lambda reply: [HINTS[:-2] + b"Content-Length: 5\r\n\r\nhello", _whole(reply)],
        {"unreadable"},
    ),
    "103 with an answer as its body": (
        lambda reply: [HINTS[:-2] + b"Content-Length: %d\r\n\r\n" % len(STRAY), b"x" + STRAY, _whole(reply)],
        {"unreadable"},
    ),
    "a status of 99": (lambda reply: [b"HTTP/1.1 99 Odd\r\n\r\n", _whole(reply)], {"unreadable"}),
    "a status of 600": (lambda reply: [_lines(reply, b" 200 ", b" 600 ")], {"unavailable"}),
    "a status that is no number": (lambda reply: [_lines(reply, b" 200 ", b" 2x0 ")], {"unreadable"}),
    "HTTP/1.0 that keeps": (
        lambda reply: [_lines(reply, b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK\r\nConnection: keep-alive")],
        {PRICE},
    ),
    "HTTP/2": (lambda reply: [_lines(reply, b"HTTP/1.1", b"HTTP/2")], {"unreadable"}),
    "a second answer": (lambda reply: [_whole(reply) + STRAY], {PRICE}),
    "a second answer, later": (lambda reply: [_whole(reply), STRAY], {PRICE}),
    "a second answer in chunks": (
        lambda reply: [
            reply.head("Transfer-Encoding: chunked")
            + b"%x\r\n%s\r\n0\r\n\r\n" % (len(reply.body), reply.body)
            + STRAY
        ],
        {PRICE},
    ),
    "a second answer in the TLS record of a body that fills the reader's buffer": (
        lambda reply: [reply.head("Content-Length: 8192"), reply.body.ljust(8192) + STRAY],
        {PRICE},
    ),
    "an answer after nothing": (
        lambda reply: [_lines(reply, b" 200 OK", b" 204 None") + STRAY],
        {"unreadable"},
    ),
    "a line end too many": (lambda reply: [_whole(reply) + b"\r\n"], {PRICE}),
    "a body longer than said": (_framed("Content-Length: 20"), {"unreadable"}),
    "a body shorter than said": (_framed("Content-Length: 5000"), {"timeout", "unreachable"}),
    "two lengths": (_framed("Content-Length: 20", "Content-Length: 21"), {"unreadable"}),
    "a list of lengths": (_framed("Content-Length: 20, 21"), {"unreadable"}),
    "a length below zero": (_framed("Content-Length: -1"), {"unreadable"}),
    "a length with a sign": (_framed("Content-Length: +20"), {"unreadable"}),
    "a length with a line": (_framed("Content-Length: 2_0"), {"unreadable"}),
    "a length of another base": (_framed("Content-Length: 0x20"), {"unreadable"}),
    "a length and chunks": (_framed("Content-Length: 20", "Transfer-Encoding: chunked"), {"unreadable"}),
    "chunks twice": (_framed("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), {"unreadable"}),
    "another coding": (_framed("Transfer-Encoding: gzip, chunked"), {"unreadable"}),
    "a coding that nobody knows": (_framed("Transfer-Encoding: xchunked"), {"unreadable"}),
    "no chunks where they are said": (_framed("Transfer-Encoding: chunked"), {"timeout"}),
    "a space before the colon": (_framed("Content-Length : 20"), {"timeout"}),
    "a line without a colon": (
        lambda reply: [_lines(reply, b"Content-Type", b"odd\r\nContent-Type")],
        {"timeout"},
    ),
    "the end of headers is missing": (lambda reply: [reply.head()[:-2]], {"timeout"}),
}
"""Everything else: the words that it may have. Its connection is closed."""


@pytest.mark.parametrize("seconds", [0, LATE_SECONDS], ids=["in one go", "in pieces"])
@pytest.mark.parametrize("name", PAST)
def test_interim_answers_are_read_past_and_the_connection_is_kept(
    name: str, seconds: float, exchange: Exchange, asker: Asker
) -> None:
    exchange.fault = sends(PAST[name], seconds)
    before = exchange.connections

    assert [asker.word(pair) for pair in PAIRS] == [PRICE] * len(PAIRS)
    assert exchange.connections == before + 1


@pytest.mark.parametrize("name", ODD)
def test_a_connection_on_which_something_odd_was_seen_is_closed(
    name: str, exchange: Exchange, asker: Asker
) -> None:
    pieces, words = ODD[name]
    assert asker.word(PAIRS[0]) == PRICE

    for pair in PAIRS[1:4]:
        before, all_sent = exchange.connections, Event()
        exchange.fault = sends(pieces, LATE_SECONDS, all_sent)
        assert asker.word(pair, BRIEF_SECONDS if "timeout" in words else PATIENT_SECONDS) in words
        assert all_sent.wait(PATIENT_SECONDS)  # what comes late is here before the next request
        exchange.fault = None
        assert asker.word(pair) == PRICE
        assert exchange.connections > before, "it asked on a new connection"


def test_bytes_that_come_between_two_requests_belong_to_neither(exchange: Exchange, asker: Asker) -> None:
    for stray in (STRAY, HINTS, b"\r\n", b"x"):
        for pair in PAIRS[:2]:
            all_sent = Event()
            exchange.fault = sends(lambda reply, stray=stray: [_whole(reply), stray], LATE_SECONDS, all_sent)  # type: ignore[misc]
            assert asker.word(pair) == PRICE
            assert all_sent.wait(PATIENT_SECONDS)  # before the next request


# not a second answer that comes while the next one is awaited: nobody could tell it from that one
@pytest.mark.parametrize("seconds", [0, LATE_SECONDS], ids=["in one go", "in pieces"])
@pytest.mark.parametrize("name", ["103", "a second answer", "two lengths"])
def test_pairs_that_are_asked_for_at_the_same_time_get_their_own_prices(
    name: str, seconds: float, exchange: Exchange, asker: Asker
) -> None:
    exchange.fault = sends(PAST.get(name) or ODD[name][0], seconds)

    for _ in range(3):
        with ThreadPoolExecutor(MOST_THREADS) as threads:
            words = set(threads.map(asker.word, PAIRS))
        assert words <= {PRICE, "unreadable"}
