"""The commands. Each imports its room only when it is called, so that reading never loads the recorder."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import NoReturn, TextIO

from price import __version__
from price.backfill import options as repair_options
from price.errors import PriceError, SettingsError
from price.optional import missing
from price.report import options
from price.text import escaped, one_line

OK, NO, BAD_SETTINGS, INTERRUPTED = 0, 1, 78, 130


def main(arguments: Sequence[str], environ: Mapping[str, str], now: datetime) -> int:
    """Runs a command; gives the exit status: 0 done, 1 the answer is no, 78 bad settings (2: argparse)."""
    _fill_streams()
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
    args = _parser().parse_args(arguments or ["run"])
    try:
        if getattr(args, "file", "") is None:
            args.file = _log_named_in_a_file(environ)
        elif getattr(args, "file", ""):
            args.file = os.path.expanduser(args.file)  # noqa: PTH111 - the shell leaves --file=~/x as it is
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


def _log_named_in_a_file(environ: Mapping[str, str]) -> str | None:
    """The log that settings name, for commands that need no other one; None where none is named."""
    named = os.path.expanduser(environ.get("PRICE_ENV", "").strip() or ".env")  # noqa: PTH111 - faster
    in_file = named != os.devnull and os.path.lexists(named)
    log = environ.get("PRICE_FILE", "")
    if not in_file and log == log.strip() and not log.startswith("~"):
        return None
    from price import settings  # most readers need none, and loading it takes as long as an hour of rows

    if "PRICE_FILE" not in environ:
        for fault in settings.file_faults(environ):
            _complain(f"{fault}; going on without it")
    return str(settings.log_path(environ))


def _fill_streams() -> None:
    """Has a stream that was closed before the start take what is said all the same."""
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def _let_go(stream: TextIO) -> None:
    """Has what nobody takes any more not fail at exit."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _complain(text: str) -> None:
    with suppress(OSError):  # whoever does not listen may still look at the exit status
        sys.stderr.write(f"price: {one_line(text)}\n")


