"""A row as bytes: the form of price/line.py, for those who read millions of rows and change none.

Slots are compared as text: ISO 8601 of one form sorts like time.
"""

import re
from datetime import date
from functools import cache

from price.errors import PriceError

SLOT_BYTES = 20
DAY = 86400
_EPOCH = date(1970, 1, 1).toordinal()
_DAYS = (
    rb"(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8])"
)
_LEAP_YEAR = rb"\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00"
_DATE = rb"(?!0000)(?:\d{4}-(?:%s)|(?:%s)-02-29)" % (_DAYS, _LEAP_YEAR)
_SLOT = rb"%sT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ" % _DATE
_PAIR = rb"[A-Z0-9]{1,20}-[A-Z0-9]{1,20}"
_PRICE = rb"(?!0 )(?:0|[1-9]\d{0,23})(?:\.\d{0,100}[1-9])?"
_SOURCES = rb"[a-z0-9-]+(?:,[a-z0-9-]+)*"
_REASON = rb"[a-z0-9-]+(?::[a-z0-9-]+)?(?:,[a-z0-9-]+(?::[a-z0-9-]+)?)*"
_SLOTS = rb" slots=[1-9]\d{0,9}(?=[ \n])"
_EXTRA = rb" (?!slots=)[a-z][a-z0-9_-]*=[!-~]+"
_ROW = b"%s %s (?:%s %s(?:%s)*|- %s(?:%s)*(?:%s(?:%s)*)?)\n" % (
    *(_SLOT, _PAIR),
    *(_PRICE, _SOURCES, _EXTRA),
    *(_REASON, _EXTRA, _SLOTS, _EXTRA),
)


@cache
def _pattern(name: str) -> re.Pattern[bytes]:
    """A pattern, made when it is first needed: most questions need one, and each costs half a millisecond."""
    # possessive (+), so that a bad row fails without a second try
    return re.compile(
        {
            "pair": _PAIR,
            "price": _PRICE.replace(b"(?!0 )", b"(?!0$)"),
            "row": _ROW,
            "rows": b"(?:%s)*+" % _ROW,
        }[name]
    )


def sound(rows: bytes) -> bytes:
    """Those lines of `rows` that are well-formed rows. One match over a whole block costs least."""
    if _pattern("rows").fullmatch(rows):
        return rows
    return b"".join(line for line in lines(rows) if is_sound(line))


def lines(rows: bytes) -> list[bytes]:
    """Whole lines, each with its line end; splitlines() would end them at a carriage return too."""
    return [line + b"\n" for line in rows.split(b"\n")[:-1]]


def is_price(text: bytes) -> bool:
    """Whether a text is a price as written in the log."""
    return _pattern("price").fullmatch(text) is not None


def is_pair(text: bytes) -> bool:
    """Whether a text is a pair as written in the log."""
    return _pattern("pair").fullmatch(text) is not None


def is_sound(line: bytes) -> bool:
    """Whether a line is a well-formed row."""
    return _pattern("row").fullmatch(line) is not None


def every_of(line: bytes) -> int | None:
    """The interval in seconds that a header line gives; None for any other line."""
    digits = line.rstrip(b"\n").removeprefix(b"# price-log 1 every=").removesuffix(b"s")
    known = digits.isdigit() and digits[:1] != b"0" and len(digits) < 5
    return int(digits) if known and line.startswith(b"# price-log 1 every=%bs" % digits) else None


@cache
def _midnight(day: bytes) -> int:
    try:
        return (date.fromisoformat(day.decode("ascii")).toordinal() - _EPOCH) * DAY
    except ValueError as error:
        raise PriceError(f"{day.decode('latin-1')!a} is no date: run `price verify`") from error


def unix_of(slot: bytes) -> int:
    """The Unix time of a slot. Raises PriceError where the calendar has no such day."""
    try:
        hour, minute, second = int(slot[11:13]), int(slot[14:16]), int(slot[17:19])
    except ValueError as error:
        raise PriceError(f"{slot[11:20].decode('latin-1')!a} is no time: run `price verify`") from error
    return _midnight(slot[:10]) + hour * 3600 + minute * 60 + second


@cache
def _date(day: int) -> str:
    try:
        return date.fromordinal(day + _EPOCH).isoformat()
    except (ValueError, OverflowError) as error:
        raise PriceError(f"day {day} is outside the calendar: run `price verify`") from error


_TWO = [f"{number:02d}" for number in range(60)]
"""A table is three times as fast as formatting."""


def text_of(unix: int) -> str:
    """The text of the slot at a Unix time. Raises PriceError outside the years 1 to 9999."""
    minute, second = divmod(unix % DAY, 60)
    return f"{_date(unix // DAY)}T{_TWO[minute // 60]}:{_TWO[minute % 60]}:{_TWO[second]}Z"


def slot_of(unix: int) -> bytes:
    """The same as it stands in a row."""
    return text_of(unix).encode("ascii")


def pair_of(row: bytes) -> bytes:
    """The pair of a row."""
    return row[SLOT_BYTES + 1 : row.index(b" ", SLOT_BYTES + 1)]


def missed(row: bytes) -> bool:
    """Whether a row has no price."""
    return b" - " in row


def slots_of(row: bytes) -> int:
    """How many slots a row stands for."""
    at = row.find(b" slots=")
    return int(row[at + 7 :].split(b" ", 1)[0]) if at >= 0 else 1


def cut(row: bytes, slot: int, slots: int) -> bytes:
    """The part of a missed row, `slots` slots long, that begins at the Unix time `slot`."""
    _, pair, dash, reason, *extras = row.rstrip(b"\n").split(b" ")
    kept = [extra for extra in extras if not extra.startswith(b"slots=")]
    count = [b"slots=%d" % slots] if slots > 1 else []
    return b" ".join([slot_of(slot), pair, dash, reason, *count, *kept]) + b"\n"


def next_multiple(unix: int, every: int) -> int:
    """The first slot after a Unix time."""
    return (unix // every + 1) * every


def offset_of(rows: bytes, slot: bytes, low: int = 0) -> int:
    """Where, from `low` on, the first of sorted rows at or after `slot` begins; else their length."""
    high = len(rows)
    while low < high:
        start = rows.rfind(b"\n", low, (low + high) // 2) + 1 or low
        if rows[start : start + SLOT_BYTES] < slot:
            low = rows.index(b"\n", start) + 1
        else:
            high = start
    return low


def last_slot(rows: bytes) -> bytes:
    """The slot of the last of some rows."""
    start = rows.rfind(b"\n", 0, len(rows) - 1) + 1
    return rows[start : start + SLOT_BYTES]
