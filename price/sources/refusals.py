"""What an error answer means: by its HTTP status, by its code, or by its words."""

from collections.abc import Iterable, Mapping

from price.errors import Forbidden, RateLimited, Refused, SourceError, Unavailable, UnknownPair, Unreadable
from price.model import Answer
from price.wire import excerpt

RATE_LIMITED = (429, 418)
FORBIDDEN = (401, 403, 410, 451)
_RATE_WORDS = ("rate limit", "ratelimit", "rate_limit", "too many", "lockout", "throttle")
_AWAY_WORDS = (
    *("maintenance", "maintain", "upgrad", "system update", "scheduled update", "back soon", "right back"),
    *("unavailable", "out of service", "offline", "outage", "temporar", "try again", "come back later"),
    *("busy", "overload", "timeout", "timed out", "deadline elapsed"),
    *("system error", "internal error", "internal server error", "system abnormal"),
)
_AWAY_PAGE = (
    b"maintenance",
    b"upgrade in progress",
    b"system upgrad",
    b"temporarily unavailable",
    b"be right back",
)
"""Words of a page that is no JSON where the exchange is away. They are fewer: a page has many words."""
_PAGE_BYTES = 16 * 1024
_REQUEST_WORDS = ("bad request", "parameter", "argument", "invalid request", "invalid symbol", "invalid pair")


def raise_refusal(answer: Answer, error_in: SourceError | None) -> None:
    """Raises what a body's error_in and the status mean together."""
    kind = kind_of(answer.status)
    # a status that forbids or limits says more than any words, but for words about a limit
    if error_in and (isinstance(error_in, RateLimited) or kind not in (RateLimited, Forbidden)):
        raise error_in
    if kind:
        raise kind(f"HTTP {answer.status}: {error_in or excerpt(answer.body)}")


def away_page(body: bytes) -> SourceError | None:
    """The error that an answer which is no JSON is, if it says that the exchange is away for a while."""
    start = body[:_PAGE_BYTES].lower()
    return Unavailable(excerpt(body)) if any(words in start for words in _AWAY_PAGE) else None


def kind_of(status: int) -> type[SourceError] | None:
    """The error that an HTTP status is by itself; None for 2xx."""
    if status in RATE_LIMITED:
        return RateLimited
    if status in FORBIDDEN:
        return Forbidden
    if status >= 500:
        return Unavailable
    if status >= 400:
        return Refused
    return None if 200 <= status < 300 else Unreadable


def by_words(text: object, status: int, unknown: Iterable[str] = ()) -> SourceError:
    """The error that an exchange's own words mean; those of `unknown` say that it does not know a pair.

    Where no word is recognised the status decides, and Refused where it is 2xx.
    """
    words, detail = str(text).lower(), excerpt(str(text))
    kinds: tuple[tuple[type[SourceError], Iterable[str]], ...] = (
        (RateLimited, _RATE_WORDS),
        (UnknownPair, unknown),
        (Unavailable, _AWAY_WORDS),
        (Refused, _REQUEST_WORDS),
    )
    for kind, known in kinds:
        if any(word in words for word in known):
            return kind(detail)
    return (kind_of(status) or Refused)(detail)


def by_code(kinds: Mapping[str, type[SourceError]], code: object, text: object, status: int) -> SourceError:
    """The error that an exchange's code means, sent as text or as a number; else what its words mean."""
    kind = kinds.get(str(code))
    return kind(excerpt(f"{code} {text}")) if kind else by_words(f"{code} {text}", status)
