"""A row becomes a quote, with a Decimal price. For readers, and for the way back, see row.py."""

from decimal import Decimal

from price import times
from price.log import row
from price.model import Pair, Quote


def read(text: str) -> Quote:
    """The quote of a row, without its line end. Raises ValueError saying what is wrong with it."""
    return quote_of(row.read(text))


def quote_of(known: row.Row) -> Quote:
    """The quote of a row."""
    slot, pair, price, basis, _ = known
    extras = row.extras(known)
    missed = price == row.MISSED
    return Quote(
        slot=times.parse_iso(slot),
        pair=read_pair(pair),
        price=None if missed else Decimal(price),
        sources=() if missed else tuple(basis.split(",")),
        reason=basis if missed else "",
        slots=int(extras.pop("slots", "1")),
        by=extras.pop("by", ""),
        extras=" ".join(f"{key}={value}" for key, value in extras.items()),
    )


def read_pair(text: str) -> Pair:
    """The pair of a text such as BTC-USD. Raises ValueError."""
    if not row.is_pair(text):
        raise ValueError(f"column 2 is not a pair: {text[:40]!r}")
    base, _, quote = text.partition("-")
    return Pair(base, quote)
