"""How polite the recorder is to one source: when it rests, backs off, and gives up for the hour. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from price.errors import Forbidden, NoSuchName, RateLimited, SourceError, Unavailable

REFUSAL_SECONDS = 60.0
REFUSAL_MOST_SECONDS = 300.0
FAILURES_BEFORE_REST = 3
FAILURE_MOST_SECONDS = 60.0
TROUBLE_SECONDS = 600.0
RETIRED_SECONDS = 3600.0
NEVER = float("-inf")


@dataclass(slots=True)
class Backoff:
    """Times are monotonic seconds."""

    until: float = NEVER
    """Not to be asked before."""
    refusals: int = 0
    failures: int = 0
    trouble_since: float | None = None
    """Since when it has forbidden us, or had no name, without a good answer in between."""
    retired: bool = False

    def good(self) -> bool:
        """Notes a good answer; whether that changed anything."""
        if not (self.refusals or self.failures or self.retired or self.trouble_since is not None):
            return False
        self.until, self.refusals, self.failures, self.trouble_since, self.retired = NEVER, 0, 0, None, False
        return True

    def failed(self, error: SourceError, now: float, asked_for: float | None, jitter: float) -> bool:
        """Notes a failure; whether the source is thereby retired.

        `asked_for` is the rest in seconds that the source itself asked for; `jitter` is from 0.8 to 1.2.
        """
        retired = self.retired
        if isinstance(error, (Forbidden, NoSuchName)):
            since = self.trouble_since = now if self.trouble_since is None else self.trouble_since
            self.retired |= now - since >= TROUBLE_SECONDS
        rest = self._rest(error, asked_for, jitter)
        # a late answer asks for its own rest, and must not shorten the one that is under way
        self.until = max(self.until, now + (max(rest, RETIRED_SECONDS) if self.retired else rest))
        return self.retired and not retired

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
        }

    @classmethod
    def restored(cls, saved: Mapping[str, Any], now: float, elapsed: float) -> "Backoff":
        """The rests as saved `elapsed` seconds ago. Raises KeyError, TypeError or ValueError for rubbish."""
        rest = float(saved["rest_seconds"]) - elapsed
        trouble = saved["trouble_seconds"]
        return cls(
            until=now + rest if rest > 0 else NEVER,
            refusals=int(saved["refusals"]),
            failures=int(saved["failures"]),
            trouble_since=None if trouble is None else now - float(trouble) - elapsed,
            retired=bool(saved["retired"]),
        )