def _say(text: str) -> None:
    sys.stdout.write(f"{escaped(text)}\n")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a command line in one line, whatever stands in it."""

    def error(self, message: str) -> NoReturn:
        super().error(one_line(message))


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = _Parser(
        prog="price",
        description="Records cryptocurrency prices as logs, and accounts for every slot.",
        epilog="Settings: see env.example. Without a network: PRICE_SOURCES=simulated price run",
        formatter_class=options.Help,
    )
    parser.add_argument("--version", action="version", version=f"price {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, run: options.Run, does: str, example: str) -> argparse.ArgumentParser:
        command = commands.add_parser(
            name,
            help=does,
            description=f"{name}: {does}.",
            epilog=f"example:\n  {example}",
            formatter_class=options.Help,
        )
        command.set_defaults(run=run)
        return command

    add("run", _run, "records until it is stopped (the default)", "PRICE_PAIRS=BTC-USD,ETH-USD price run")
    add("once", _once, "asks now and prints the rows; writes nothing", "PRICE_SOURCES=kraken price once")
    add("check", _check, "checks the settings, the plan and each source", "PRICE_INTERVAL=1 price check")
    status = add("status", _status, "shows the running recorder at a glance", "price status --json")
    status.add_argument("--json", action="store_true", help="the whole status as one JSON object")
    metrics = add(
        *("metrics", _metrics, "prints status.json as metrics, or serves them to Prometheus"),
        "price metrics --listen 127.0.0.1:17280",
    )
    metrics.add_argument("--listen", metavar="ADDRESS:PORT", help="answer scrapes there until stopped")
    alerts = add(
        *("alerts", _alerts, "replays rules over the log; follows their changes"),
        "price alerts --rule 'BTC-USD moves 5% in 1h' --since 30d",
    )
    options.add_range(alerts)
    options.add_format(alerts)
    rule = "a rule in place of those of PRICE_ALERTS; repeatable, needs no settings"
    alerts.add_argument("--rule", action="append", default=[], metavar="TEXT", help=rule)
    alerts.add_argument("--follow", action="store_true", help="hand changes to --run, until stopped")
    alerts.add_argument("--run", dest="program", metavar="PROGRAM", help="it gets a line a change on stdin")
    places = "where --follow finds changes (default journal)"
    alerts.add_argument("--from", dest="place", choices=("journal", "state"), default="journal", help=places)
    alerts.add_argument("--unit", default="price.service", help="the recorder's unit (default price.service)")
    alerts.set_defaults(fail=alerts.error)
    options.add_commands(commands)
    repaired = "fills missed slots from the journal, exchanges or another log, into repairs.txt"
    repair_options.add_options(add("repair", _repair, repaired, repair_options.EXAMPLES.strip()))
    return parser


def _run(_args: argparse.Namespace, environ: Mapping[str, str], _now: datetime) -> int:
    from price import host
    from price.recorder.clock import Signal, SystemClock

    host.fill_streams()
    clock = SystemClock()
    host.on_signals(partial(clock.post, Signal.STOP), partial(clock.post, Signal.RELOAD), clock.wakeup)
    from price.recorder.app import App  # loading takes its time: a reload asked for meanwhile must not kill

    return App(environ, clock).run()


def _once(_args: argparse.Namespace, environ: Mapping[str, str], _now: datetime) -> int:
    from price import settings
    from price.recorder import once
    from price.recorder.clock import SystemClock

    return once.once(settings.load(environ), SystemClock(), _say)


def _check(_args: argparse.Namespace, environ: Mapping[str, str], _now: datetime) -> int:
    from price import settings
    from price.recorder import once
    from price.recorder.clock import SystemClock

    return once.check(settings.load(environ), SystemClock(), _say)


def _repair(args: argparse.Namespace, environ: Mapping[str, str], now: datetime) -> int:
    from price.backfill.command import run
    from price.recorder.clock import SystemClock

    return run(args, environ, now, SystemClock())


def _alerts(args: argparse.Namespace, environ: Mapping[str, str], now: datetime) -> int:
    if args.follow:
        return _follow(args, environ)
    from price.report import alerts

    if args.rule:
        return alerts.run(args, environ, now, ())
    from price import settings

    wanted = settings.load(environ)
    args.file = args.file or str(wanted.file)
    return alerts.run(args, environ, now, wanted.alert_rules)


def _follow(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    if not args.program:
        args.fail("--follow needs --run PROGRAM: deploy/on-alert.sample is one")
    from pathlib import Path

    from price import settings
    from price.alerts import follow, waiting
    from price.recorder.clock import SystemClock

    clock, run = SystemClock(), follow.runner(args.program, environ)
    changes: waiting.Changes = (
        waiting.StateChanges(settings.value_of(environ, "PRICE_STATE"))
        if args.place == "state"
        else waiting.JournalChanges(args.unit)
    )
    path = Path(environ.get("STATE_DIRECTORY", "").partition(":")[0] or "logs") / "alerts-position.json"
    follower = follow.Follower(changes, run, path, _say)
    while True:
        clock.wait(clock.monotonic() + follower.step())


def _metrics(args: argparse.Namespace, environ: Mapping[str, str], _now: datetime) -> int:
    from price import settings
    from price.recorder.clock import SystemClock

    try:
        from price import metrics
    except ModuleNotFoundError as error:
        raise PriceError(missing("metrics", error.name)) from error
    path, clock = settings.status_path(environ), SystemClock()
    if args.listen:
        return metrics.serve(path, clock.now, args.listen, _say)
    return metrics.print_once(path, clock.now, _say)


def _status(args: argparse.Namespace, environ: Mapping[str, str], _now: datetime) -> int:
    from price import settings
    from price.recorder.clock import SystemClock
    from price.recorder.show_status import show_status

    return show_status(settings.status_path(environ), args.json, SystemClock().now, _say)
