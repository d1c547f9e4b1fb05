"""`price metrics`: status.json as metrics."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import datetime

from price import settings
from price.clock import SystemClock
from price.errors import PriceError
from price.optional import missing
from price.text import print_line

SETTINGS = ("PRICE_STATUS",)


def add_options(parser: ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument("--listen", metavar="ADDRESS:PORT", help="answer scrapes there until stopped")


def run(args: Namespace, environ: Mapping[str, str], _now: datetime) -> int:
    """Prints the metrics once, or serves them until it is stopped. Raises PriceError."""
    try:
        from price import metrics
    except ModuleNotFoundError as error:
        raise PriceError(missing("metrics", error.name)) from error
    path, clock = settings.status_path(environ), SystemClock()
    if args.listen:
        return metrics.serve(path, clock.now, args.listen, print_line)
    return metrics.print_once(path, clock.now, print_line)
