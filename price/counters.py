"""What the recorder counts for `price metrics`, and both must know: reasons, and durations in buckets."""

from bisect import bisect_left
from collections.abc import Sequence

REASONS = ("down", "late", "quorum", "disagree", "unconfirmed", "sources")
"""Why slots are missed: the word for the whole slot, or `sources` where each gave its own reason."""
ANSWER_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
"""Seconds of an exchange's answer."""
SLOT_BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
"""Seconds from a slot's instant to its rows on stable storage."""
SYNC_BOUNDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
"""Seconds of a write and its fdatasync."""


class Histogram:
    """How many durations lay at or below each bound and above the one before."""

    __slots__ = ("_bounds", "counts")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 2)
        """One for each bound, one for all above the last; then the sum, in microseconds."""

    def add(self, seconds: float) -> None:
        """Counts a duration."""
        self.counts[bisect_left(self._bounds, seconds)] += 1
        self.counts[-1] += round(seconds * 1_000_000)


class Tally:
    """What `status` shows of a source since the recorder started."""

    def __init__(self) -> None:
        self.requests = 0
        self.failures = 0
        self.reach = 0
        """A bit for each of the last 8 slots, the newest lowest; set where the source gave a price."""
        self.seconds = 0.0
        """How long its last answer took."""
        self.answers = Histogram(ANSWER_BOUNDS)
        """How long its good answers took."""
