"""The options of `price repair`. Nothing else is loaded for them: every command passes here."""

from argparse import ArgumentParser

from price.report.options import add_range

EXAMPLES = """
  price repair --from journal
  price repair --from exchange --since 7d
  price repair --from /var/lib/price-b/prices.txt
"""


def add_options(parser: ArgumentParser) -> None:
    """What the command takes."""
    add_range(parser)
    parser.add_argument(
        "--from",
        dest="provider",
        metavar="SOURCE",
        help="journal (journal:FOLDER for a copied one), exchange (the candles of PRICE_SOURCES), or another"
        " recorder's log",
    )
    parser.add_argument(
        "--unit", default="price.service", help="whose journal entries are believed (default %(default)s)"
    )
    parser.set_defaults(fail=parser.error)
