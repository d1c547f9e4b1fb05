"""price records cryptocurrency prices as logs and accounts for every slot."""

from datetime import UTC, datetime

__version__ = "0.2.0"
RELEASED = datetime(2026, 10, 1, tzinfo=UTC)
"""A moment before this version's release, moved with each: a clock that stands before it is not set."""
