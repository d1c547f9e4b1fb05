"""Proxies: who is asked through which, and what their own faults are called."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from price.errors import Unreachable
from tests.exchange import Exchange, faults
from tests.exchange.certificates import Certificates
from tests.transport.asking import (
    BRIEF_SECONDS,
    PRICE,
    Client,
    serving,
)


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
        with contextlib.suppress(OSError, UnicodeDecodeError):  # what speaks TLS at once is no request
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


def test_a_proxy_that_wants_a_password_is_told_as_the_proxy_of_http_too(proxy: Proxy) -> None:
    proxy.refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 6\r\n\r\nno, no"

    for url in ("http://exchange.test", "https://exchange.test"):
        client = Client(url, ALL_PROXY=proxy.url)
        for _ in range(3):
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
     "ftp://me:secret@h", "https://me:secret@h:1", "HTTPS://me:secret@h:1", "http://me:se#cret@h:1",
     "me:secret@h:1", "http://me:secret@h h:1"],
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
