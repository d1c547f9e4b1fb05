"""How polite we are to one source: how fast requests may follow each other, and when it rests. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

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


def asked_for_seconds(error: SourceError, now: datetime) -> float | None:
    """The rest in seconds that a source itself asked for by Retry-After; None where it did not.

    A date counts from the server's own time where the answer has it: `now`, our clock, may be wrong.
    """
    return retry_after_seconds(error.retry_after, error.server_time or now)


def is_throttle(error: SourceError) -> bool:
    """Whether an error asks for fewer requests: it counts even where other answers were good."""
    return isinstance(error, RateLimited) or (isinstance(error, Unavailable) and bool(error.retry_after))


class Backoff(NamedTuple):
    """When one source may be asked again, after failures since its last good answer; monotonic seconds."""

    until: float = NEVER
    """Not to be asked before."""
    refusals: int = 0
    failures: int = 0
    """Other ones than refusals."""
    trouble_since: float | None = None
    """Since when it has forbidden us, or had no name, without a good answer in between."""
    retired: bool = False
    long: bool = False
    """Whether it asked for a rest of over an hour, without a good answer since."""

    def after(self, error: SourceError, now: float, asked_for: float | None, jitter: float) -> "Backoff":
        """The backoff after one more failure.

        `asked_for` is the rest in seconds that the source itself asked for (`asked_for_seconds`); `jitter` is
        from 0.8 to 1.2. An answer may ask for a week, by mistake or by an attack: nobody is left alone for
        longer than an hour.
        """
        refused = isinstance(error, (RateLimited, Forbidden))
        refusals, failures = self.refusals + refused, self.failures + (not refused)
        since, retired = self.trouble_since, self.retired
        if isinstance(error, (Forbidden, NoSuchName)):
            since = now if since is None else since
            retired = retired or now - since >= TROUBLE_SECONDS
        if asked_for is not None and (refused or isinstance(error, Unavailable)):
            rest = asked_for
        elif refused:
            rest = min(REFUSAL_SECONDS * 2 ** min(refusals - 1, 8), REFUSAL_MOST_SECONDS)
        elif failures < FAILURES_BEFORE_REST:
            rest = 0.0
        else:
            rest = min(2.0 * 2 ** min(failures - FAILURES_BEFORE_REST, 8), FAILURE_MOST_SECONDS) * jitter
        # a late answer asks for its own rest, and must not shorten the one that is under way
        until = max(self.until, now + (HOUR_SECONDS if retired else min(rest, HOUR_SECONDS)))
        return Backoff(until, refusals, failures, since, retired, self.long or rest > HOUR_SECONDS)

    def saved(self, now: float) -> dict[str, Any]:
        """What must survive a restart, in seconds from now so that no clock can spoil it."""
        return {
            "rest_seconds": round(self.until - now, 3) if self.until > now else 0.0,
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
        return cls(
            until=now + rest if rest > 0 else NEVER,
            refusals=int(saved["refusals"]),
            failures=int(saved["failures"]),
            trouble_since=None if trouble is None else now - float(trouble) - elapsed,
            retired=bool(saved["retired"]),
            long=bool(saved.get("long")),  # older versions did not write it
        )


class TokenBucket:
    """How fast requests may follow each other: first `burst` without a pause, then so many a second.

    `burst` 0 means that nothing but the slots sets the pace.
    """

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst = float(burst)
        self._per_second = per_second
        self._tokens = float(burst)
        self._at = 0.0

    def due(self, now: float) -> float:
        """The monotonic time from which the next request may go; `now` where it may go now."""
        missing = 1 - self._refilled(now)
        return now if not self._burst or missing <= 0 else now + missing / self._per_second

    def spend(self, now: float) -> None:
        """Notes a request that goes now."""
        self._tokens = self._refilled(now) - 1
        self._at = now

    def _refilled(self, now: float) -> float:
        return min(self._burst, self._tokens + max(0.0, now - self._at) * self._per_second)
