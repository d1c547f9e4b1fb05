"""Connections that are kept, and those that are not."""

import contextlib
import os
import select
import shutil
import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from price import settings
from price.errors import SettingsError, SourceError
from price.fetchers import make_fetchers
from price.model import Answer
from price.transport import BUNDLE_NAMES, Transport, trust
from price.wire import MOST_THREADS, Begun
from tests.exchange import Exchange, Fault, faults
from tests.exchange.certificates import Certificates
from tests.exchange.wire import MIRROR, Line, Reply
from tests.transport.asking import BRIEF_SECONDS, BTC, ETH, PATIENT_SECONDS, PRICE, Client, sending


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


def begun_by(client: Client) -> Begun | None:
    """A request for a price that is under way, where it could be sent without waiting."""
    return client.transport.begin(client.source.requests([BTC])[0])


def come(begun: Begun | None) -> Answer | None:
    """The answer to a request that was sent, looked at once some of it has come."""
    assert begun is not None
    assert select.select([begun.fileno], [], [], PATIENT_SECONDS)[0]
    return begun.arrived()


def test_a_request_is_sent_without_waiting_where_a_connection_is_kept(
    exchange: Exchange, client: Client
) -> None:
    before = exchange.count
    assert begun_by(client) is None
    assert exchange.count == before, "nobody is asked"

    client.price()
    for _ in range(3):
        answer = come(begun_by(client))
        assert answer is not None
        assert answer.status == 200

    exchange.drop_connections()
    assert begun_by(client) is None
    assert client.word() == PRICE


@pytest.mark.parametrize(
    "fault",
    [
        faults.redirect(MIRROR + "{path}"),
        faults.hang_up(),
        faults.garbage(),
        faults.truncated(),
        faults.huge(),
        faults.gzip_bomb(1024 * 1024),
        sending(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", close=False),
        sending(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", close=False),
        sending(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}\r\n", close=False),
        sending(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", close=False),
    ],
    ids=[
        "redirect",
        "hang up",
        "garbage",
        "truncated",
        "huge",
        "bomb",
        "chunked",
        "in the head",
        "surplus",
        "close",
    ],
)
def test_what_is_not_plain_is_left_to_who_may_wait(fault: Fault, exchange: Exchange, client: Client) -> None:
    client.price()
    exchange.fault = fault

    begun = begun_by(client)

    assert come(begun) is None
    assert begun is not None
    with contextlib.suppress(SourceError):
        begun.get(client.source.requests([BTC])[0], time.monotonic())


def test_requests_at_once_share_a_few_connections(exchange: Exchange, client: Client) -> None:
    before = exchange.connections

    with ThreadPoolExecutor(MOST_THREADS) as pool:
        words = list(pool.map(lambda _: client.word(), range(40)))

    assert words == [PRICE] * 40
    assert exchange.connections <= before + MOST_THREADS


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
