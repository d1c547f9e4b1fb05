"""Rows for slots that have no price because no recorder was there, or no room to hold what it recorded."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from price import times
from price.model import Pair, Quote
from price.sinks.backlog import Block


def missed_rows(
    last: Mapping[Pair, datetime], pairs: Collection[Pair], before: datetime, interval: int, reason: str
) -> list[Quote]:
    """A row for each pair's slots from the one after its `last` slot up to `before`, the earliest first."""
    missed = []
    for pair in pairs:
        if pair in last:
            first = times.next_slot(last[pair], interval)
            slots = times.slots_between(first, before, interval)
            if slots:
                missed.append(Quote(first, pair, reason=reason, slots=slots))
    return sorted(missed, key=lambda quote: quote.slot)


def missed_before(
    block: Block,
    ends: Mapping[Pair, datetime],
    down_until: datetime | None,
    given_up: Mapping[Pair, tuple[datetime, datetime]],
) -> list[Quote]:
    """Rows for the slots between those in the file and the first that is held, where there are any.

    Each pair's rows in the file end at `ends`. In the slots up to `down_until` the recorder was down; those
    in `given_up`, from the first to the last, were given up, also of pairs that a reload has removed or
    added meanwhile.
    """
    (interval, pairs, _), missed = block.segment, []
    ends = dict(ends)
    if down_until:
        missed = missed_rows(ends, pairs, down_until, interval, "down")
        ends |= dict.fromkeys([quote.pair for quote in missed], down_until - timedelta(seconds=interval))
    late = []
    for pair, (first, last) in given_up.items():
        begin = ends.get(pair, first - timedelta.resolution)
        end = block.first if pair in pairs else times.next_slot(last, interval)
        late += missed_rows({pair: begin}, [pair], end, interval, "late")
    return missed + sorted(late, key=lambda quote: quote.slot)
