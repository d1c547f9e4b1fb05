"""Rows and what the recorder knows: a quote becomes a row, and a row a quote. For readers, see row.py."""

from decimal import Decimal

from price import times
from price.log import row
from price.model import Pair, Quote


def write(quote: Quote) -> str:
    """The row of a quote, without its line end. Raises ValueError for a quote that no row can hold."""
    known = row.MISSED if quote.price is None else row.plain(quote.price)
    basis = quote.reason if quote.price is None else ",".join(quote.sources)
    text = f"{times.iso(quote.slot)} {quote.pair} {known} {basis}"
    if quote.slots != 1:
        text += f" slots={quote.slots}"
    if quote.by:
        text += f" by={quote.by}"
    if quote.extras:
        text += f" {quote.extras}"
    row.read(text)
    return text


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
