"""The options that the reading commands share, and what they mean."""

import argparse
import os
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from price import host, times
from price.log import row
from price.log.read import PriceLog

_FORMATS = ("text", "csv", "json")


class Window(NamedTuple):
    """A range in Unix seconds: `since` included, `until` not; None where it is open."""

    since: int | None
    until: int | None


def add_all(parser: argparse.ArgumentParser) -> None:
    """Adds a range, --last and --format: all that most commands need."""
    add_range(parser)
    add_last(parser)
    add_format(parser)


def add_last(parser: argparse.ArgumentParser) -> None:
    """Adds the options of those that print rows or periods, or faults."""
    parser.add_argument("--last", type=_count, metavar="N", help="only the last N of each pair")
    parser.add_argument("--live-only", action="store_true", help="leave repairs.txt out")


def add_format(parser: argparse.ArgumentParser) -> None:
    """The form of the answer."""
    parser.add_argument("--format", choices=_FORMATS, default="text", help="text (default), csv or json")


def add_range(parser: argparse.ArgumentParser) -> None:
    """The options that name the part of the log; `window` reads them."""
    parser.add_argument("--file", metavar="PATH", help="the log (default $PRICE_FILE, else logs/prices.txt)")
    parser.add_argument("--pair", action="append", default=[], type=_pair, help="only this pair; repeatable")
    since = "from this slot on: 2026-11-20T15:52:05Z, 2026-11-20, 90s 15m 2h 7d (ago), today, yesterday, now"
    parser.add_argument("--since", metavar="TIME", help=since)
    parser.add_argument("--until", metavar="TIME", help="up to this slot, not including it")


def _pair(text: str) -> str:
    pair = text.upper().replace("/", "-")
    if not row.is_pair(pair):
        raise argparse.ArgumentTypeError(f"{text!r} is no pair such as BTC-USD")
    return pair


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:10]) > 0 and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def window(args: argparse.Namespace, now: datetime) -> Window:
    """The range that --since and --until name; a wrong one ends as argparse's errors do."""
    try:
        since = _unix(args.since, now)
        until = _unix(args.until, now)
    except ValueError as error:
        args.fail(str(error))
        raise
    if since is not None and until is not None and since > until:
        args.fail(f"--since {args.since} is after --until {args.until}")
    return Window(since, until)


def _unix(text: str | None, now: datetime) -> int | None:
    """A time as Unix seconds, rounded up: the slots at or after 12:00:00.5 are those from 12:00:01 on."""
    if text is None:
        return None
    return -((times.EPOCH - times.parse_when(text, now)) // timedelta(seconds=1))


def file_of(args: argparse.Namespace, environ: Mapping[str, str]) -> str:
    """The log: --file, else $PRICE_FILE, else prices.txt in systemd's or our own logs folder."""
    folder = host.named_folder(environ, "LOGS_DIRECTORY")
    return args.file or environ.get("PRICE_FILE") or os.path.join(folder, "prices.txt")  # noqa: PTH118


def opened(args: argparse.Namespace, environ: Mapping[str, str]) -> PriceLog:
    """The log that a command reads, with the pairs that it is about. Raises PriceError."""
    return PriceLog(file_of(args, environ), args.pair, live_only=args.live_only)


def finish(log: PriceLog, *, unseen: bool = True) -> int:
    """Reports what an answer lacks; the exit status: 1 where a file that it needed is damaged."""
    sys.stderr.write(log.left.report())
    if log.unseen and unseen:
        named = ", ".join(sorted(log.unseen))
        sys.stderr.write(f"no row of {named} in this range: price history --last 1 shows each pair's last\n")
    return int(bool(log.left.damaged))
