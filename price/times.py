"""Slots, and times as text. Pure: the time of day is always an argument."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache

from price.errors import PriceError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86400
"""In seconds."""
FIRST_SECOND = -62_135_596_800
"""Of the calendar, in Unix time: no slot is before it."""
LAST_SECOND = 253_402_300_799
"""Of the calendar, in Unix time: a slot of the year 9999 may end beyond it."""
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_TWO = [f"{number:02d}" for number in range(60)]
"""A table is three times as fast as formatting."""
_SECOND = {f"{text}Z": number for number, text in enumerate(_TWO)}
"""By how the slot of a row ends: half the time of reading the number."""
_ISO = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|z|[+-]\d\d:?\d\d)?", re.ASCII)


def unix(moment: datetime) -> int:
    """Whole seconds from the epoch to an aware moment."""
    return (moment - EPOCH) // timedelta(seconds=1)


def from_unix(seconds: int) -> datetime:
    """The UTC moment of whole Unix seconds. Raises ValueError outside the years 1 to 9999."""
    try:
        return EPOCH + timedelta(seconds=seconds)
    except OverflowError as error:
        raise ValueError(f"{seconds} s is outside the calendar") from error


def slot_of(moment: datetime, interval: int) -> datetime:
    """The slot that a moment lies in: the last multiple of `interval` seconds at or before it."""
    return moment - (moment - EPOCH) % timedelta(seconds=interval)


def next_slot(moment: datetime, interval: int) -> datetime:
    """The first slot after a moment, never the moment itself."""
    return slot_of(moment, interval) + timedelta(seconds=interval)


def slots_between(first: datetime, after: datetime, interval: int) -> int:
    """How many slots lie from the slot `first` up to, not including, the slot `after`; at least 0."""
    return max(0, (after - first) // timedelta(seconds=interval))


# Readers handle millions of rows: for them a slot is its text or its Unix time, never a datetime.


@cache
def _midnight(day: str) -> int:
    return (date.fromisoformat(day).toordinal() - _EPOCH_DAY) * DAY


def slot_unix(slot: str) -> int:
    """The Unix time of a slot as written in the log. Raises PriceError for a text that is none."""
    try:
        return _midnight(slot[:10]) + int(slot[11:13]) * 3600 + int(slot[14:16]) * 60 + int(slot[17:19])
    except ValueError as error:
        raise PriceError(f"{slot[:20]!a} is no time: run `price verify`") from error


def slots_unix(slots: Iterable[str]) -> Iterator[int]:
    """The Unix times of the slots of rows: mostly a slot lies in the minute of the one before."""
    minute, base = "", 0
    for slot in slots:
        if slot[:17] != minute:
            minute, base = slot[:17], slot_unix(f"{slot[:17]}00Z")
        yield base + _SECOND[slot[17:]]


@cache
def _date(day: int) -> str:
    try:
        return date.fromordinal(day + _EPOCH_DAY).isoformat()
    except (ValueError, OverflowError) as error:
        raise PriceError(f"day {day} is outside the calendar: run `price verify`") from error


def slot_text(unix: int) -> str:
    """The slot at a Unix time as written in the log. Raises PriceError outside the years 1 to 9999."""
    minute, second = divmod(unix % DAY, 60)
    return f"{_date(unix // DAY)}T{_TWO[minute // 60]}:{_TWO[minute % 60]}:{_TWO[second]}Z"


def next_multiple(unix: int, every: int) -> int:
    """The first slot after a Unix time."""
    return (unix // every + 1) * every


@lru_cache(16)  # the few moments of a slot are written many times
def iso(moment: datetime) -> str:
    """A moment as written in the log: UTC, whole seconds, Z."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat()[:19] + "Z"


def parse_iso(text: str) -> datetime:
    """The moment of an ISO 8601 text with any number of fraction digits; UTC where no offset is given.

    Raises ValueError. Digits after the sixth of a fraction are dropped.
    """
    if not _ISO.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not an ISO 8601 time such as 2026-11-20T15:52:05Z")
    try:
        return _utc(datetime.fromisoformat(text.upper()))
    except OverflowError as error:
        raise ValueError(f"{text[:40]!r} is outside the calendar") from error


def _utc(moment: datetime) -> datetime:
    """A moment in UTC; where it names no offset, it is meant so."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_length(text: str) -> int:
    """The seconds of a length such as 90s, 15m, 2h or 7d. Raises ValueError."""
    digits, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{text[:40]!r} is not a length such as 90s, 15m, 2h or 7d")
    if len(digits) > 9:
        raise ValueError(f"{text[:40]!r} is too long")
    return int(digits) * _UNITS[unit]


def parse_when(text: str, now: datetime) -> datetime:
    """The UTC moment that people mean: ISO 8601, `90s` `15m` `2h` `7d` (ago), `today`, `yesterday`, `now`.

    A date alone is its midnight; UTC where no offset is given. Raises ValueError.
    """
    word = text.strip().lower()
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    named = {"now": now.astimezone(UTC), "today": midnight, "yesterday": midnight - timedelta(days=1)}
    if word in named:
        return named[word]
    ago = word.removesuffix(" ago")
    try:
        if ago[-1:] in _UNITS and ago[:-1].isdigit():
            return named["now"] - timedelta(seconds=parse_length(ago))
        return _utc(datetime.fromisoformat(word.upper()))
    except OverflowError:
        raise ValueError(f"{text[:40]!r} is outside the calendar") from None
    except ValueError:
        raise ValueError(
            f"{text[:40]!r} is no time: one is 2026-11-20T15:52:05Z, 2026-11-20, 90s, 15m, 2h, 7d (ago), "
            "today, yesterday or now"
        ) from None


def span(seconds: float) -> str:
    """A length of time for people: 4 s, 3 min, 2.5 h, 3 days."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.1f}".removesuffix(".0") + " s"
