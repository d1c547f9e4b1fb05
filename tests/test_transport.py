"""The transport against real servers that misbehave: what each fault is called, and how soon."""

import contextlib
import gzip
import http.server
import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from price import __version__, settings
from price.errors import NoSuchName, SettingsError, SourceError, Unreachable
from price.fetchers import make_fetchers
from price.model import Answer, Pair, Request
from price.sources import SOURCES
from price.transport import BUNDLE_NAMES, MAX_BODY_BYTES, Transport, trust
from price.wire import LANES
from tests.exchange import Exchange, Fault, Market, faults
from tests.exchange.certificates import Certificates
from tests.exchange.wire import MIRROR, Ask, Line, Reply

BTC, ETH = Pair("BTC", "USD"), Pair("ETH", "USD")
PATIENT_SECONDS = 10
"""For answers that come: however busy the machine is."""
BRIEF_SECONDS = 0.3
"""For answers that do not."""
SLACK_SECONDS = 1
MIB = 1024 * 1024
PRICE = "price"
FOUND: dict[str, str] = {
    "hang": "timeout",
    "delay": "timeout",
    "drip_head": "timeout",
    "drip_body": "timeout",
    "endless_body": "timeout or unreadable",  # whichever comes first, the deadline or the cap
    "endless_continue": "timeout",
    "reset": "unreachable",
    "hang_up": "unreachable",
    "close_idle": PRICE,
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

    def __init__(self, url: str, source: str = "coinbase", **environ: str) -> None:
        wanted = settings.load({"PRICE_ENV": os.devnull, **environ})
        self.source = SOURCES[source]
        headers = self.source.headers(wanted.coingecko_key, url)
        trusted = trust(wanted.network) if environ else _usual_trust()
        self.transport = Transport(url, headers, trusted, wanted.network, time.monotonic)

    def get(self, pair: Pair = BTC, seconds: float = PATIENT_SECONDS) -> Answer:
        """The answer to a question for a pair. Raises SourceError, in any case in time."""
        began = time.monotonic()
        try:
            return self.transport.get(self.source.requests([pair])[0], began + seconds)
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


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the certificate that vouches for the HTTPS servers is written."""
    return tmp_path_factory.mktemp("trust") / "ca.pem"


@pytest.fixture(scope="module")
def running(ca: Path) -> Iterator[dict[str, Exchange]]:
    """An exchange over HTTP and one over HTTPS."""
    with Market(["coinbase"]) as plain, Market(["coinbase"], ca=ca) as secure:
        yield {"http": plain["coinbase"], "https": secure["coinbase"]}


@pytest.fixture
def exchanges(running: dict[str, Exchange]) -> Iterator[dict[str, Exchange]]:
    """Both, well and with no connections."""
    yield running
    for exchange in running.values():
        exchange.fault = None
        exchange.drop_connections()


@pytest.fixture(params=["http", "https"])
def exchange(request: pytest.FixtureRequest, exchanges: dict[str, Exchange]) -> Exchange:
    """One or the other."""
    return exchanges[request.param]


@pytest.fixture
def plain(exchanges: dict[str, Exchange]) -> Exchange:
    """The one over HTTP."""
    return exchanges["http"]


@pytest.fixture
def secure(exchanges: dict[str, Exchange]) -> Exchange:
    """The one over HTTPS."""
    return exchanges["https"]


@pytest.fixture
def client(exchange: Exchange, ca: Path) -> Client:
    """Somebody who asks it."""
    return Client(exchange.url, SSL_CERT_FILE=str(ca))


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


# What each fault is called.


def test_every_fault_has_its_word() -> None:
    assert FOUND.keys() == faults.EVERY.keys()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.realtime) if "timeout" in word else name
        for name, word in FOUND.items()
    ],
)
def test_a_fault_has_the_word_of_the_table_on_a_kept_connection_and_on_a_new_one(
    name: str, exchange: Exchange, client: Client
) -> None:
    assert client.word() == PRICE

    exchange.fault = faults.EVERY[name]()
    assert client.word(seconds_for(FOUND[name])) in FOUND[name].split(" or ")
    exchange.drop_connections()
    assert client.word(seconds_for(FOUND[name])) in FOUND[name].split(" or ")

    exchange.fault = None
    assert client.word() == PRICE


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (faults.wrong_host, "unreachable"),
        (faults.expired, "unreachable"),
        (faults.not_yet_valid, "unreachable"),
        (faults.untrusted, "unreachable"),
        (faults.self_signed, "unreachable"),
        pytest.param(faults.silent_handshake, "timeout", marks=pytest.mark.realtime),
    ],
)
def test_a_fault_of_tls_has_its_word_by_the_deadline(
    fault: Callable[[], Fault], word: str, secure: Exchange, ca: Path
) -> None:
    secure.fault = fault()
    before = secure.count

    assert Client(secure.url, SSL_CERT_FILE=str(ca)).word(seconds_for(word)) == word

    assert secure.count == before, "a server that is not trusted is asked nothing"


class _Plainspoken(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        self.request.recv(65536)


def test_https_from_a_server_that_speaks_http_is_unreachable() -> None:
    server = socketserver.TCPServer(("127.0.0.1", 0), _Plainspoken)
    with serving(server):
        error = Client(f"https://127.0.0.1:{server.server_address[1]}").error()

    assert error.why == "unreachable"
    assert "TLS" in str(error)


def test_http_to_a_server_that_speaks_https_has_no_price(secure: Exchange) -> None:
    assert Client(secure.url.replace("https:", "http:")).word() in ("unreachable", "unreadable")


# How much is read, and what it is read as.


@pytest.mark.parametrize(
    "fault",
    [
        faults.gzip_bomb(64 * MIB),
        faults.endless_body(piece=4 * MIB),
        sending(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", *[b" " * MIB] * 48),
        sending(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1" * MIB] * 48),
        sending(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", *[b"1" * MIB] * 48),
        sending(b"HTTP/1.1 200 OK\r\n\r\n", *[b" " * MIB] * 48),
        sending(b"HTTP/1.1 200 OK\r\nX: ", *[b"1" * MIB] * 48),
        sending(b"HTTP/1.1 200 OK\r\n", *[b"X: 1\r\n" * (MIB // 6)] * 48),
        sending(*[b"HTTP/1.1 100 Continue\r\n\r\n" * (MIB // 25)] * 48),
        sending(f"HTTP/1.1 200 OK\r\nContent-Length: {64 * MIB}\r\n\r\n".encode(), *[b" " * MIB] * 48),
    ],
    ids=["bomb", "endless", "negative chunk", "chunk size", "trailer", "no length", "header", "headers",
         "continue", "length"],
)  # fmt: skip
def test_an_answer_without_end_is_cut_off_and_needs_little_memory(
    fault: Fault, exchange: Exchange, client: Client
) -> None:
    exchange.fault = fault
    client.word()

    tracemalloc.start()
    try:
        word = client.word(seconds=1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert word in ("unreadable", "timeout")
    assert peak < 4 * MAX_BODY_BYTES


def test_a_body_of_exactly_the_cap_is_read_and_one_byte_more_is_not(plain: Exchange) -> None:
    client = Client(plain.url)
    for packed in (bytes, gzip.compress):
        for extra, word in ((0, PRICE), (1, "unreadable")):
            plain.fault = answering(padded_to(MAX_BODY_BYTES + extra, packed))
            assert client.word() == word


@pytest.mark.parametrize(("status", "word"), [("200 OK", "unreadable"), ("503 Away", "unavailable")])
def test_a_body_that_says_to_be_longer_than_the_cap_is_not_waited_for(
    status: str, word: str, exchange: Exchange, client: Client
) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n\r\n".encode()

    def send(line: Line, reply: Reply) -> bool:
        line.send(head)
        line.pause()
        return False

    exchange.fault = Fault("long", send=send)

    assert client.word() == word


def padded_to(size: int, pack: Callable[[bytes], bytes]) -> Callable[[Ask, Reply], Reply]:
    """A good answer behind spaces."""

    def change(_: Ask, reply: Reply) -> Reply:
        encoding = () if pack is bytes else (("Content-Encoding", "gzip"),)
        return Reply(200, (*reply.headers, *encoding), pack(reply.body.rjust(size)))

    return change


def in_members(body: bytes) -> bytes:
    """A gzip body of three members."""
    return b"".join(gzip.compress(body[start:end]) for start, end in ((0, 9), (9, 9), (9, None)))


def raw_deflate(body: bytes) -> bytes:
    """What some servers send for deflate."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack", "word"),
    [
        ("gzip", gzip.compress, PRICE),
        ("x-gzip", gzip.compress, PRICE),
        (" GZip ", gzip.compress, PRICE),
        ("gzip", in_members, PRICE),
        ("gzip", lambda body: gzip.compress(body) + bytes(512), PRICE),
        ("deflate", zlib.compress, PRICE),
        ("deflate", raw_deflate, PRICE),
        ("identity", bytes, PRICE),
        ("", bytes, PRICE),
        ("gzip", bytes, "unreadable"),
        ("deflate", bytes, "unreadable"),
        ("gzip", lambda body: gzip.compress(body)[:-1], "unreadable"),
        ("gzip", lambda body: gzip.compress(body)[:-8] + bytes(8), "unreadable"),
        ("gzip", lambda body: gzip.compress(body) + b"and more", "unreadable"),
        ("gzip", lambda body: gzip.compress(body) + in_members(body)[:-1], "unreadable"),
        ("gzip", lambda body: in_members(body.rjust(3 * MAX_BODY_BYTES)), "unreadable"),
        ("gzip", lambda body: gzip.compress(b"") * 400_000 + gzip.compress(body), "unreadable"),
        ("gzip, gzip", lambda body: gzip.compress(gzip.compress(body)), "unreadable"),
        ("br", bytes, "unreadable"),
        ("zstd", bytes, "unreadable"),
    ],
)
def test_a_packed_body_is_unpacked_whole_or_unreadable(
    encoding: str, pack: Callable[[bytes], bytes], word: str, plain: Exchange
) -> None:
    packed: dict[bytes, bytes] = {}

    def change(_: Ask, reply: Reply) -> Reply:
        body = packed.setdefault(b"", pack(reply.body))  # packing may take longer than answering may
        return Reply(200, (*reply.headers, ("Content-Encoding", encoding)), body)

    plain.fault = answering(change)
    client = Client(plain.url)
    client.word()

    assert client.word() == word


