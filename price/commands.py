"""The commands that put several rooms together: a function each, and before it the options that it has.

Each imports what it calls: so that `--help` needs no libraries, and no command waits for those of another.
"""

import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

from price import host
from price.clock import Signal, SystemClock
from price.optional import needed_by
from price.text import print_line

Environ = Mapping[str, str]
_FILE = "the log (default $PRICE_FILE, else logs/prices.txt)"


def run_options(parser: ArgumentParser) -> None:
    """What a supervisor alone uses."""
    parser.add_argument("--end-with-stdin", action="store_true", help=SUPPRESS)


def run(args: Namespace, environ: Environ, _now: datetime) -> int:
    """Records until it is stopped."""
    clock = SystemClock()
    clock.heed_signals()
    if args.end_with_stdin:
        host.on_stdin_end(partial(clock.post, Signal.STOP))
    from price.recorder.app import App  # loading takes its time: a reload asked for meanwhile must not kill

    return App(environ, clock).run()


def once(_args: Namespace, environ: Environ, _now: datetime) -> int:
    """Asks now and prints the rows of the slot that has just begun; 0 if every pair has a price, else 1."""
    from price import settings
    from price.recorder import once

    return once.once(settings.load(environ), SystemClock(), print_line)


def check(_args: Namespace, environ: Environ, _now: datetime) -> int:
    """Checks the settings, the plan and each source; 0 if each source answers well, else 1."""
    from price import settings
    from price.recorder import once

    return once.check(settings.load(environ), SystemClock(), print_line)


def status_options(parser: ArgumentParser) -> None:
    """The form of the answer."""
    parser.add_argument("--json", action="store_true", help="the whole status as one JSON object")


def status(args: Namespace, environ: Environ, _now: datetime) -> int:
    """Shows the running recorder and its followers; 0 if the recorder records, else 1."""
    from price import settings
    from price.follow.status import lines
    from price.recorder.show_status import show_status

    path, clock = settings.status_path(environ), SystemClock()
    result = show_status(path, args.json, clock.now, print_line)
    followers = [] if args.json else lines(path, clock.now())
    for line in ["", *followers] if followers else []:
        print_line(line)
    return result


def supervise_options(parser: ArgumentParser) -> None:
    """Which service to watch."""
    service = "watch this Windows service, or one by NSSM, in place of a recorder of its own"
    parser.add_argument("--service", metavar="NAME", help=service)


def supervise(args: Namespace, environ: Environ, _now: datetime) -> int:
    """Starts a recorder as this process was started: main.py, -m price, a price.exe; and supervises it."""
    if args.service is not None and not args.service.strip():
        args.fail("--service needs the name of a service; `sc query` lists them")
    clock = SystemClock()
    clock.heed_signals()
    ours = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]
    command = [sys.executable, *ours, "run", "--end-with-stdin"]
    with needed_by("supervise"):
        from price.supervise.app import supervise

        return supervise(environ, clock, command, args.service)  # its first child imports more, on Windows


def metrics_options(parser: ArgumentParser) -> None:
    """Where to serve."""
    parser.add_argument("--listen", metavar="ADDRESS:PORT", help="answer scrapes there until stopped")


def metrics(args: Namespace, environ: Environ, _now: datetime) -> int:
    """Prints the metrics once, or serves them until it is stopped."""
    from price import settings

    with needed_by("metrics"):
        from price import metrics
    path, clock = settings.status_path(environ), SystemClock()
    if args.listen:
        return metrics.serve(path, clock.now, args.listen, print_line)
    return metrics.print_once(path, clock.now, print_line)


def web_options(parser: ArgumentParser) -> None:
    """What is shown, and for how long."""
    parser.add_argument("--file", metavar="PATH", help=_FILE)
    idle = "end when nobody has asked for so long (default never)"
    parser.add_argument("--idle", type=float, default=0, metavar="SECONDS", help=idle)


def web(args: Namespace, environ: Environ, _now: datetime) -> int:
    """Serves the page until it is stopped."""
    if not args.idle >= 0:
        args.fail("--idle must be 0 or more seconds, for example 900")
    with needed_by("web"):
        from price.web import serve
    clock = SystemClock()
    return serve.run(args, environ, clock.now, clock.monotonic, print_line)


def repair_options(parser: ArgumentParser) -> None:
    """What is repaired, and from where."""
    from price.report.options import add_range

    add_range(parser)
    provider = (
        "journal (journal:FOLDER for a copied one, journal:FILE for its lines as JSON), exchange (the"
        " candles of PRICE_SOURCES), or another recorder's log"
    )
    parser.add_argument("--from", dest="provider", metavar="SOURCE", help=provider)
    unit = "whose journal entries are believed (default %(default)s)"
    parser.add_argument("--unit", default="price.service", help=unit)


def repair(args: Namespace, environ: Environ, now: datetime) -> int:
    """Fills missed slots; prints what was filled and what stays missing."""
    from price.backfill import command

    return command.run(args, environ, now, SystemClock())


def alerts_options(parser: ArgumentParser) -> None:
    """A range and rules for a replay; a place and a program for following."""
    from price.report import options

    options.add_range(parser)
    options.add_format(parser)
    rule = "a rule in place of those of PRICE_ALERTS; repeatable, needs no settings"
    parser.add_argument("--rule", action="append", default=[], metavar="TEXT", help=rule)
    parser.add_argument("--follow", action="store_true", help="hand changes to --run, until stopped")
    parser.add_argument("--run", dest="program", metavar="PROGRAM", help="it gets a line a change on stdin")
    places = "where --follow finds changes (default journal)"
    parser.add_argument("--from", dest="place", choices=("journal", "state"), default="journal", help=places)
    parser.add_argument("--unit", default="price.service", help="the recorder's unit (default price.service)")


def alerts(args: Namespace, environ: Environ, now: datetime) -> int:
    """Prints what rules would have reported in the range, or hands on what the recorder's own report."""
    if args.follow:
        return _follow_alerts(args, environ)
    from price import settings
    from price.report import alerts

    if args.rule:
        return alerts.run(args, environ, now, ())
    wanted = settings.load(environ)
    args.file = args.file or str(wanted.file)
    return alerts.run(args, environ, now, wanted.alert_rules)


def _follow_alerts(args: Namespace, environ: Environ) -> int:
    if not args.program:
        args.fail("--follow needs --run PROGRAM, which gets a line for each change on stdin")
    from price import settings
    from price.alerts import follow, waiting

    clock, runner = SystemClock(), follow.runner(args.program, environ)
    changes = (
        waiting.StateChanges(settings.value_of(environ, "PRICE_STATE"))
        if args.place == "state"
        else waiting.JournalChanges(args.unit)
    )
    path = Path(host.named_folder(environ, "STATE_DIRECTORY")) / "alerts-position.json"
    follower = follow.Follower(changes, runner, path, print_line)
    while True:
        clock.wait(clock.monotonic() + follower.step())
