"""One engine of each kind for a whole run of these tests; a database or stream for each test."""

from collections.abc import Iterator

import pytest

from tests.follow.engines import NatsServers, PostgresServer
from tests.follow.following import Followers
from tests.needs import needs


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    needs("psycopg", "pip install -r requirements-follow.txt")
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def nats_servers() -> Iterator[NatsServers]:
    needs("nats", "pip install -r requirements-follow.txt")
    servers = NatsServers()
    yield servers
    servers.stop()


@pytest.fixture
def followers() -> Iterator[Followers]:
    made = Followers()
    yield made
    made.close()
