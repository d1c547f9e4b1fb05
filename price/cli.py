"""The command line: the table of the commands, and how each ends.

A command is a function of a module, `run(args, environ, now) -> exit status`, and where it has options
`run_options(parser)` there; both are imported when it is called, so that reading never loads the recorder.
A new one is a row of COMMANDS.
`args.fail(text)` ends it as argparse ends a wrong command line; a PriceError is one line on stderr.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from importlib import import_module
from typing import NamedTuple, NoReturn, TextIO

from price import __version__, host
from price.errors import PriceError, SettingsError
from price.text import one_line


class Command(NamedTuple):
    """A row of the table."""

    name: str
    does: str
    """One line of help."""
    examples: str
    """Lines to type."""
    place: str = ""
    """MODULE:FUNCTION, where that is not the function of its name in commands.py."""
    settings: Sequence[str] = ()
    """What it needs of a settings file, where it goes on without one that cannot be read."""


COMMANDS = (
    Command("run", "records until it is stopped (the default)", "PRICE_PAIRS=BTC-USD,ETH-USD price run"),
    Command("once", "asks now and prints the rows; writes nothing", "PRICE_SOURCES=kraken price once"),
    Command("check", "checks the settings, the plan and each source", "PRICE_INTERVAL=1 price check"),
    Command(
        "status", "shows the running recorder at a glance", "price status --json", settings=["PRICE_STATUS"]
    ),
    Command(
        "supervise",
        "starts the recorder, and starts it again when it is gone or hangs",
        "price supervise\nprice supervise --service price",
    ),
    Command(
        "metrics",
        "prints status.json as metrics, or serves them to Prometheus",
        "price metrics --listen 127.0.0.1:17280",
        settings=["PRICE_STATUS"],
    ),
    Command(
        "alerts",
        "replays rules over the log; follows their changes",
        "price alerts --rule 'BTC-USD moves 5% in 1h' --since 30d",
    ),
    Command(
        "history",
        "prints the rows of a range",
        "price history --last 3\n"
        "price history --since 2026-11-20T15:00 --until 2026-11-20T16:00 --pair BTC-USD --format csv",
        "price.report.history:run",
    ),
    Command(
        "candles",
        "prints open, high, low, close and count per period",
        "price candles --every 1h --since today",
        "price.report.candles:run",
    ),
    Command(
        "chart",
        "draws the range; by default the last day of the log",
        "price chart --since 7d --pair BTC-USD\nprice chart --since today --output today.svg",
        "price.report.chart.command:run",
    ),
    Command(
        "gaps",
        "prints each missed stretch, and how complete the range is",
        "price gaps --since 7d",
        "price.report.gaps:run",
    ),
    Command(
        "verify",
        "proves the log: form, order, no doubles, arithmetic of slots",
        "price verify && echo whole\nprice verify --file /var/log/price/prices.txt",
        "price.report.verify:run",
    ),
    Command(
        "web",
        "serves a page to look at, on this machine",
        "price web",
        settings=["PRICE_STATUS", "PRICE_WEB_LISTEN", "PRICE_WEB_HOSTS"],
    ),
    Command(
        "service",
        "installs, starts and stops the recorder as a Windows service",
        "price service install\nprice service start",
        "price.service.command:run",
    ),
    Command(
        "repair",
        "fills missed slots from the journal, exchanges or another log",
        "price repair --from journal\n"
        "price repair --from exchange --since 7d\n"
        "price repair --from /var/lib/price-b/prices.txt",
    ),
    Command(
        "follow",
        "brings each row into PostgreSQL or NATS JetStream, exactly once",
        "price follow postgres --init --print\nprice follow postgres --check\nprice follow nats --once",
        "price.follow.command:run",
        settings=["PRICE_FOLLOW_POSTGRES", "PRICE_FOLLOW_NATS", "PRICE_RECORDER"],
    ),
)
OK, NO, BAD_SETTINGS, INTERRUPTED = 0, 1, 78, 130


def main(arguments: Sequence[str], environ: Mapping[str, str], now: datetime) -> int:
    """Runs a command; gives the exit status: 0 done, 1 the answer is no, 78 bad settings (2: argparse)."""
    host.prepare_streams()
    try:
        try:
            return _obey(arguments, environ, now)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        return OK  # the reader of our output has seen enough
    except OSError as error:
        _complain(f"{error.filename or 'the output'}: {error.strerror or error}")
        return NO
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        _let_go(sys.stdout)
        _let_go(sys.stderr)


def _obey(arguments: Sequence[str], environ: Mapping[str, str], now: datetime) -> int:
    try:
        args = parser(arguments or ["run"]).parse_args(arguments or ["run"])
        needed = {*args.settings}
        if getattr(args, "file", ""):
            args.file = os.path.expanduser(args.file)  # noqa: PTH111 - the shell leaves --file=~/x as it is
        elif "file" in args and _names_a_file(environ):
            needed.add("PRICE_FILE")
        if needed - environ.keys():
            _report_settings_file(environ)
        if getattr(args, "file", "") is None:
            args.file = _log_named_in_a_file(environ)
        status: int = args.run(args, environ, now)
    except SettingsError as error:
        for fault in error.faults:
            _complain(fault)
        return BAD_SETTINGS
    except PriceError as error:
        _complain(str(error))
        return NO
    except ModuleNotFoundError as error:
        _complain(f"this Python has no {error.name}: type `make run`, or .venv/bin/python main.py ...")
        return NO
    return status


def _names_a_file(environ: Mapping[str, str]) -> bool:
    """Whether there may be a settings file. Most readers have none, and need not load what reads it."""
    named = os.path.expanduser(environ.get("PRICE_ENV", "").strip() or ".env")  # noqa: PTH111 - faster
    return named != os.devnull and os.path.lexists(named)


def _report_settings_file(environ: Mapping[str, str]) -> None:
    """Names what is wrong with the settings file, for commands that go on without it."""
    from price import settings  # loading it takes as long as an hour of rows

    for fault in settings.file_faults(environ):
        _complain(f"{fault}; what needs no settings goes on without it")


def _log_named_in_a_file(environ: Mapping[str, str]) -> str | None:
    """The log that settings name, for commands that need no other one; None where none is named."""
    log = environ.get("PRICE_FILE", "")
    if not _names_a_file(environ) and log == log.strip() and not log.startswith("~"):
        return None
    from price import settings

    return str(settings.log_path(environ))


def _let_go(stream: TextIO) -> None:
    """Has what nobody takes any more not fail at exit."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _complain(text: str) -> None:
    with suppress(OSError):  # whoever does not listen may still look at the exit status
        sys.stderr.write(f"price: {one_line(text)}\n")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a command line in one line, whatever stands in it."""

    def error(self, message: str) -> NoReturn:
        super().error(one_line(message))


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal. Told the width, argparse need not import shutil for it: 3 ms."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=_WIDTH)


def _width() -> int:
    try:
        return max(60, min(os.get_terminal_size(1).columns, 110) - 2)
    except (OSError, ValueError):
        return 98


_WIDTH = _width()


def parser(arguments: Sequence[str], *, every_option: bool = False) -> argparse.ArgumentParser:
    """What parses a command line. Only the command that is called is imported, for its options.

    With `every_option` all are imported: for what is made from the whole command line, such as completion.
    """
    called = next((word for word in arguments if not word.startswith("-")), "")
    listed = [command for command in COMMANDS if command.name in arguments[:1]] or COMMANDS
    whole: argparse.ArgumentParser = _Parser(
        prog="price",
        description="Records cryptocurrency prices as logs, and accounts for every slot.",
        epilog="Settings: see env.example. Without a network: PRICE_SOURCES=simulated price run",
        formatter_class=_Help,
    )
    whole.add_argument("--version", action="version", version=f"price {__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in listed:  # all twelve would take a tenth of the time in which an hour is read
        one = commands.add_parser(
            command.name,
            help=command.does,
            description=f"{command.name}: {command.does}.",
            epilog="\n  ".join(("example:", *command.examples.split("\n"))),
            formatter_class=_Help,
        )
        if every_option or command.name == called:
            module, _, function = (command.place or f"price.commands:{command.name}").partition(":")
            room = import_module(module)
            if add_options := getattr(room, f"{function}_options", None):
                add_options(one)
            one.set_defaults(run=getattr(room, function), fail=one.error, settings=command.settings)
    return whole