def test_only_what_can_be_unpacked_is_asked_for(plain: Exchange) -> None:
    Client(plain.url).price()

    asked = plain.requests[-1].headers
    assert asked["accept-encoding"].replace(" ", "").split(",") == ["gzip", "deflate"]
    assert asked["user-agent"] == f"price/{__version__}"


@pytest.mark.parametrize("body", [b"", b"not packed"])
@pytest.mark.parametrize(("status", "word"), [(429, "rate-limited"), (403, "refused"), (503, "unavailable")])
def test_a_status_that_says_no_is_heard_whatever_the_body_is(
    status: int, word: str, body: bytes, plain: Exchange
) -> None:
    plain.fault = faults.status(status, body, {"Content-Encoding": "gzip", "Retry-After": "7"})
    client = Client(plain.url)

    assert client.word() == word
    assert client.get().headers["retry-after"] == "7"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\r\n\r\n", b"\0" * 100, b"HTTP", b"HTTP/1.1 200 OK", b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n{}", b"HTTP/1.1 99999999 OK\r\n\r\n{}", b"ICY 200 OK\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\n: \r\n\xff\r\n{}\r\n\r\n{}",
        b"HTTP/1.1 304 Not Modified\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n",
    ],
)  # fmt: skip
def test_whatever_is_sent_instead_of_an_answer_has_a_word(
    data: bytes, exchange: Exchange, client: Client
) -> None:
    exchange.fault = sending(data)

    assert client.word() in ("unreadable", "unreachable")


