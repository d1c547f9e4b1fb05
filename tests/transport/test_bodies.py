"""How much of an answer is read, and what it is read as."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from price import __version__
from price.transport import MAX_BODY_BYTES
from tests.exchange import Exchange, Fault, faults
from tests.exchange.wire import Ask, Line, Reply
from tests.transport.asking import MIB, PRICE, Client, answering, sending


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


@pytest.mark.parametrize("blank", [" ", "\t", " \t "])
def test_blanks_behind_the_value_of_a_header_do_not_belong_to_it(blank: str, plain: Exchange) -> None:
    client = Client(plain.url)
    body = b'{"price": "97123.45", "time": "2026-11-20T15:52:05Z"}'
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}{blank}\r\n\r\n"
    plain.fault = sending(head.encode(), body, close=False)
    assert client.word() == PRICE

    head = f"HTTP/1.1 429 Slow\r\nRetry-After: 30{blank}\r\nContent-Length: 0\r\n\r\n"
    plain.fault = sending(head.encode(), close=False)
    assert client.get().headers["retry-after"] == "30"


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
