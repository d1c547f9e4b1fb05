"""`price status`: the running recorder at a glance."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import datetime

from price import settings
from price.clock import SystemClock
from price.follow.status import lines
from price.recorder.show_status import show_status
from price.text import print_line

SETTINGS = ("PRICE_STATUS",)


def add_options(parser: ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument("--json", action="store_true", help="the whole status as one JSON object")


def run(args: Namespace, environ: Mapping[str, str], _now: datetime) -> int:
    """Returns 0 if the recorder records, else 1."""
    path, clock = settings.status_path(environ), SystemClock()
    status = show_status(path, args.json, clock.now, print_line)
    followers = [] if args.json else lines(path, clock.now())
    for line in ["", *followers] if followers else []:
        print_line(line)
    return status
