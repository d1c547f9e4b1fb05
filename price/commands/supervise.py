"""`price supervise`: starts the recorder, and starts it again when it is gone or hangs."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from price import host
from price.clock import Signal, SystemClock
from price.errors import PriceError
from price.host import children
from price.optional import missing


def add_options(parser: ArgumentParser) -> None:
    """Adds the options of the command."""
    service = "watch this Windows service, or one by NSSM, in place of a recorder of its own"
    parser.add_argument("--service", metavar="NAME", help=service)


def run(args: Namespace, environ: Mapping[str, str], _now: datetime) -> int:
    """Supervises until it is stopped. Raises PriceError."""
    if args.service is not None and not args.service.strip():
        args.fail("--service needs the name of a service; `sc query` lists them")
    host.fill_streams()
    clock = SystemClock()
    host.on_signals(partial(clock.post, Signal.STOP), partial(clock.post, Signal.RELOAD), clock.wakeup)
    children.on_child_end(partial(clock.post, None))
    try:
        from price.supervise.app import supervise
    except ModuleNotFoundError as error:
        raise PriceError(missing("supervise", error.name)) from error
    return supervise(environ, clock, recorder_command(), args.service)


def recorder_command() -> Sequence[str]:
    """The command line of a recorder that is started as this process was: main.py, -m price, a price.exe."""
    ours = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]
    return [sys.executable, *ours, "run", *(["--end-with-stdin"] if children.END_WITH_STDIN else [])]