# Connections that are kept.


def test_a_connection_is_kept_whatever_is_answered(exchange: Exchange, client: Client) -> None:
    before = exchange.connections
    chunked = Fault("chunked", send=lambda line, reply: send_chunked(line, reply))
    for fault in (
        None,
        faults.compressed(),
        faults.status(404, "{}"),
        faults.status(204),
        faults.empty(),
        faults.redirect(MIRROR + "{path}"),
        faults.html(),
        chunked,
        None,
    ):
        exchange.fault = fault
        for _ in range(3):
            client.word()

    assert exchange.connections == before + 1


def send_chunked(line: Line, reply: Reply) -> bool:
    """A good answer in chunks of 7 bytes."""
    pieces = [reply.body[start : start + 7] for start in range(0, len(reply.body), 7)]
    chunks = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces)
    line.send(reply.head("Transfer-Encoding: chunked") + chunks + b"0\r\n\r\n")
    return True


def test_requests_at_once_share_a_few_connections(exchange: Exchange, client: Client) -> None:
    before = exchange.connections

    with ThreadPoolExecutor(LANES) as pool:
        words = list(pool.map(lambda _: client.word(), range(40)))

    assert words == [PRICE] * 40
    assert exchange.connections <= before + LANES


def test_a_connection_that_was_closed_while_idle_costs_nothing(exchange: Exchange, client: Client) -> None:
    client.price()
    for _ in range(3):
        exchange.drop_connections()
        assert client.word() == PRICE

    exchange.fault = faults.close_idle()
    assert [client.word() for _ in range(5)] == [PRICE] * 5


@pytest.mark.parametrize("fault", [faults.hang_up(), faults.reset()], ids=str)
def test_a_kept_connection_that_breaks_under_a_request_costs_one_more_request(
    fault: Fault, exchange: Exchange, client: Client
) -> None:
    client.price()
    before = exchange.count

    exchange.fail(fault, answers=1)
    assert client.word() == PRICE
    assert exchange.count == before + 2

    exchange.fault = fault
    assert client.word() == "unreachable"
    assert exchange.count == before + 4


