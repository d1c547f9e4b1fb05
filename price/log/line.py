"""One row of prices.txt as text, and back. The only place that knows the format."""

import re
from decimal import Decimal

from price import times
from price.model import Pair, Quote

_HEADER = re.compile(r"# price-log 1 every=([1-9]\d{0,3})s", re.ASCII)
_PAIR = re.compile(r"([A-Z0-9]{1,20})-([A-Z0-9]{1,20})", re.ASCII)
# no source may give more digits; the mean of two prices can have one more after the point
_PRICE = re.compile(r"(?:0|[1-9]\d{0,23})(?:\.\d{0,100}[1-9])?", re.ASCII)
_SLOT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_WORDS = re.compile(r"[a-z0-9-]+(?::[a-z0-9-]+)?(?:,[a-z0-9-]+(?::[a-z0-9-]+)?)*", re.ASCII)
_EXTRA = re.compile(r"([a-z][a-z0-9_-]*)=([!-~]+)", re.ASCII)
_COUNT = re.compile(r"[1-9]\d{0,9}", re.ASCII)


def header(interval: int) -> str:
    """The line that opens a file, and stands again where the interval (in seconds) changes."""
    return f"# price-log 1 every={interval}s"


def read_header(text: str) -> int | None:
    """The interval in seconds that a header line gives; None for any other line."""
    match = _HEADER.fullmatch(text)
    return int(match[1]) if match else None


def plain(price: Decimal) -> str:
    """A price as written in the log: every digit, no exponent, no trailing zeros after the point."""
    text = str(price)
    if "E" in text:  # format alone would do, at twice the price
        text = format(price, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def read_pair(text: str) -> Pair:
    """The pair of a text such as BTC-USD. Raises ValueError."""
    match = _PAIR.fullmatch(text)
    if match is None:
        raise ValueError(f"column 2 is not a pair: {text[:40]!r}")
    return Pair(match[1], match[2])


def write(quote: Quote) -> str:
    """The row of a quote, without its line end. Raises ValueError for a quote that no row can hold."""
    known = "-" if quote.price is None else plain(quote.price)
    basis = quote.reason if quote.price is None else ",".join(quote.sources)
    row = f"{times.iso(quote.slot)} {quote.pair} {known} {basis}"
    if quote.slots != 1:
        row += f" slots={quote.slots}"
    if quote.by:
        row += f" by={quote.by}"
    _check(row)
    return row


def read(text: str) -> Quote:
    """The quote of a row, without its line end. Raises ValueError saying what is wrong with it."""
    slot, pair, price, basis, *extras = _check(text)
    known = dict(extra.split("=", 1) for extra in extras)
    missed = price == "-"
    return Quote(
        slot=times.parse_iso(slot),
        pair=read_pair(pair),
        price=None if missed else Decimal(price),
        sources=() if missed else tuple(basis.split(",")),
        reason=basis if missed else "",
        slots=int(known.get("slots", "1")),
        by=known.get("by", ""),
    )


def _check(text: str) -> list[str]:
    """The columns of a well-formed row. Raises ValueError naming the column that is not."""
    columns = text.split(" ")
    if len(columns) < 4:
        raise ValueError(f"a row has at least 4 columns, this one {len(columns)}")
    slot, pair, price, basis, *extras = columns
    if not _SLOT.fullmatch(slot):
        raise ValueError(f"column 1 is not a slot: {slot[:40]!r}")
    read_pair(pair)
    if price != "-" and (not _PRICE.fullmatch(price) or price == "0"):
        raise ValueError(f"column 3 is not a price: {price[:40]!r}")
    if not _WORDS.fullmatch(basis) or (price != "-" and ":" in basis):
        raise ValueError(f"column 4 names no {'reason' if price == '-' else 'sources'}: {basis[:40]!r}")
    for extra in extras:
        match = _EXTRA.fullmatch(extra)
        if match is None:
            raise ValueError(f"not key=value: {extra[:40]!r}")
        if match[1] == "slots" and (price != "-" or not _COUNT.fullmatch(match[2])):
            raise ValueError(f"slots= stands for missed slots in a row: {extra[:40]!r}")
    if sum(extra.startswith("slots=") for extra in extras) > 1:
        raise ValueError("slots= stands twice")
    return columns
