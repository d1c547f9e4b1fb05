"""`price follow`: the rows of the log into PostgreSQL or NATS JetStream, in a process of its own."""

import logging
import os
import platform
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import datetime
from importlib import import_module
from pathlib import Path
from random import Random
from types import ModuleType

from price import host, settings
from price.clock import SystemClock
from price.errors import PriceError, SettingsError
from price.events import Event, log_event, log_to
from price.follow.follower import Follower
from price.follow.report import Report
from price.follow.status import file_name
from price.follow.target import Target
from price.handlers import notify
from price.handlers.journal import default_talker
from price.optional import missing
from price.progress import Progress
from price.smallfile import read_small
from price.text import print_line
from price.times import parse_when, unix

TARGETS = ("postgres", "nats")
IDENTIFIER = "price-follow"
_CHANCE = Random()  # noqa: S311 - jitter is no secret
_RANDOM_NAME = re.compile(r"[0-9a-f]{12}")
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def run_options(parser: ArgumentParser) -> None:
    """The engine, and what is done in place of following."""
    parser.add_argument(
        "target", choices=TARGETS, help="the engine; PRICE_FOLLOW_POSTGRES or _NATS says where"
    )
    parser.add_argument("--file", metavar="PATH", help="the log (default $PRICE_FILE, else logs/prices.txt)")
    parser.add_argument("--init", action="store_true", help="make the schema or stream, as its owner")
    parser.add_argument(
        "--print", action="store_true", help="only print what --init would do; needs no engine"
    )
    parser.add_argument("--check", action="store_true", help="connect and name each fault; 0, 1, or 78")
    parser.add_argument("--once", action="store_true", help="up to the end of the log, then end")
    parser.add_argument("--again", action="store_true", help="send what is --since a time again, then end")
    parser.add_argument("--since", metavar="TIME", help="for --again: 2026-11-20T15:52:05Z, 2h, 7d, today")


def run(args: Namespace, environ: Mapping[str, str], now: datetime) -> int:
    """Follows until it is stopped, with 0; 78 for an address or a package that only a person can mend."""
    if args.again != bool(args.since):
        args.fail("--again and --since TIME belong together: --again --since 2h")
    try:
        since = unix(parse_when(args.since, now)) if args.again else None
    except ValueError as error:
        args.fail(f"--since: {error}")
    if args.print:
        for line in _engine(args.target).script().splitlines():
            print_line(line)
        return 0
    args.file = args.file or str(settings.log_path(environ))
    target = make_target(args.target, args.file, environ, alone=not args.again)
    try:
        if args.init:
            print_line(target.init())
            return 0
        if args.check:
            return _check(target)
        clock = SystemClock()
        # Wherever it is when a signal comes, a batch that is under way has then not happened. With an
        # exception psycopg would ask the server to cancel it, and wait ten seconds for one that is frozen.
        host.on_signals(lambda: os._exit(0), lambda: None, clock.wakeup_fd)
        return _follow(args, environ, since, target, clock)
    finally:
        target.close()


def make_target(name: str, path: str, environ: Mapping[str, str], *, alone: bool = True) -> Target:
    """The engine that the settings name. Raises SettingsError."""
    url = settings.value_of(environ, f"PRICE_FOLLOW_{name.upper()}")
    if not url:
        raise SettingsError(
            [f"PRICE_FOLLOW_{name.upper()} is not set: it says where the engine is; see env.example"]
        )
    engine, recorder = _engine(name), recorder_name(environ)
    target: Target
    if name == "nats":
        login = _credential(environ, "nats")
        login = read_small(login).strip() if login else ""
        target = engine.Nats(
            url,
            recorder,
            SystemClock().now,
            login=login,
            credentials=_credential(environ, "nats.creds"),
            authority=_credential(environ, "nats.ca"),
        )
    else:
        log, passfile = os.path.basename(path), _credential(environ, "pgpass")  # noqa: PTH119
        target = engine.Postgres(url, recorder, log, passfile=passfile, alone=alone)
    return target


def _engine(name: str) -> ModuleType:
    """The module of an engine. Raises SettingsError where its library is missing."""
    for library in ("psycopg", "nats", "asyncio"):
        logging.getLogger(library).addHandler(logging.NullHandler())  # what matters of it is raised as well
    try:
        return import_module(f"price.follow.{name}")
    except ModuleNotFoundError as error:
        raise SettingsError([missing("follow", error.name)]) from error


def _credential(environ: Mapping[str, str], name: str) -> str:
    """The file of a credential; empty where there is none, or one that says so with a dash."""
    path = Path(environ.get("CREDENTIALS_DIRECTORY") or os.devnull) / name
    try:
        return "" if read_small(path).strip() in ("", "-") else str(path)
    except (OSError, ValueError):
        return ""


def recorder_name(environ: Mapping[str, str]) -> str:
    """The name that is stored with every row: PRICE_RECORDER, else the host's name."""
    named: str = settings.value_of(environ, "PRICE_RECORDER")
    return named or _NO_NAME.sub("-", platform.node()).strip("-.")[:63] or "price"


def _follow(
    args: Namespace, environ: Mapping[str, str], since: int | None, target: Target, clock: SystemClock
) -> int:
    log_format = settings.value_of(environ, "PRICE_LOG_FORMAT")
    talker = default_talker(environ, clock.monotonic, lambda: log_format, IDENTIFIER)
    log_to(talker, settings.value_of(environ, "PRICE_LOG_LEVEL"))
    recorder = recorder_name(environ)
    if _RANDOM_NAME.fullmatch(recorder):
        text = f"{recorder} looks like a container's random name, which makes a new recorder of each start"
        log_event(Event.TARGET_BEGUN, logging.WARNING, f"{text}: set PRICE_RECORDER")
    folder = Path(environ.get("RUNTIME_DIRECTORY", "").partition(":")[0] or Path(args.file).parent)
    report = Report(
        target,
        recorder,
        clock,
        notify.sender(environ),
        folder / file_name(target.name),
        Progress(sys.stderr, "rows sent"),
        settings.value_of(environ, "PRICE_MAX_SPREAD", lenient=True),
    )
    follower = Follower(args.file, target, clock, report, _CHANCE, since)
    if args.once or args.again:
        follower.catch_up()
        report.alive(caught_up=True, now=True)
        return 0
    log_event(
        Event.TARGET_BEGUN, logging.INFO, f"{target.name} at {target.where} follows {args.file} as {recorder}"
    )
    while True:
        clock.wait(clock.monotonic() + follower.step())


def _check(target: Target) -> int:
    try:
        faults = target.check()
    except PriceError as error:
        faults = [str(error)]
    for line in faults or [f"{target.name} at {target.where}: all is well"]:
        print_line(line)
    return 1 if faults else 0