@pytest.mark.parametrize("fault", [faults.hang_up(), faults.reset()], ids=str)
def test_a_fresh_connection_that_breaks_is_not_tried_again(
    fault: Fault, exchange: Exchange, client: Client
) -> None:
    before = exchange.count
    exchange.fail(fault, answers=1)

    assert client.word() == "unreachable"
    assert exchange.count == before + 1


@pytest.mark.realtime
def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one(
    exchange: Exchange, client: Client
) -> None:
    prices = {client.price(pair): pair for pair in (BTC, ETH)}
    exchange.fail(faults.delay(2 * BRIEF_SECONDS), answers=1)

    assert client.word(seconds=BRIEF_SECONDS) == "timeout"

    nearest = min(prices, key=lambda price: abs(price - client.price(ETH)))
    assert prices[nearest] == ETH


class CountingContext(ssl.SSLContext):
    """Counts how often certificates are loaded."""

    loads = 0

    def load_verify_locations(self, *args: Any, **kwargs: Any) -> None:
        self.loads += 1
        super().load_verify_locations(*args, **kwargs)

    def load_default_certs(self, *args: Any, **kwargs: Any) -> None:
        self.loads += 1
        super().load_default_certs(*args, **kwargs)


def test_trust_is_parsed_once_and_not_on_each_reconnect(secure: Exchange, ca: Path) -> None:
    client = Client(secure.url, SSL_CERT_FILE=str(ca))
    context = CountingContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ca)
    client.transport = Transport(secure.url, {}, context, {}, time.monotonic)
    before = secure.connections
    for _ in range(5):
        client.price()
        secure.drop_connections()

    assert secure.connections == before + 5
    assert context.loads == 1


@pytest.mark.parametrize("name", BUNDLE_NAMES)
def test_trust_is_what_the_usual_variables_name(name: str, secure: Exchange, ca: Path) -> None:
    assert Client(secure.url, **{name: str(ca)}).word() == PRICE

    refused = Client(secure.url).error()
    assert refused.why == "unreachable"
    assert "certificate" in str(refused)


@pytest.mark.parametrize("name", [*BUNDLE_NAMES, "SSL_CERT_DIR"])
def test_a_folder_of_certificates_may_be_named_too(
    name: str, secure: Exchange, ca: Path, tmp_path: Path
) -> None:
    hash_into(tmp_path, ca)

    assert Client(secure.url, **{name: str(tmp_path)}).word() == PRICE


