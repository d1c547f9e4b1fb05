"""What goes over the wire: how much at once, the times in headers, and texts from outside for messages."""

import re
from collections.abc import Callable, Mapping
from datetime import MAXYEAR, UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

from price.model import Answer, Request

MOST_THREADS = 4
"""How many threads of one source may wait for answers at the same time."""
REDIRECTS = (301, 302, 303, 307, 308)
_MOST_DIGITS = 400
_AGE = re.compile(r"[0-9]{1,7}")


Fetch = Callable[[Request, float], Answer]
"""Gets the answer to a request before a deadline in monotonic seconds. Raises SourceError."""


class Begun(NamedTuple):
    """A request that has been sent and whose answer nobody waits for yet."""

    fileno: int
    """The descriptor that can be read once some of the answer has come."""
    arrived: Callable[[], Answer | None]
    """The answer, if it has come and is plain; None where `get` has to go on. To be called once."""
    get: Fetch
    """Waits for the answer."""


def retry_after_seconds(header: str, now: datetime) -> float | None:
    """The wait that a Retry-After header asks for, in seconds from `now`; None where it says nothing usable.

    RFC 9110, section 10.2.3: a number of seconds or an HTTP date.
    """
    if header.isascii() and header.isdigit():
        return float(header[:_MOST_DIGITS])
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


@lru_cache(8)  # the answers of a slot carry the same second
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
