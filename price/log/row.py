"""The form of a row and of a header line: the only place that knows it.

Readers handle millions of rows, so a row is a plain tuple of its five texts, found by one `findall` for
each block of lines. Slots are compared as text: ISO 8601 of one form sorts like time.

    for slot, pair, price, basis, extras in ...:     # price is "-" where the slot was missed

`basis` is column 4 (sources or reason); `extras` is what follows it, as it stands there: "" or
` slots=211 by=journal`, with its leading blank, whatever keys a later version adds.
Most answers need no Decimal and no Quote, whose import costs more than they do.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from price import times

if TYPE_CHECKING:
    from decimal import Decimal

    from price.model import Pair, Quote

Row = tuple[str, str, str, str, str]
"""Slot, pair, price, basis, extras."""
MISSED = "-"
"""What stands in the place of a price."""
SLOT_LENGTH = 20
HEADER_START = "# price-log "
HEADER_BEGIN = f"{HEADER_START}1 every="
"""The same of this version."""
_HEADER = rf"{HEADER_BEGIN}([1-9]\d{{0,3}})s((?: [!-~]+)*)"
_SIMULATED = "simulated"

_LEAP_YEAR = r"(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DAY_OF_YEAR = (  # days 1 to 28 first: they are in every month
    r"(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31"
    rf"|02-29(?<={_LEAP_YEAR}-02-29)"
)
_DATE = rf"(?!0000)\d{{4}}-(?:{_DAY_OF_YEAR})"
_SLOT = rf"{_DATE}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ"
_PAIR = r"[A-Z0-9]{1,20}+-[A-Z0-9]{1,20}+"
# no source may have more digits; the mean of two prices can have one more after the point
_PRICE = r"(?:[1-9]\d{0,23}+|0(?=\.))(?:\.\d{1,101}+(?<!0))?+"
_SOURCES = r"[a-z0-9-]++(?:,[a-z0-9-]++)*+"
_WORD = r"[a-z0-9-]++(?::[a-z0-9-]++)?"
_REASON = rf"{_WORD}(?:,{_WORD})*+"
_EXTRA = r"[a-z][a-z0-9_-]*+=[!-~]++"
# column 4 looks back at column 3: only where no price was known it may be more than sources
_BASIS = rf"{_SOURCES}|(?<=- ){_REASON}"
_ROW = rf"^({_SLOT}) ({_PAIR}) ({_PRICE}|-) ({_BASIS})((?: {_EXTRA})*+)\n"


class Header(NamedTuple):
    """What the first line of a file states; it stands again where the interval changes."""

    every: int
    """Seconds from slot to slot."""
    simulated: bool
    """Whether the prices are made up."""


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """A pattern, made when it is first needed: each costs up to a millisecond."""
    return re.compile(text, re.ASCII | re.MULTILINE)


def find(lines: str) -> list[Row]:
    """The rows in some lines, each of which ends in a line end; what is no row is left out.

    Whether anything was left out is known by comparing the number of rows with the number of line ends.
    """
    rows: list[Row] = _pattern(_ROW).findall(lines)
    return rows if " slots=" not in lines else [row for row in rows if not row[4] or _counts(row)]


def read(line: str) -> Row:
    """The row of a line, without its line end. Raises ValueError saying what is wrong with it."""
    columns = line.split(" ")
    if len(columns) < 4:
        raise ValueError(f"a row has at least 4 columns, this one {len(columns)}")
    slot, pair, price, basis, *extras = columns
    if not is_slot(slot):
        like_one = _fits(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", slot)
        what = "a day or a time that no calendar has" if like_one else "not a slot"
        raise ValueError(f"column 1 is {what}: {slot[:40]!r}")
    if not is_pair(pair):
        raise ValueError(f"column 2 is not a pair: {pair[:40]!r}")
    if price != MISSED and not _fits(_PRICE, price):
        raise ValueError(f"column 3 is not a price: {price[:40]!r}")
    if not _fits(_REASON if price == MISSED else _SOURCES, basis):
        raise ValueError(f"column 4 names no {'reason' if price == MISSED else 'sources'}: {basis[:40]!r}")
    for extra in extras:
        if not _fits(_EXTRA, extra):
            raise ValueError(f"not key=value: {extra[:40]!r}")
    row = (slot, pair, price, basis, "".join(f" {extra}" for extra in extras))
    if not _counts(row):
        raise ValueError(f"slots= stands once, for missed slots in a row: {row[4][:40]!r}")
    return row


def text(row: Row) -> str:
    """A row as it stands in the file, without its line end."""
    return " ".join(row[:4]) + row[4]


def is_pair(text: str) -> bool:
    """Whether a text is a pair as written in the log."""
    return _fits(_PAIR, text)


def is_slot(text: str) -> bool:
    """Whether a text is a slot as written in the log."""
    return _fits(_SLOT, text)


def _fits(part: str, text: str) -> bool:
    return _pattern(part).fullmatch(text) is not None


def _counts(row: Row) -> bool:
    """Whether `slots=` stands at most once in a row, and only behind missed slots."""
    counts = [word[6:] for word in row[4].split(" ") if word.startswith("slots=")]
    return not counts or (len(counts) == 1 and row[2] == MISSED and _fits(r"[1-9]\d{0,9}", counts[0]))


def extras(row: Row) -> dict[str, str]:
    """Every `key=value` of a row, in its order; of a key that stands twice, the first."""
    found: dict[str, str] = {}
    for word in row[4].split(" ")[1:]:
        key, _, value = word.partition("=")
        found.setdefault(key, value)
    return found


def slots(row: Row) -> int:
    """How many slots a row stands for."""
    return int(extras(row).get("slots", "1")) if row[4] else 1


def cut(row: Row, unix: int, count: int) -> Row:
    """The part of a missed row, `count` slots long, that begins at a Unix time."""
    rest = "".join(f" {word}" for word in row[4].split(" ")[1:] if not word.startswith("slots="))
    return (times.slot_text(unix), row[1], row[2], row[3], (f" slots={count}" if count > 1 else "") + rest)


def plain(price: "Decimal") -> str:
    """A price as written in the log: every digit, no exponent, no trailing zeros after the point."""
    text = str(price)
    if "E" in text:  # format alone would do, at twice the price
        text = format(price, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def write(quote: "Quote") -> str:
    """The row of a quote, without its line end. Raises ValueError for a quote that no row can hold."""
    known = MISSED if quote.price is None else plain(quote.price)
    basis = quote.reason if quote.price is None else ",".join(quote.sources)
    slots, by = f"slots={quote.slots}" if quote.slots != 1 else "", f"by={quote.by}" if quote.by else ""
    extras = filter(None, (slots, by, quote.extras))
    text = " ".join((times.iso(quote.slot), str(quote.pair), known, basis, *extras))
    read(text)
    return text


def quote_of(row: Row) -> "Quote":
    """The quote of a row."""
    from decimal import Decimal

    from price.model import Quote

    slot, pair, price, basis, _ = row
    known = extras(row)
    missed = price == MISSED
    return Quote(
        slot=times.parse_iso(slot),
        pair=read_pair(pair),
        price=None if missed else Decimal(price),
        sources=() if missed else tuple(basis.split(",")),
        reason=basis if missed else "",
        slots=int(known.pop("slots", "1")),
        by=known.pop("by", ""),
        extras=" ".join(f"{key}={value}" for key, value in known.items()),
    )


def read_pair(text: str) -> "Pair":
    """The pair of a text such as BTC-USD. Raises ValueError."""
    from price.model import Pair

    if not is_pair(text):
        raise ValueError(f"column 2 is not a pair: {text[:40]!r}")
    base, _, quote = text.partition("-")
    return Pair(base, quote)


def header_line(every: int, *, simulated: bool = False) -> str:
    """The line that opens a file of slots `every` seconds apart, without its line end."""
    return f"{HEADER_BEGIN}{every}s" + (f" {_SIMULATED}" if simulated else "")


def read_header(line: str) -> Header | None:
    """What a header line states; None for any other line. Words that a later version adds are ignored."""
    match = _pattern(_HEADER).fullmatch(line)
    return Header(int(match[1]), _SIMULATED in match[2].split(" ")) if match else None