def hash_into(folder: Path, ca: Path) -> None:
    """Puts a certificate into a folder by the name under which it is looked up, which only openssl knows."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    hashed = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(ca)]
    shown = subprocess.run(hashed, check=True, capture_output=True, text=True)
    (folder / f"{shown.stdout.strip()}.0").write_bytes(ca.read_bytes())


def test_a_file_and_a_folder_of_certificates_add_up(secure: Exchange, ca: Path, tmp_path: Path) -> None:
    other, ours, none = tmp_path / "other.pem", tmp_path / "ours", tmp_path / "others"
    Certificates("127.0.0.1").write(other)
    for folder in (ours, none):
        folder.mkdir()
    hash_into(ours, ca)
    hash_into(none, other)

    for file, folders in ((other, str(ours)), (ca, str(none)), (other, f"{none}:{ours}")):
        assert Client(secure.url, SSL_CERT_FILE=str(file), SSL_CERT_DIR=folders).word() == PRICE
    assert Client(secure.url, SSL_CERT_FILE=str(other), SSL_CERT_DIR=str(none)).word() == "unreachable"
    alone = {"REQUESTS_CA_BUNDLE": str(other), "SSL_CERT_FILE": str(ca), "SSL_CERT_DIR": str(ours)}
    assert Client(secure.url, **alone).word() == "unreachable"


@pytest.mark.parametrize("name", [*BUNDLE_NAMES, "SSL_CERT_DIR"])
@pytest.mark.parametrize("what", ["missing", "empty", "full"])
def test_certificates_that_are_named_and_not_there_are_told(name: str, what: str, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    Certificates("127.0.0.1").write(ca)
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "ca.pem").write_bytes(ca.read_bytes())  # under a name that nobody looks up
    wanted = settings.load({"PRICE_ENV": os.devnull, "SSL_CERT_FILE": str(ca), name: str(tmp_path / what)})

    with pytest.raises(SettingsError) as caught:
        make_fetchers(wanted, lambda: datetime.now(UTC), time.monotonic)

    (fault,) = caught.value.faults
    assert f"{name}={tmp_path / what}" in fault
    assert "these certificates cannot be read" in fault


def test_where_the_system_has_no_certificates_those_of_certifi_are_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))  # as OpenSSL itself looks for them
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))

    assert trust({}).cert_store_stats()["x509_ca"] > 50


# Redirects.


def hops(count: int) -> Fault:
    """An answer after so many redirects, to the same host."""

    def change(ask: Ask, reply: Reply) -> Reply:
        if ask.path.startswith(MIRROR):
            return reply
        done, target = 0, ask.target
        if target.startswith("/hop"):
            done, target = int(target[4]), target[5:]
        done += 1
        location = f"{MIRROR}{target}" if done == count else f"/hop{done}{target}"
        return Reply(302, (("Location", location),), b"moved")

    return answering(change)


@pytest.mark.parametrize(("count", "word"), [(1, PRICE), (2, PRICE), (3, "unreadable"), (9, "unreadable")])
def test_two_redirects_are_followed_and_no_more(
    count: int, word: str, exchange: Exchange, client: Client
) -> None:
    exchange.fault = hops(count)
    before = exchange.count

    assert client.word() == word
    assert exchange.count == before + min(count, 2) + 1


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_every_kind_of_redirect_is_followed(code: int, plain: Exchange) -> None:
    plain.fault = faults.redirect(MIRROR + "{path}#part", code)

    assert Client(plain.url).word() == PRICE


def test_no_redirect_leads_to_another_server(exchanges: dict[str, Exchange], ca: Path) -> None:
    plain, secure = exchanges["http"], exchanges["https"]
    key = "CG-secret"
    with Market(["coingecko"]) as market:
        gecko = market["coingecko"]
        for target in (
            plain.url,
            secure.url,
            f"http://localhost:{plain.port}",
            f"http://localhost:{gecko.port}",
            f"//127.0.0.1:{plain.port}",
            f"http://127.0.0.1:{gecko.port}@127.0.0.1:{plain.port}",
        ):
            gecko.fault = faults.redirect(target + "{path}")
            before = [one.count for one in (plain, secure, gecko)]

            error = Client(gecko.url, "coingecko", SSL_CERT_FILE=str(ca), PRICE_COINGECKO_KEY=key).error()

            assert error.why == "unreadable"
            assert key not in repr(error)
            assert [one.count for one in (plain, secure, gecko)] == [*before[:2], before[2] + 1]
            assert gecko.requests[-1].headers["x-cg-demo-api-key"] == key


def test_a_redirect_from_https_to_http_is_not_followed(secure: Exchange, ca: Path) -> None:
    client = Client(secure.url, SSL_CERT_FILE=str(ca))
    secure.fault = faults.redirect(secure.url.replace("https:", "http:") + "{path}")
    before = secure.count

    assert client.word() == "unreadable"
    assert secure.count == before + 1


@pytest.mark.parametrize(
    "location",
    ["http://[", "http://127.0.0.1:99999/", "http://127.0.0.1:x/", "//", "https://", "ftp://127.0.0.1/",
     "file:///etc/passwd", "mailto:x@example.com", "http:///products", "?\x01", "/a b", "/\xff",
     "http://\xff/", "", "http://" + "a" * 9000 + "/"],
)  # fmt: skip
def test_a_redirect_to_nowhere_is_unreadable(location: str, plain: Exchange) -> None:
    plain.fault = faults.redirect(location)

    assert Client(plain.url).word() in ("unreadable", "refused")


# Proxies.


class Proxy(socketserver.ThreadingTCPServer):
    """Carries what it is asked to carry, to the ports that `routes` gives for names."""

    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False

    def __init__(self, routes: Mapping[str, int], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Carrying)
        self.routes = routes
        self.asked: list[str] = []
        self.heads: list[str] = []
        self.refusal = b""
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Carrying(socketserver.StreamRequestHandler):
    server: Proxy

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while head := self._head():
                self._carry(head)

    def _head(self) -> list[str]:
        lines: list[str] = []
        while (line := self.rfile.readline().decode().strip()) or not lines:
            if not line:
                return []
            lines.append(line)
        return lines

    def _carry(self, head: list[str]) -> None:
        self.server.asked.append(head[0].rpartition(" HTTP/")[0])
        self.server.heads += head
        method, target, _ = head[0].split(" ")
        if self.server.refusal:
            self.wfile.write(self.server.refusal)
            self.connection.shutdown(socket.SHUT_WR)
        elif method == "CONNECT":
            with socket.create_connection(("127.0.0.1", self.server.routes[target])) as there:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pour, args=[there, self.connection])
                back.start()
                _pour(self.connection, there)
                back.join()
        else:
            host, _, path = target.removeprefix("http://").partition("/")
            with socket.create_connection(("127.0.0.1", self.server.routes[host])) as there:
                there.sendall(
                    "\r\n".join([f"GET /{path} HTTP/1.1", *head[1:], "Connection: close", "", ""]).encode()
                )
                while piece := there.recv(65536):
                    self.wfile.write(piece)


def _pour(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


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


@pytest.fixture
def named(tmp_path: Path) -> Iterator[Exchange]:
    """An exchange over HTTPS at a name that only the proxy knows."""
    certificates = Certificates("exchange.test")
    certificates.write(tmp_path / "named.pem")
    with Exchange("coinbase", certificates=certificates) as exchange:
        yield exchange


@pytest.fixture
def proxy(plain: Exchange, named: Exchange) -> Iterator[Proxy]:
    """The proxy that knows it, and the one over HTTP by the same name."""
    with serving(
        proxy := Proxy(
            {"exchange.test": plain.port, "exchange.test:443": named.port, "exchange.test:8443": named.port}
        )
    ):
        yield proxy


@pytest.mark.realtime
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_https_goes_through_the_proxy_and_its_connection_is_kept(
    name: str, proxy: Proxy, named: Exchange, tmp_path: Path
) -> None:
    bundle = str(tmp_path / "named.pem")
    client = Client("https://exchange.test", SSL_CERT_FILE=bundle, **{name: proxy.url})

    assert [client.word() for _ in range(3)] == [PRICE] * 3
    assert proxy.asked == ["CONNECT exchange.test:443"]

    named.drop_connections()
    assert client.word() == PRICE
    named.fault = faults.hang()
    assert client.word(seconds=BRIEF_SECONDS) == "timeout"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_http_goes_through_the_proxy(name: str, proxy: Proxy) -> None:
    client = Client("http://exchange.test", **{name: proxy.url})

    assert client.word() == PRICE
    assert proxy.asked == ["GET http://exchange.test/products/BTC-USD/ticker"]


def test_the_proxy_of_the_other_scheme_is_left_alone(
    proxy: Proxy, plain: Exchange, secure: Exchange, ca: Path
) -> None:
    assert Client(plain.url, HTTPS_PROXY=proxy.url).word() == PRICE
    assert Client(secure.url, HTTP_PROXY=proxy.url, SSL_CERT_FILE=str(ca)).word() == PRICE
    assert proxy.asked == []


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize("hosts", ["127.0.0.1", "example.com 127.0.0.1", "127.0.0.0/8", "*"])
def test_hosts_of_no_proxy_are_asked_directly(name: str, hosts: str, proxy: Proxy, plain: Exchange) -> None:
    client = Client(plain.url, **{"HTTP_PROXY": proxy.url, "HTTPS_PROXY": proxy.url, name: hosts})

    assert client.word() == PRICE
    assert proxy.asked == []


def test_a_redirect_to_https_of_the_same_host_is_followed_by_the_proxy_of_https(
    proxy: Proxy, plain: Exchange, tmp_path: Path
) -> None:
    environ = {
        "SSL_CERT_FILE": str(tmp_path / "named.pem"),
        "HTTP_PROXY": proxy.url,
        "HTTPS_PROXY": proxy.url,
    }
    plain.fault = faults.redirect("https://exchange.test{path}", 301)

    assert Client("http://exchange.test", **environ).word() == PRICE
    assert proxy.asked == ["GET http://exchange.test/products/BTC-USD/ticker", "CONNECT exchange.test:443"]

    plain.fault = faults.redirect("https://exchange.test:8443{path}", 301)
    assert Client("http://exchange.test", **environ).word() == "unreadable"
    assert proxy.asked[2:] == ["GET http://exchange.test/products/BTC-USD/ticker"]


def test_a_proxy_s_password_is_sent_to_it_and_never_told(
    proxy: Proxy, named: Exchange, tmp_path: Path
) -> None:
    with_password = proxy.url.replace("http://", "http://me:secret@")
    environ = {"HTTPS_PROXY": with_password, "HTTP_PROXY": with_password}
    bundle = str(tmp_path / "named.pem")
    authorization = "proxy-authorization: Basic bWU6c2VjcmV0"
    for url in ("https://exchange.test", "http://exchange.test"):
        proxy.heads.clear()
        assert Client(url, SSL_CERT_FILE=bundle, **environ).word() == PRICE
        assert authorization in [line.replace("Proxy-A", "proxy-a") for line in proxy.heads]

        proxy.refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
        assert "secret" not in repr(Client(url, SSL_CERT_FILE=bundle, **environ).error())
        proxy.refusal = b""

    assert not any("proxy-auth" in " ".join(seen.headers) for seen in named.requests)


@pytest.mark.parametrize(
    ("refusal", "word"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "unreachable"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "unreachable"),
        (b"HTTP/1.1 200 OK\r\n\r\nno TLS behind it, though", "unreachable"),
        (b"no HTTP", "unreadable"),
        (b"\r\n", "unreadable"),
    ],
)
def test_a_proxy_that_does_not_connect_gives_the_exchange_its_word(
    refusal: bytes, word: str, proxy: Proxy
) -> None:
    proxy.refusal = refusal

    assert Client("https://exchange.test", HTTPS_PROXY=proxy.url).word() == word


@pytest.mark.parametrize("times", [1, 3])
def test_a_proxy_that_wants_a_password_is_told_as_the_proxy_of_http_too(times: int, proxy: Proxy) -> None:
    proxy.refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 6\r\n\r\nno, no"

    for url in ("http://exchange.test", "https://exchange.test"):
        client = Client(url, ALL_PROXY=proxy.url)
        for _ in range(times):
            error = client.error()
            assert type(error) is Unreachable
            assert "the proxy failed" in str(error)
            assert "407" in str(error)
            assert "Proxy Authentication Required" in str(error)


def test_a_407_that_no_proxy_can_have_sent_is_the_exchanges_own(exchange: Exchange, client: Client) -> None:
    exchange.fault = faults.status(407)

    error = client.error()

    assert error.why == "refused"
    assert "proxy failed" not in str(error)


def test_a_proxy_that_is_not_there_makes_the_exchange_unreachable(secure: Exchange, plain: Exchange) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    for url in (secure.url, plain.url):
        for proxy in (
            f"http://me:secret@127.0.0.1:{port}",
            f"127.0.0.1:{port}",
            "http://",
            "socks5://127.0.0.1:1",
        ):
            error = Client(url, ALL_PROXY=proxy).error()
            assert error.why == "unreachable"
            assert "secret" not in repr(error)


@pytest.mark.parametrize(
    "proxy",
    ["http://me:sec/ret@h:1", "http://me:secret@[h", "http://me:secret@h:99999", "http://me:secret%e2%82%ac@h:1",
     "ftp://me:secret@h", "http://me:se#cret@h:1", "me:secret@h:1", "http://me:secret@h h:1"],
)  # fmt: skip
def test_a_proxy_that_cannot_be_is_unreachable_and_its_password_is_not_told(
    proxy: str, secure: Exchange, plain: Exchange
) -> None:
    for url in (secure.url, plain.url):
        error = Client(url, ALL_PROXY=proxy).error()
        assert error.why == "unreachable"
        assert str(error).endswith("must be http://[user:password@]host:port")


@pytest.mark.realtime
def test_a_proxy_that_says_nothing_costs_no_more_than_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert Client("https://exchange.test", HTTPS_PROXY=proxy).word(seconds=BRIEF_SECONDS) == "timeout"
        assert Client("http://exchange.test", HTTP_PROXY=proxy).word(seconds=BRIEF_SECONDS) == "timeout"


# Names and addresses.


class _IPv6Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


class _Answering(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"price":"61235.10","time":"2026-11-20T12:00:00Z"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Quiet."""


