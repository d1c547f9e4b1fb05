"""What each fault of an exchange is called, and how soon."""

import socketserver
from collections.abc import Callable
from pathlib import Path

import pytest

from price.model import Answer, Request
from price.transport import Transport
from tests.exchange import Exchange, faults
from tests.exchange.asked import asked
from tests.transport.asking import FOUND, PRICE, Client, seconds_for, serving


def test_every_fault_has_its_word() -> None:
    assert FOUND.keys() == faults.EVERY.keys()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.realtime) if "timeout" in word else name
        for name, word in FOUND.items()
    ],
)
@pytest.mark.parametrize("ask", [asked, Transport.get], ids=["looked at", "waited for"])
def test_a_fault_has_the_word_of_the_table_on_a_kept_connection_and_on_a_new_one(
    ask: Callable[[Transport, Request, float], Answer], name: str, exchange: Exchange, client: Client
) -> None:
    client.ask = ask
    assert client.word() == PRICE

    exchange.fault = faults.EVERY[name]()
    assert client.word(seconds_for(FOUND[name])) in FOUND[name].split(" or ")
    exchange.drop_connections()
    assert client.word(seconds_for(FOUND[name])) in FOUND[name].split(" or ")

    exchange.fault = None
    assert client.word() == PRICE


@pytest.mark.parametrize("kind", [*faults.CERTIFICATES, pytest.param("silent", marks=pytest.mark.realtime)])
def test_a_fault_of_tls_has_its_word_by_the_deadline(kind: str, secure: Exchange, ca: Path) -> None:
    secure.fault = faults.tls(kind)
    word = "timeout" if kind == "silent" else "unreachable"
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
