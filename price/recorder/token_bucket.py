"""How fast requests may follow each other: so many at once, then so many a second. Pure."""


class TokenBucket:
    """A token bucket. `burst` 0 means that nothing but the slots sets the pace."""

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst = float(burst)
        self._per_second = per_second
        self._tokens = float(burst)
        self._at = 0.0

    def due(self, now: float) -> float:
        """The monotonic time from which the next request may go; `now` where it may go at once."""
        missing = 1 - self._refilled(now)
        return now if not self._burst or missing <= 0 else now + missing / self._per_second

    def spend(self, now: float) -> None:
        """Notes a request that goes now."""
        self._tokens = self._refilled(now) - 1
        self._at = now

    def _refilled(self, now: float) -> float:
        return min(self._burst, self._tokens + max(0.0, now - self._at) * self._per_second)