def test_an_exchange_with_an_ipv6_address_only_is_asked() -> None:
    try:
        server = _IPv6Server(("::1", 0), _Answering)
    except OSError as error:
        pytest.skip(f"this machine has no ::1: {error}")

    with serving(server):
        client = Client(f"http://[::1]:{server.server_port}")
        assert client.price() == Decimal("61235.10")


def test_an_address_to_which_no_way_leads_is_unreachable() -> None:
    error = Client("http://255.255.255.255").error()  # not even Linux as root has a way to everyone

    assert error.why == "unreachable"


def test_nobody_at_the_port_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    error = Client(f"http://127.0.0.1:{port}").error()
    assert error.why == "unreachable"
    assert "refused" in str(error).lower()


@pytest.fixture
def deaf() -> Iterator[Callable[[int], str]]:
    """An address at which a port, once given, does not even refuse: its queue of connections is full."""
    with contextlib.ExitStack() as opened:

        def at(port: int) -> str:
            listener = opened.enter_context(socket.socket())
            listener.bind(("127.0.0.2", port))
            listener.listen(0)
            for _ in range(2):
                waiting = opened.enter_context(socket.socket())
                waiting.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    waiting.connect(("127.0.0.2", port))
            return "127.0.0.2"

        yield at


Resolve = Callable[..., list[tuple[Any, ...]]]


