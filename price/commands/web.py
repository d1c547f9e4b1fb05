"""`price web`: a page to look at."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import datetime

from price.clock import SystemClock
from price.errors import PriceError
from price.optional import missing
from price.text import print_line

SETTINGS = ("PRICE_STATUS", "PRICE_WEB_LISTEN", "PRICE_WEB_HOSTS")


def add_options(parser: ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument("--file", metavar="PATH", help="the log (default $PRICE_FILE, else logs/prices.txt)")
    idle = "end when nobody has asked for so long (default never)"
    parser.add_argument("--idle", type=float, default=0, metavar="SECONDS", help=idle)


def run(args: Namespace, environ: Mapping[str, str], _now: datetime) -> int:
    """Serves the page until it is stopped. Raises PriceError."""
    try:
        from price.web import serve
    except ModuleNotFoundError as error:
        raise PriceError(missing("web", error.name)) from error
    clock = SystemClock()
    return serve.run(args, environ, clock.now, clock.monotonic, print_line)
