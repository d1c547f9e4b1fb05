"""An exchange over HTTP and one over HTTPS, and somebody who asks them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exchange import Exchange, Market
from tests.transport.asking import Client


@pytest.fixture(autouse=True)
def _closing() -> Iterator[None]:
    """Leaves no connection open: thousands of tests would use up the descriptors."""
    yield
    while Client.made:
        Client.made.pop().transport.hang_up()


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
