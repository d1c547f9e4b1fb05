"""`price run`: the recorder, in the foreground."""

from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from price import host
from price.clock import Signal, SystemClock


def add_options(parser: ArgumentParser) -> None:
    """Adds what a supervisor alone uses."""
    parser.add_argument("--end-with-stdin", action="store_true", help=SUPPRESS)


def run(args: Namespace, environ: Mapping[str, str], _now: datetime) -> int:
    """Records until it is stopped."""
    host.fill_streams()
    clock = SystemClock()
    host.on_signals(partial(clock.post, Signal.STOP), partial(clock.post, Signal.RELOAD), clock.wakeup)
    if args.end_with_stdin:
        from price.host import children

        children.on_stdin_end(partial(clock.post, Signal.STOP))
    from price.recorder.app import App  # loading takes its time: a reload asked for meanwhile must not kill

    return App(environ, clock).run()
