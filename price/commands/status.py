"""`price status`: the running recorder at a glance."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import datetime

from price import settings
from price.recorder.clock import SystemClock
from price.recorder.show_status import show_status
from price.text import print_line


def add_options(parser: ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument("--json", action="store_true", help="the whole status as one JSON object")


def run(args: Namespace, environ: Mapping[str, str], _now: datetime) -> int:
    """Returns 0 if the recorder records, else 1."""
    return show_status(settings.status_path(environ), args.json, SystemClock().now, print_line)
