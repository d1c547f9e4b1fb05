"""`price repair`: fills missed slots, into repairs.txt."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import datetime

from price.backfill import command
from price.clock import SystemClock
from price.report.options import add_range


def add_options(parser: ArgumentParser) -> None:
    """Adds the options of the command."""
    add_range(parser)
    parser.add_argument(
        "--from",
        dest="provider",
        metavar="SOURCE",
        help="journal (journal:FOLDER for a copied one, journal:FILE for its lines as JSON), exchange (the"
        " candles of PRICE_SOURCES), or another recorder's log",
    )
    parser.add_argument(
        "--unit", default="price.service", help="whose journal entries are believed (default %(default)s)"
    )


def run(args: Namespace, environ: Mapping[str, str], now: datetime) -> int:
    """Prints what was filled and what stays missing. Raises PriceError."""
    return command.run(args, environ, now, SystemClock())
