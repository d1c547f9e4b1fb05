"""A follower in a test: the real one, with what it said."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import nats
import psycopg
from nats.js.api import AckPolicy, ConsumerConfig

from price import times
from price.clock import Clock, SystemClock
from price.events import ROOT
from price.follow.follower import Follower
from price.follow.nats import Nats
from price.follow.postgres import Postgres
from price.follow.report import Report
from price.follow.target import Lost, Target
from price.progress import Progress
from tests.follow.engines import NatsServers, PostgresServer, until
from tests.follow.logs import START

_WITHOUT_ACKS = ConsumerConfig(ack_policy=AckPolicy.NONE)
NOW = times.from_unix(START + times.DAY)
"""When the logs of these tests are a day old."""
CHECKOUT = Path(__file__).parents[2]
MAIN = (sys.executable, "-B", str(CHECKOUT / "main.py"))
_SLOT = """to_char(slot AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""
_QUOTES = f"SELECT pair, {_SLOT}, price::text, array_to_string(sources, ','), recorder, coalesce(by, '')"
_MISSED = f"SELECT pair, {_SLOT}, slots::text, reason, recorder FROM price.missed"


class Following:
    """A follower of a log, in steps."""

    def __init__(self, path: Path, target: Target, recorder: str, clock: Clock | None = None) -> None:
        self.target, self.clock = target, clock or SystemClock()
        self.notified: list[str] = []
        status = path.with_name(f"follow-{recorder}.json")
        self.report = Report(
            target, recorder, self.clock, self.notified.append, status, Progress(None, "sent"), Decimal(1)
        )
        self.follower = Follower(str(path), target, self.clock, self.report, Random(1))

    def catch_up(self) -> None:
        """Sends all; as `--once`."""
        self.follower.catch_up()
        self.report.alive(caught_up=True, now=True)
        self.target.close()


class Database:
    """A database with the schema in it."""

    def __init__(self, server: PostgresServer, *, init: bool = True) -> None:
        self.server, self.name = server, server.new_database()
        self.url = server.url(self.name)
        if init:
            owner = Postgres(server.url(self.name, "owner"), "owner", "prices.txt")
            owner.init()
            owner.close()

    def follower(self, path: Path, recorder: str = "box-a", deadline: float = 30) -> Following:
        target = Postgres(self.url, recorder, path.name, deadline_seconds=deadline)
        return Following(path, target, recorder)

    def there(self, recorder: str = "box-a") -> dict[str, str]:
        """The settings of a follower."""
        return {"PRICE_FOLLOW_POSTGRES": self.url, "PRICE_RECORDER": recorder}

    def owner(self) -> psycopg.Connection:
        return self.server.owner(self.name)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The rows that a query gives, in order."""
        with self.owner() as one:
            return sorted(one.execute(query.encode()).fetchall())

    def content(self) -> Mapping[str, list[tuple[str, ...]]]:
        """All that followers have written."""
        return {
            "quote": self.ask(f"{_QUOTES} FROM price.quote"),
            "other": self.ask(f"{_QUOTES} FROM price.other"),
            "missed": self.ask(_MISSED),
        }


class Cluster:
    """The stream PRICE, new and empty, on the servers of a test run."""

    def __init__(self, servers: NatsServers, *, init: bool = True) -> None:
        self.servers = servers
        self.url = ",".join(servers.urls)
        self.ask("STREAM.DELETE.PRICE")
        if init:
            until(self._made)

    def _made(self) -> bool:
        owner = self.target("owner")
        try:
            owner.init()
        except Lost:
            return False
        finally:
            owner.close()
        return True

    def target(self, recorder: str = "box-a", **words: str) -> Nats:
        return Nats(self.servers.urls, recorder, lambda: NOW, **words)

    def follower(self, path: Path, recorder: str = "box-a") -> Following:
        return Following(path, self.target(recorder), recorder)

    def there(self, recorder: str = "box-a") -> dict[str, str]:
        """The settings of a follower."""
        return {"PRICE_FOLLOW_NATS": self.url, "PRICE_RECORDER": recorder}

    def ask(self, subject: str, body: bytes = b"") -> Any:
        """An answer of JetStream's API."""

        async def asked() -> Any:
            client = await nats.connect(self.servers.urls)
            try:
                answer = await client.request(f"$JS.API.{subject}", body, timeout=10)
            finally:
                await client.close()
                await asyncio.sleep(0)
            return json.loads(answer.data)

        return asyncio.run(asked())

    def messages(self) -> list[tuple[str, str]]:
        """All messages, in the order of the stream: subject and body."""

        async def read() -> list[tuple[str, str]]:
            client = await nats.connect(self.servers.urls)
            try:
                stream = client.jetstream()
                count = (await stream.stream_info("PRICE")).state.messages
                found: list[tuple[str, str]] = []
                if count:
                    consumer = await stream.pull_subscribe("price.>", stream="PRICE", config=_WITHOUT_ACKS)
                    while len(found) < count:
                        got = await consumer.fetch(min(500, count - len(found)), timeout=10)
                        found += [(one.subject, one.data.decode()) for one in got]
                return found
            finally:
                await client.close()
                await asyncio.sleep(0)

        deadline = time.monotonic() + 60
        while True:
            try:
                return asyncio.run(read())
            except (OSError, nats.errors.Error):  # a server that was killed a moment ago has no leader yet
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def quotes(self) -> list[str]:
        """The rows of all pairs in the order of the stream, without the recorder."""
        told = [body for subject, body in self.messages() if subject.startswith("price.quote.")]
        return [body.partition(" recorder=")[0] for body in told]


def command(path: Path, *words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """`price follow` as it is typed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PRICE_")}
    asked = [*MAIN, "follow", *words, "--file", str(path)]
    return subprocess.run(
        asked, env=kept | environ, cwd=path.parent, capture_output=True, text=True, check=False, timeout=60
    )


KILLED = -signal.SIGKILL


def killed_at(step: int, path: Path, target: str, there: Mapping[str, str]) -> tuple[int, list[str]]:
    """Follows once, killed at a step (see mortal.py); how it ended, and the calls that it came to."""
    mortal = [sys.executable, "-B", "-m", "tests.follow.mortal", str(step)]
    done = subprocess.run(
        [*mortal, "follow", target, "--once", "--file", str(path)],
        env={**os.environ, **there}, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, [line for line in done.stderr.splitlines() if line.startswith("call ")]


class Followers:
    """Processes that follow, which end with the test; what they say is in `said` next to their log."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[bytes]] = []

    def start(
        self, path: Path, target: str, there: Mapping[str, str], *words: str
    ) -> "subprocess.Popen[bytes]":
        with (path.parent / "said").open("ab") as said:
            process = subprocess.Popen(
                [*MAIN, "follow", target, "--file", str(path), *words],
                env={**os.environ, **there}, cwd=path.parent, stderr=said, stdout=said,
            )  # fmt: skip
        self._running.append(process)
        return process

    def close(self) -> None:
        for one in self._running:
            one.kill()
            one.wait()


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def heard() -> Iterator[list[str]]:
    """What is logged meanwhile."""
    handler = _Heard()
    ROOT.addHandler(handler)
    level, ROOT.level = ROOT.level, logging.DEBUG
    try:
        yield handler.lines
    finally:
        ROOT.removeHandler(handler)
        ROOT.setLevel(level)