def resolving(*hosts: str) -> Resolve:
    """A look-up that finds these addresses, whatever the name: no machine's own names are known here."""
    look_up = socket.getaddrinfo

    def found(_host: str, port: int, **kwargs: Any) -> list[tuple[Any, ...]]:
        return [one for host in hosts for one in look_up(host, port, **kwargs)]

    return found


def test_an_address_that_does_not_answer_leaves_time_for_one_that_does(
    plain: Exchange, deaf: Callable[[int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", resolving(deaf(plain.port), "127.0.0.1"))

    assert Client(f"http://exchange.test:{plain.port}").word() == PRICE


@pytest.mark.realtime
def test_addresses_of_which_none_answers_are_a_timeout_by_the_deadline(
    plain: Exchange, deaf: Callable[[int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = deaf(plain.port)
    assert Client(f"http://{address}:{plain.port}").word(seconds=BRIEF_SECONDS) == "timeout"

    monkeypatch.setattr("socket.getaddrinfo", resolving(address, address, address))
    assert Client(f"http://exchange.test:{plain.port}").word(seconds=BRIEF_SECONDS) == "timeout"


@pytest.mark.parametrize("number", [socket.EAI_NONAME, socket.EAI_NODATA])
def test_a_name_that_does_not_resolve_is_said_to_be_that(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", failing(number))

    assert isinstance(Client("https://exchange.test").error(), NoSuchName)


def test_a_resolver_that_does_not_answer_is_no_end_of_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", failing(socket.EAI_AGAIN))

    assert type(Client("https://exchange.test").error()) is Unreachable


def test_a_proxy_s_name_that_does_not_resolve_is_no_end_of_the_exchange_s_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", failing(socket.EAI_NONAME))

    assert type(Client("https://exchange.test", HTTPS_PROXY="http://proxy.test:1").error()) is Unreachable
    assert type(Client("http://exchange.test", HTTP_PROXY="http://proxy.test:1").error()) is Unreachable


def failing(number: int) -> Resolve:
    """A look-up that fails as the system's does: no machine's resolver is asked."""

    def failed(*_: object, **__: object) -> list[tuple[Any, ...]]:
        raise socket.gaierror(number, "it does not resolve")

    return failed


# What nobody may see.


@pytest.mark.parametrize("name", ["status_403", "garbage", "html", "hang_up", "redirect_loop", "truncated"])
def test_the_key_is_in_no_error_text(name: str, tmp_path: Path) -> None:
    with Market(["coingecko"]) as market:
        market["coingecko"].fault = faults.EVERY[name]()

        error = Client(market["coingecko"].url, "coingecko", PRICE_COINGECKO_KEY="CG-secret").error()

    seen: BaseException | None = error
    while seen:
        assert "CG-secret" not in repr(seen)
        seen = seen.__cause__


@pytest.mark.parametrize("before", [0, 64])
@pytest.mark.parametrize("status", [200, 302, 401, 500])
def test_a_server_that_says_the_key_does_not_have_it_told(status: int, before: int) -> None:
    def echo(ask: Ask, _reply: Reply) -> Reply:
        key = "x" * before + ask.headers["x-cg-demo-api-key"]
        return Reply(status, (("Location", f"http://{key}/"), ("Content-Encoding", "")), key.encode())

    with Market(["coingecko"]) as market:
        market["coingecko"].fault = answering(echo)

        error = Client(market["coingecko"].url, "coingecko", PRICE_COINGECKO_KEY="CG-secretive").error()

    assert "***" in str(error)
    assert "CG-sec" not in str(error)


def test_a_server_that_says_the_key_where_http_belongs_does_not_have_it_told() -> None:
    with Market(["coingecko"]) as market:
        for line in (b"CG-secretive\r\n\r\n", b"x" * 18 + b"CG-secretive\r\n\r\n"):
            market["coingecko"].fault = sending(line)

            error = Client(market["coingecko"].url, "coingecko", PRICE_COINGECKO_KEY="CG-secretive").error()

            assert "***" in str(error)
            assert "CG-sec" not in str(error)


def test_a_key_too_short_to_be_one_spoils_no_answer(plain: Exchange) -> None:
    client = Client(plain.url)
    client.transport = Transport(plain.url, {"x-key": "price"}, trust({}), {}, time.monotonic)

    assert client.word() == PRICE


def test_a_header_goes_with_every_request_of_its_source(plain: Exchange) -> None:
    client = Client(plain.url)
    client.transport = Transport(plain.url, {"x-key": "k"}, trust({}), {}, time.monotonic)
    plain.fault = faults.redirect(MIRROR + "{path}")

    client.price()

    assert [seen.headers["x-key"] for seen in plain.requests[-2:]] == ["k", "k"]


def test_what_stands_before_the_api_s_own_path_is_kept(plain: Exchange) -> None:
    answer = Client(f"{plain.url}{MIRROR}/").get()

    assert answer.status == 200
    assert plain.requests[-1].path == f"{MIRROR}/products/BTC-USD/ticker"
    assert Request("/x", ()).path == "/x"
