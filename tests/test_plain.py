"""The plain HTTP answer: what is read is what the standard library reads, and what is odd is left to it."""

import io
from http.client import HTTPResponse
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from price.transport.plain import MAX_BYTES, NotPlain, Plain, read


class _Sock(NamedTuple):
    data: io.BytesIO

    def makefile(self, *_: Any) -> io.BytesIO:
        return self.data


def by_the_library(data: bytes) -> tuple[Plain, bytes]:
    """What http.client makes of the bytes, and those that it leaves."""
    stream = io.BytesIO(data)
    stream.close = lambda: None  # type: ignore[method-assign] # what is left is still to be read
    response = HTTPResponse(_Sock(stream), method="GET")  # type: ignore[arg-type] # all that it asks of it
    response.begin()
    body = response.read()
    headers: dict[str, list[str]] = {}
    for name, value in response.headers.items():
        headers.setdefault(name.lower(), []).append(value.strip(" \t"))
    joined = {name: ", ".join(values) for name, values in headers.items()}
    return Plain(response.status, joined, body), stream.read()


def answer(*headers: str, body: bytes = b"", status: str = "HTTP/1.1 200 OK") -> bytes:
    return "\r\n".join([status, *headers, "", ""]).encode("latin-1") + body


BODY = b'{"price":"5.10"}'
LENGTH = f"Content-Length: {len(BODY)}"
CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = b"4\r\n" + BODY[:4] + b"\r\nC\r\n" + BODY[4:] + b"\r\n0\r\n\r\n"
GOOD = {
    "a length": answer(LENGTH, body=BODY),
    "chunks": answer(CHUNKED, body=CHUNKS),
    "chunks, in capitals": answer("TRANSFER-ENCODING: Chunked", body=CHUNKS),
    "many headers": answer(
        "Date: Sat, 21 Nov 2026", "Set-Cookie: a=1", LENGTH, "Set-Cookie: b=2", "X-Empty:", "Y: ", body=BODY
    ),
    "no reason": answer(LENGTH, body=BODY, status="HTTP/1.1 200"),
    "an error": answer("Retry-After: 17", LENGTH, body=BODY, status="HTTP/1.1 429 Too Many Requests"),
    "nothing": answer("Content-Length: 0"),
    "no content": answer(status="HTTP/1.1 204 No Content"),
}  # fmt: skip


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_a_plain_answer_is_read_as_the_library_reads_it(data: bytes) -> None:
    assert (read(data), b"") == by_the_library(data)


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_the_beginning_of_an_answer_is_no_answer_yet(data: bytes) -> None:
    assert [read(data[:size]) for size in range(len(data))] == [None] * len(data)


@pytest.mark.parametrize(
    ("header", "last"),
    [
        ("Connection: close", True),
        ("connection: Close, x", True),
        ("Connection: keep-alive", False),
        ("X: close", False),
    ],
)
def test_an_answer_says_whether_it_is_the_connections_last(header: str, last: bool) -> None:
    found = read(answer(header, LENGTH, body=BODY))

    assert found is not None
    assert found.last is last


ODD = {
    "an older HTTP": answer(LENGTH, body=BODY, status="HTTP/1.0 200 OK"),
    "no HTTP": answer(LENGTH, body=BODY, status="ICY 200 OK"),
    "an interim answer": answer(status="HTTP/1.1 103 Early Hints"),
    "no end but the connection's": answer("Content-Type: text/html", body=BODY),
    "a length and chunks": answer(LENGTH, CHUNKED, body=BODY),
    "a space behind a header": answer(f"{CHUNKED} ", body=CHUNKS),
    "two lengths": answer(LENGTH, LENGTH, body=BODY),
    "a signed length": answer("Content-Length: +16", body=BODY),
    "no number": answer("Content-Length: 0x10", body=BODY),
    "another coding": answer("Transfer-Encoding: gzip, chunked", body=CHUNKS),
    "more than was said": answer(LENGTH, body=BODY + b"x"),
    "more than the last chunk": answer(CHUNKED, body=CHUNKS + b"x"),
    "a trailer": answer(CHUNKED, body=CHUNKS[:-2] + b"X: 1\r\n\r\n"),
    "an extended chunk": answer(CHUNKED, body=b"4;x=1\r\n" + CHUNKS[3:]),
    "a chunk of less than nothing": answer(CHUNKED, body=b"-4\r\n"),
    "a chunk that is too long": answer(CHUNKED, body=b"3" + CHUNKS[1:]),
    "a folded header": answer("X: 1", " 2", LENGTH, body=BODY),
    "a header without a name": answer(": 1", LENGTH, body=BODY),
    "a space before the colon": answer("Content-Length : 16", body=BODY),
    "a bare line end in a header": answer("X: 1\nContent-Length: 5", LENGTH, body=BODY),
    "headers without end": b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * (MAX_BYTES // 6),
    "too many headers": answer(*["X: 1"] * 101, LENGTH, body=BODY),
    "more than is read at once": answer(f"Content-Length: {MAX_BYTES}", body=b"1" * MAX_BYTES),
    "no content, and content": answer(status="HTTP/1.1 204 No Content", body=BODY),
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_whatever_is_odd_is_not_guessed_at(data: bytes) -> None:
    with pytest.raises(NotPlain):
        read(data)


HEADERS = ("X: 1", "X: \x85\xa0 ", "From x: 1", "Connection: close", LENGTH, CHUNKED)
FRAMES: tuple[list[str], ...] = ([LENGTH], [CHUNKED], [LENGTH], [CHUNKED], [])
SPLICES = (
    b"",
    b"",
    b"\r\n",
    b"\r",
    b"\n",
    b":",
    b" ",
    b"\t",
    b"\0",
    b"0",
    b"00",
    b"f",
    b"\x85",
    b"\xff",
    BODY,
    CHUNKS,
)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Something like an answer; one of three is plain."""
    headers = draw(
        st.permutations(
            [*draw(st.sampled_from(FRAMES)), *draw(st.lists(st.sampled_from(HEADERS), max_size=2))]
        )
    )
    data = answer(*headers, body=CHUNKS if CHUNKED in headers else BODY)
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
        data = data[:start] + draw(st.sampled_from(SPLICES)) + data[min(end, start + 2) :]
    return data


@given(answers())
@example(answer(CHUNKED, body=b"00\r\n\r\n"))
def test_what_is_read_is_what_the_library_reads_and_not_before_its_last_byte(data: bytes) -> None:
    found = tolerant(data)
    if found is not None:
        assert (found, b"") == by_the_library(data)
        assert not any(tolerant(data[:size]) for size in range(len(data)))


def tolerant(data: bytes) -> Plain | None:
    """The answer; None also where it is odd."""
    try:
        return read(data)
    except NotPlain:
        return None
