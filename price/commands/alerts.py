"""`price alerts`: rules replayed over the log, or the changes of the recorder's own followed."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from price import host, settings
from price.report import options
from price.text import print_line


def add_options(parser: ArgumentParser) -> None:
    """Adds the options of the command."""
    options.add_range(parser)
    options.add_format(parser)
    rule = "a rule in place of those of PRICE_ALERTS; repeatable, needs no settings"
    parser.add_argument("--rule", action="append", default=[], metavar="TEXT", help=rule)
    parser.add_argument("--follow", action="store_true", help="hand changes to --run, until stopped")
    parser.add_argument("--run", dest="program", metavar="PROGRAM", help="it gets a line a change on stdin")
    places = "where --follow finds changes (default journal)"
    parser.add_argument("--from", dest="place", choices=("journal", "state"), default="journal", help=places)
    parser.add_argument("--unit", default="price.service", help="the recorder's unit (default price.service)")


def run(args: Namespace, environ: Mapping[str, str], now: datetime) -> int:
    """Prints the changes of the range, or follows new ones until it is stopped. Raises PriceError."""
    if args.follow:
        return _follow(args, environ)
    from price.report import alerts

    if args.rule:
        return alerts.run(args, environ, now, ())
    wanted = settings.load(environ)
    args.file = args.file or str(wanted.file)
    return alerts.run(args, environ, now, wanted.alert_rules)


def _follow(args: Namespace, environ: Mapping[str, str]) -> int:
    if not args.program:
        args.fail("--follow needs --run PROGRAM, which gets a line for each change on stdin")
    from price.alerts import follow, waiting
    from price.clock import SystemClock

    clock, runner = SystemClock(), follow.runner(args.program, environ)
    changes: waiting.Changes = (
        waiting.StateChanges(settings.value_of(environ, "PRICE_STATE"))
        if args.place == "state"
        else waiting.JournalChanges(args.unit)
    )
    path = Path(host.named_folder(environ, "STATE_DIRECTORY")) / "alerts-position.json"
    follower = follow.Follower(changes, runner, path, print_line)
    while True:
        clock.wait(clock.monotonic() + follower.step())
