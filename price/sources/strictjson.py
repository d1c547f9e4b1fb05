"""JSON read strictly: the values of an answer, and the prices in it."""

import json
import re
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any

from price.errors import Unreadable
from price.wire import excerpt

MAX_PRICE = Decimal(10) ** 24
MAX_DIGITS = 50
MAX_PLACES = 100
MAX_NUMBER_TEXT = 400
MAX_VALUES = 100_000
MAX_WIDE_BYTES = 1024 * 1024
_EXACT = Context(prec=MAX_DIGITS, traps=[Inexact])
_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?|\.\d+(?:[eE][+-]?\d{1,3})?", re.ASCII)


def read_json(body: bytes) -> Any:
    """The value of a JSON text, read strictly. Raises Unreadable.

    Refused: other encodings than UTF-8, a byte order mark, NaN and Infinity, names given twice,
    nesting beyond the interpreter's depth, numbers of over 400 characters, more values than any exchange
    needs (each megabyte of such takes thirty in memory), and long bodies that are not ASCII (each megabyte of
    such takes five). Integers become int, fractions Decimal.
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
    parse_float=lambda text: Decimal(_short(text)),
    parse_int=lambda text: int(_short(text)),
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
    try:
        places = -int(_EXACT.normalize(price).as_tuple().exponent)
    except Inexact:
        places = MAX_PLACES + 1
    if places > MAX_PLACES:
        raise ValueError(f"too many digits: {shown(raw)}")
    return price


def shown(raw: object) -> str:
    """A JSON value, fit for a message: an excerpt of a text or number, else only what kind it is.

    Lists and objects are not written out: they may be nested too deeply for that.
    """
    if isinstance(raw, (str, int, Decimal)):
        return excerpt(str(raw))
    return {type(None): "null", list: "a list", dict: "an object"}.get(type(raw), type(raw).__name__)
