"""How often each exchange is asked, next to how often it may be. Pure."""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple
from urllib.parse import urlsplit

from price.model import Pair
from price.sources.base import Source
from price.text import counted


class Plan(NamedTuple):
    """What a source is asked, as weighted requests a minute."""

    source: str
    host: str
    pairs: int
    per_minute: float
    limit: int | None
    """The known limit; None where none is published."""
    slot_seconds: float
    """How long a slot's requests take to leave at the pace that the source allows."""

    @property
    def fault(self) -> str:
        """What is wrong with the plan, or nothing."""
        if self.limit is None or self.per_minute <= self.limit:
            return ""
        return (
            f"{self.source}: {self.per_minute:g} requests a minute for {counted(self.pairs, 'pair')},"
            f" above its known limit of {self.limit}: fewer PRICE_PAIRS or a longer PRICE_INTERVAL"
        )


def plan(source: Source, url: str, pairs: Sequence[Pair], interval: int) -> Plan:
    """The plan for a source that is asked for `pairs` at `url` every `interval` seconds."""
    requests = source.requests(pairs) if pairs else []
    every = ceil(source.gap_seconds / interval) * interval or interval
    per_minute = 60 * sum(request.weight for request in requests) / every
    beyond = len(requests) - source.burst
    seconds = beyond / source.per_second if source.burst and beyond > 0 else 0.0
    host = urlsplit(url).netloc or "this program"
    return Plan(source.name, host, len(pairs), per_minute, source.limit_per_minute, seconds)
