"""How polite we are to one source: how fast requests may follow each other, and when it rests. Pure."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from price.errors import Forbidden, NoSuchName, RateLimited, SourceError, Unavailable
from price.wire import retry_after_seconds

REFUSAL_SECONDS = 60.0
REFUSAL_MOST_SECONDS = 300.0
FAILURES_BEFORE_REST = 3
FAILURE_MOST_SECONDS = 60.0
TROUBLE_SECONDS = 600.0
HOUR_SECONDS = 3600.0
"""The longest rest, whatever a source asks for; a retired source is asked this often."""
NEVER = float("-inf")


class Change(Enum):
    """What a failure changed that an operator should know."""

    RETIRED = "retired"
    ASKED_FOR_LONG = "asked for a rest of over an hour"


def asked_for_seconds(error: SourceError, now: datetime) -> float | None:
    """The rest in seconds that a source itself asked for by Retry-After; None where it did not.

    A date counts from the server's own time where the answer has it: `now`, our clock, may be wrong.
    """
    return retry_after_seconds(error.retry_after, error.server_time or now)


def is_throttle(error: SourceError) -> bool:
    """Whether an error asks for fewer requests: it counts even where other answers were good."""
    return isinstance(error, RateLimited) or (isinstance(error, Unavailable) and bool(error.retry_after))


class Backoff:
    """When one source may be asked again. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self.until = NEVER
        """Not to be asked before."""
        self.refusals = 0
        self.failures = 0
        self.trouble_since: float | None = None
        """Since when it has forbidden us, or had no name, without a good answer in between."""
        self.retired = False
        self.long = False
        """Whether it asked for a rest of over an hour, without a good answer since."""

    def good(self) -> bool:
        """Notes a good answer; whether that changed anything."""
        changed = bool(self.refusals or self.failures or self.retired or self.long)
        if changed or self.trouble_since is not None:
            self._forget()
            return True
        return False

    def failed(self, error: SourceError, now: float, asked_for: float | None, jitter: float) -> Change | None:
        """Notes a failure; returns what it changed, if that is news.

        `asked_for` is the rest in seconds that the source itself asked for (`asked_for_seconds`); `jitter` is
        from 0.8 to 1.2. An answer may ask for a week, by mistake or by an attack: nobody is left alone for
        longer than an hour.
        """
        retired, long = self.retired, self.long
        if isinstance(error, (Forbidden, NoSuchName)):
            since = self.trouble_since = now if self.trouble_since is None else self.trouble_since
            self.retired |= now - since >= TROUBLE_SECONDS
        rest = self._rest(error, asked_for, jitter)
        self.long |= rest > HOUR_SECONDS
        # a late answer asks for its own rest, and must not shorten the one that is under way
        self.until = max(self.until, now + (HOUR_SECONDS if self.retired else min(rest, HOUR_SECONDS)))
        if self.retired and not retired:
            return Change.RETIRED
        return Change.ASKED_FOR_LONG if self.long and not long else None

    def _rest(self, error: SourceError, asked_for: float | None, jitter: float) -> float:
        if isinstance(error, (RateLimited, Forbidden)):
            self.refusals += 1
            doubled = REFUSAL_SECONDS * 2 ** min(self.refusals - 1, 8)
            return min(doubled, REFUSAL_MOST_SECONDS) if asked_for is None else asked_for
        self.failures += 1
        if isinstance(error, Unavailable) and asked_for is not None:
            return asked_for
        beyond = self.failures - FAILURES_BEFORE_REST
        return min(2.0 * 2 ** min(beyond, 8), FAILURE_MOST_SECONDS) * jitter if beyond >= 0 else 0.0

    def saved(self, now: float) -> dict[str, Any]:
        """What must survive a restart, in seconds from now so that no clock can spoil it."""
        return {
            "rest_seconds": max(0.0, round(self.until - now, 3)) if self.until > now else 0.0,
            "refusals": self.refusals,
            "failures": self.failures,
            "trouble_seconds": None if self.trouble_since is None else round(now - self.trouble_since, 3),
            "retired": self.retired,
            "long": self.long,
        }

    @classmethod
    def restored(cls, saved: Mapping[str, Any], now: float, elapsed: float) -> "Backoff":
        """The backoff as saved `elapsed` seconds ago. Raises KeyError, TypeError or ValueError."""
        rest = min(float(saved["rest_seconds"]), HOUR_SECONDS) - elapsed
        trouble = saved["trouble_seconds"]
        found = cls()
        found.until = now + rest if rest > 0 else NEVER
        found.refusals, found.failures = int(saved["refusals"]), int(saved["failures"])
        found.trouble_since = None if trouble is None else now - float(trouble) - elapsed
        found.retired = bool(saved["retired"])
        found.long = bool(saved.get("long"))  # older versions did not write it
        return found


class TokenBucket:
    """How fast requests may follow each other: first `burst` without a pause, then so many a second.

    `burst` 0 means that nothing but the slots sets the pace.
    """

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst = float(burst)
        self._per_second = per_second
        self._tokens = float(burst)
        self._at = 0.0

    def due(self, now: float, tokens: float = 1) -> float:
        """The monotonic time from which the next request may go; `now` where it may go now."""
        missing = tokens - self._refilled(now)
        return now if not self._burst or missing <= 0 else now + missing / self._per_second

    def spend(self, now: float, tokens: float = 1) -> None:
        """Notes a request that goes now."""
        self._tokens = self._refilled(now) - tokens
        self._at = now

    def _refilled(self, now: float) -> float:
        return min(self._burst, self._tokens + max(0.0, now - self._at) * self._per_second)
