"""What is asked over the wire and what came back, as values; and how strictly an answer is read."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import MAXYEAR, UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from price.errors import Unreadable
from price.model import Pair

LANES = 4
"""How many requests of one source may be waited for in threads at once."""
REDIRECTS = (301, 302, 303, 307, 308)
MAX_PRICE = Decimal(10) ** 24
MAX_DIGITS = 50
MAX_PLACES = 100
MAX_NUMBER_TEXT = 400
MAX_VALUES = 100_000
MAX_WIDE_BYTES = 1024 * 1024
_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?|\.\d+(?:[eE][+-]?\d{1,3})?", re.ASCII)
_AGE = re.compile(r"[0-9]{1,7}")


class Request(NamedTuple):
    """One GET: a path with its query, below the source's host, and the pairs it asks about."""

    path: str
    pairs: tuple[Pair, ...]
    weight: int = 1


class Answer(NamedTuple):
    """One complete HTTP answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Fetch = Callable[[Request, float], Answer]
"""Gets the answer to a request before a deadline in monotonic seconds. Raises SourceError."""


def read_json(body: bytes) -> Any:
    """The value of a JSON text, read strictly. Raises Unreadable.

    Refused: other encodings than UTF-8, a byte order mark, NaN and Infinity, names given twice,
    nesting beyond the interpreter's depth, numbers of over 400 characters, more values than any exchange
    needs (each megabyte of such takes thirty in memory), and long bodies that are not ASCII (each megabyte of
    such takes five). Fractions become Decimal.
    """
    if len(body) > MAX_WIDE_BYTES and not body.isascii():
        raise Unreadable(f"JSON of over {MAX_WIDE_BYTES} bytes that is not ASCII")
    if sum(map(body.count, b",:[{")) > MAX_VALUES:
        raise Unreadable(f"JSON of over {MAX_VALUES} values")
    try:
        return _STRICT.decode(body.decode("utf-8"))
    except RecursionError:
        raise Unreadable("JSON nested too deeply") from None
    except (ValueError, InvalidOperation) as error:
        raise Unreadable(f"not JSON: {excerpt(str(error))}; it begins {excerpt(body)}") from error


def _decimal(text: str) -> Decimal:
    return Decimal(_short(text))


def _integer(text: str) -> int:
    return int(_short(text))


def _short(text: str) -> str:
    if len(text) > MAX_NUMBER_TEXT:
        raise ValueError(f"a number of {len(text)} characters")
    return text


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON number")


def _once_each(items: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(items)
    if len(found) != len(items):
        raise ValueError("a name stands twice in one object")
    return found


_STRICT = json.JSONDecoder(
    parse_float=_decimal,
    parse_int=_integer,
    parse_constant=_refuse_constant,
    object_pairs_hook=_once_each,
)


def read_price(raw: object) -> Decimal:
    """A price from JSON: a string, an integer or a Decimal. Raises ValueError if it cannot be one.

    A price is above 0, below 10^24, of at most 50 significant digits and 100 decimal places.
    """
    if isinstance(raw, str):
        if len(raw) > MAX_NUMBER_TEXT or not _NUMBER.fullmatch(raw):
            raise ValueError(f"not a price: {shown(raw)}")
    elif isinstance(raw, bool) or not isinstance(raw, (int, Decimal)):
        raise ValueError(f"not a price: {shown(raw)}")
    price = Decimal(raw)
    if price.is_nan() or not 0 < price < MAX_PRICE:
        raise ValueError(f"not above 0 and below 10^24: {shown(raw)}")
    _, digits, exponent = price.as_tuple()
    significant = "".join(map(str, digits)).rstrip("0")
    zeros = len(digits) - len(significant)
    if len(significant) > MAX_DIGITS or not isinstance(exponent, int) or -exponent - zeros > MAX_PLACES:
        raise ValueError(f"too many digits: {shown(raw)}")
    return price


def retry_after_seconds(header: str, now: datetime) -> float | None:
    """The wait that a Retry-After header asks for, in seconds from `now`; None where it says nothing usable.

    RFC 9110, section 10.2.3: a number of seconds or an HTTP date.
    """
    if header.isascii() and header.isdigit():
        return float(header[:MAX_NUMBER_TEXT])
    moment = _http_date(header)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """What the server's clock shows, by its `Date` and, for an answer out of a cache, its `Age`: aware UTC.

    None where it sends no usable one. RFC 9110, section 6.6.1; RFC 9111, section 5.1.
    """
    date, age = headers.get("date", ""), headers.get("age", "")
    moment = _http_date(date) if date else None
    if moment and _AGE.fullmatch(age):
        return moment + timedelta(seconds=int(age)) if moment.year < MAXYEAR else None
    return moment


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, TypeError, OverflowError):
        return None


def excerpt(text: str | bytes, most: int = 80) -> str:
    """The beginning of a text from outside, fit for a message: printable ASCII on one line, quoted.

    At most `most` characters, and less of a text that takes more than twice their room when it is escaped.
    """
    start = text[: 4 * most].decode("utf-8", "replace") if isinstance(text, bytes) else text
    shown = ascii(start[:most])
    return shown if len(shown) <= 2 * most + 2 else ascii(start[: most // 5])  # each takes up to ten places


def shown(raw: object) -> str:
    """A JSON value, fit for a message: an excerpt of a text or number, else only what kind it is.

    Lists and objects are not written out: they may be nested too deeply for that.
    """
    if isinstance(raw, (str, int, Decimal)):
        return excerpt(str(raw))
    return {type(None): "null", list: "a list", dict: "an object"}.get(type(raw), type(raw).__name__)
