"""Which readings are too old to use: by their own timestamp, or since their price stands still. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from price.model import Reading

AHEAD = timedelta(seconds=5)
"""A source's timestamp farther than this in the future is ignored."""
FROZEN_AGE, FROZEN_SLOTS = timedelta(hours=1), 12
"""How long a price may stand still while those of other sources move: the longer of the two."""


class Seen(NamedTuple):
    """What a source has said of a pair so far."""

    price: Decimal
    since: datetime
    """The slot in which it first had this price."""
    moved: bool
    """Whether it had another price before."""
    newest: datetime | None
    """The newest of its own timestamps."""


def seen_after(
    slot: datetime, readings: Sequence[Reading], now: datetime, before: Mapping[str, Seen]
) -> Mapping[str, Seen]:
    """What each source has said so far, the readings of this slot included."""
    changed: dict[str, Seen] = {}
    latest = now + AHEAD
    for reading in readings:
        if reading.price is None:
            continue
        known = before.get(reading.source)
        time = None if reading.time is None or reading.time > latest else reading.time
        if known is None:
            changed[reading.source] = Seen(reading.price, slot, False, time)
            continue
        newest = known.newest
        if time is not None and (newest is None or time > newest):
            newest = time
        if reading.price != known.price:
            changed[reading.source] = Seen(reading.price, slot, True, newest)
        elif newest is not known.newest:
            changed[reading.source] = known._replace(newest=newest)
    return {**before, **changed} if changed else before


def put_aside(
    slot: datetime,
    readings: Sequence[Reading],
    now: datetime,
    seen: Mapping[str, Seen],
    max_age: timedelta,
    interval: timedelta,
) -> list[Reading]:
    """The readings, those put aside whose timestamp is too old or goes backward, or whose price is frozen.

    `seen` includes the readings: a timestamp is older than the newest exactly where it is not the newest.
    """
    latest, frozen_since = now + AHEAD, slot - max(FROZEN_AGE, FROZEN_SLOTS * interval)
    aged = []
    for reading in readings:
        why = ""
        if not reading.why and reading.price is not None:
            newest, time = seen[reading.source].newest, reading.time
            if time is not None and now - time > max_age:
                why = "stale"
            elif time is not None and newest is not None and time < newest <= latest:
                why = "backward"
            elif seen[reading.source].since <= frozen_since and _others_moved(
                reading, readings, seen, frozen_since
            ):
                why = "stale"
        aged.append(reading._replace(why=why) if why else reading)
    return aged


def _others_moved(
    frozen: Reading, readings: Sequence[Reading], seen: Mapping[str, Seen], since: datetime
) -> bool:
    """Whether the prices of more than half of the sources have changed since then, or that of the only other.

    One alone does not do: no more than half of three or more sources, by moving, can make honest ones stale
    whose price really stood still. Of two sources one cannot tell, and the living one is the likelier.
    """
    others = [
        seen[reading.source]
        for reading in readings
        if reading.price is not None and reading.source != frozen.source
    ]
    moved = sum(other.moved and other.since > since for other in others)
    return 2 * moved > len(others) + 1 or moved == len(others) == 1
