"""Names and addresses of exchanges."""

import contextlib
import http.server
import socket
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from price.errors import NoSuchName, Unreachable
from tests.exchange import Exchange
from tests.transport.asking import (
    BRIEF_SECONDS,
    PRICE,
    Client,
    serving,
)


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


@pytest.mark.parametrize(
    ("number", "environ", "kind"),
    [
        (socket.EAI_NONAME, {}, NoSuchName),
        (socket.EAI_NODATA, {}, NoSuchName),
        (socket.EAI_AGAIN, {}, Unreachable),
        (socket.EAI_NONAME, {"ALL_PROXY": "http://proxy.test:1"}, Unreachable),
    ],
    ids=["no name", "no address", "a silent resolver", "no name of the proxy"],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_only_an_exchange_s_own_name_that_does_not_resolve_is_no_name(
    scheme: str, number: int, environ: dict[str, str], kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failed(*_: object, **__: object) -> list[tuple[Any, ...]]:
        raise socket.gaierror(number, "it does not resolve")

    monkeypatch.setattr("socket.getaddrinfo", failed)

    assert type(Client(f"{scheme}://exchange.test", **environ).error()) is kind
