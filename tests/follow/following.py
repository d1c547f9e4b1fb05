"""A follower in a test: the real one, with what it said."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from price.events import ROOT
from price.follow.follower import Follower
from price.follow.postgres import Postgres
from price.follow.report import Report
from price.follow.target import Target
from price.progress import Progress
from price.recorder.clock import Clock, SystemClock
from tests.follow.engines import PostgresServer

MAIN = (sys.executable, "-B", str(Path(__file__).parents[2] / "main.py"))
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
        self.report.finish()
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


def command(path: Path, *words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """`price follow` as it is typed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PRICE_")}
    asked = [*MAIN, "follow", *words, "--file", str(path)]
    return subprocess.run(
        asked, env=kept | environ, cwd=path.parent, capture_output=True, text=True, check=False, timeout=60
    )


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
