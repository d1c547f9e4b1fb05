"""The reading commands on the command line, and the options that they share."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from price import times
from price.log import row

if TYPE_CHECKING:
    from price.log.read import PriceLog

Run = Callable[[argparse.Namespace, Mapping[str, str], datetime], int]
_FORMATS = ("text", "csv", "json")
_EXAMPLES = """
  price history --last 3
  price history --since 2026-11-20T15:00 --until 2026-11-20T16:00 --pair BTC-USD --format csv
"""


class Window:
    """A range in Unix seconds: `since` included, `until` not; None where it is open."""

    __slots__ = ("since", "until")

    def __init__(self, since: int | None, until: int | None) -> None:
        self.since = since
        self.until = until


class Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal. Told the width, argparse need not import shutil for it: 3 ms."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=_WIDTH)


def _width() -> int:
    try:
        return max(60, min(os.get_terminal_size(1).columns, 110) - 2)
    except (OSError, ValueError):
        return 98


_WIDTH = _width()


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Registers the commands; each sets `run(args, environ, now) -> exit status`."""
    _add(subparsers, "history", "the rows of a range", _history, _EXAMPLES)
    candles = _add(
        *(subparsers, "candles", "open, high, low, close and count per period", _candles),
        "\n  price candles --every 1h --since today\n",
    )
    candles.add_argument("--every", default="1m", metavar="PERIOD", help="30s, 5m, 4h, 1d ... (default 1m)")
    chart = _add(
        *(subparsers, "chart", "the range as a picture; by default the last day of the log", _chart),
        "\n  price chart --since 7d --pair BTC-USD\n  price chart --since today --output today.svg\n",
        formats=False,
    )
    chart.add_argument(
        "--output", type=_picture, metavar="FILE", help="into a .svg or .png, not the terminal"
    )
    _add(
        *(subparsers, "gaps", "each missed stretch, and how complete the range is", _gaps),
        "\n  price gaps --since 7d\n",
    )
    _add(
        *(subparsers, "verify", "proves the log: form, order, no doubles, arithmetic of slots", _verify),
        "\n  price verify && echo whole\n  price verify --file /var/log/price/prices.txt\n",
    )


def _add(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    what: str,
    run: Run,
    example: str,
    *,
    formats: bool = True,
) -> argparse.ArgumentParser:
    parser = subparsers.add_parser(
        name, help=what, description=what, epilog="example:" + example.rstrip(), formatter_class=Help
    )
    add_shared(parser)
    if formats:
        add_format(parser)
    parser.set_defaults(run=run, fail=parser.error)
    return parser


def add_shared(parser: argparse.ArgumentParser) -> None:
    """The options that every reading command has."""
    add_range(parser)
    parser.add_argument("--last", type=_count, metavar="N", help="only the last N of each pair")
    parser.add_argument("--live-only", action="store_true", help="leave repairs.txt out")


def add_format(parser: argparse.ArgumentParser) -> None:
    """The form of the answer."""
    parser.add_argument("--format", choices=_FORMATS, default="text", help="text (default), csv or json")


def add_range(parser: argparse.ArgumentParser) -> None:
    """The options that say which part of which log is meant; `window` reads them."""
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


def _picture(text: str) -> str:
    if not text.lower().endswith((".svg", ".png")):
        raise argparse.ArgumentTypeError(f"{text!r} ends neither in .svg nor in .png")
    return text


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


def default_file(environ: Mapping[str, str]) -> str:
    """Where the log is when nobody says: $PRICE_FILE, else prices.txt in systemd's or our own logs folder."""
    folder = environ.get("LOGS_DIRECTORY", "").partition(":")[0] or "logs"
    return environ.get("PRICE_FILE") or f"{folder}/prices.txt"


def file_of(args: argparse.Namespace, environ: Mapping[str, str]) -> str:
    """The log that a command is about."""
    return args.file or default_file(environ)


def finish(log: "PriceLog", *, unseen: bool = True) -> int:
    """Reports what an answer lacks; the exit status: 1 where a file that it needed is damaged."""
    sys.stderr.write(log.left.report())
    if log.unseen and unseen:
        named = ", ".join(sorted(log.unseen))
        sys.stderr.write(f"no row of {named} in this range: price history --last 1 shows each pair's last\n")
    return int(bool(log.left.damaged))


def _history(args: argparse.Namespace, environ: Mapping[str, str], now: datetime) -> int:
    from price.report import history

    return history.run(args, environ, now)


def _candles(args: argparse.Namespace, environ: Mapping[str, str], now: datetime) -> int:
    from price.report import candles

    return candles.run(args, environ, now)


def _chart(args: argparse.Namespace, environ: Mapping[str, str], now: datetime) -> int:
    from price.report.chart import command

    return command.run(args, environ, now)


def _gaps(args: argparse.Namespace, environ: Mapping[str, str], now: datetime) -> int:
    from price.report import gaps

    return gaps.run(args, environ, now)


def _verify(args: argparse.Namespace, environ: Mapping[str, str], now: datetime) -> int:
    from price.report import verify

    return verify.run(args, environ, now)
