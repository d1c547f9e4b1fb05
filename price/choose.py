"""Which price: from the readings of all sources to one quote per pair and slot. Pure and exact.

docs/choosing.md explains the rules with pictures.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Context, Decimal, Inexact, localcontext
from types import MappingProxyType
from typing import NamedTuple

from price.model import Pair, Quote, Reading

ANCHOR_AGE, ANCHOR_SLOTS = timedelta(seconds=60), 3
"""How old an anchor may be: the longer of the two."""
DEVIATIONS, MOST_SPREADS = 5, 3
"""The width of agreement is five deviations, but never more than so many spreads."""
CONFIRMING_SLOTS = 3
QUORUM, SOURCES_FOR_QUORUM = 2, 3
"""The default quorum, for a pair that so many sources quote; it is 1 where fewer do."""
_NEAR_FIRST = Decimal(1)
AHEAD = timedelta(seconds=5)
"""A source's timestamp farther than this in the future is ignored."""
FROZEN_AGE, FROZEN_SLOTS = timedelta(hours=1), 12
"""How long a price may stand still while those of other sources move: the longer of the two."""
# prices have at most 24 digits before and 100 after the point: products of two of them are exact
_EXACT = Context(prec=600, traps=[Inexact])


class Rules(NamedTuple):
    """The settings of the choice. Spread and jump are in percent."""

    quorum: int | None
    """Fewest agreeing sources; None: as many as the number of sources asks for."""
    interval: timedelta
    max_age: timedelta
    max_spread: Decimal
    max_jump: Decimal

    def quorum_of(self, sources: int) -> int:
        """The quorum of a pair that so many configured sources quote."""
        return self.quorum or (QUORUM if sources >= SOURCES_FOR_QUORUM else 1)


class Anchor(NamedTuple):
    """A price that rested on agreeing sources, and its slot."""

    price: Decimal
    slot: datetime


class Jump(NamedTuple):
    """A lone source's jump that waits for confirmation: its first price, and in how many slots it stood."""

    source: str
    first: Decimal
    slot: datetime
    seen: int


class Seen(NamedTuple):
    """What a source has said of a pair so far."""

    price: Decimal
    since: datetime
    """The slot in which it first had this price."""
    moved: bool
    """Whether it had another price before."""
    newest: datetime | None
    """The newest of its own timestamps."""


class Memory(NamedTuple):
    """What the choice of a pair remembers from slot to slot."""

    price: Decimal | None = None
    """The last recorded price, however old."""
    anchor: Anchor | None = None
    seen: Mapping[str, Seen] = MappingProxyType({})
    jump: Jump | None = None


class _Verdict(NamedTuple):
    kept: Sequence[Reading]
    word: str = ""
    agreed: bool = False
    """Whether the sources agreed by themselves, without the anchor."""
    jump: Jump | None = None


def choose(
    slot: datetime, pair: Pair, readings: Sequence[Reading], now: datetime, memory: Memory, rules: Rules
) -> tuple[Quote, Memory]:
    """The quote of a pair in a slot, and what to remember for the next slot.

    `readings` has one of each configured source that quotes the pair, in their order; `now` is the time
    at which they were complete.
    """
    seen = _seen_after(slot, readings, now, memory.seen)
    aged = _put_aside(slot, readings, now, seen, rules)
    usable = [reading for reading in aged if not reading.why]
    with localcontext(_EXACT):
        verdict = _judge(slot, usable, len(readings), memory, rules)
        price = _median(map(_price, verdict.kept)) if verdict.kept and not verdict.word else None
    judged = _with_outliers(aged, usable, verdict)
    if price is None:
        quote = Quote(slot, pair, reason=_reason(verdict.word, judged), readings=judged)
        return quote, memory._replace(seen=seen, jump=verdict.jump)
    sources = tuple(reading.source for reading in verdict.kept)
    anchors = verdict.agreed and (len(sources) >= 2 or len(readings) == 1)
    anchor = Anchor(price, slot) if anchors else memory.anchor
    return Quote(slot, pair, price, sources, readings=judged), Memory(price, anchor, seen)


def restored(rows: Iterable[Quote], sources: int, memory: Memory | None = None) -> Memory:
    """What to remember of a pair after its recorded rows, the oldest first, at a start or of another log.

    `rows` need only hold the last one with a price, and those with a price that are young enough to be an
    anchor; `sources` is how many configured sources quote the pair. What the sources said is kept from
    `memory`.

    A row does not tell whether its sources agreed by themselves or were picked by the anchor. But the anchor
    only ever picks half of the sources or fewer: more than half of them would have agreed. So a row that
    rests on two or more sources, and on more than half of all, is an anchor for certain; one that rests on
    fewer may be none, and is passed over: a missed slot beats a wrong price.
    """
    memory = memory or Memory()
    price, anchor = None, None
    for row in rows:
        if row.price is None:
            continue
        price = row.price
        if len(row.sources) >= min(2, sources) and 2 * len(row.sources) > sources:
            anchor = Anchor(row.price, row.slot)
    return Memory(price, anchor, memory.seen)


def _seen_after(
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


def _put_aside(
    slot: datetime, readings: Sequence[Reading], now: datetime, seen: Mapping[str, Seen], rules: Rules
) -> list[Reading]:
    """The readings, those put aside whose timestamp is too old or goes backward, or whose price is frozen.

    `seen` includes the readings: a timestamp is older than the newest exactly where it is not the newest.
    """
    latest, since = now + AHEAD, slot - max(FROZEN_AGE, FROZEN_SLOTS * rules.interval)
    aged = []
    for reading in readings:
        why = ""
        if not reading.why and reading.price is not None:
            newest, time = seen[reading.source].newest, reading.time
            if time is not None and now - time > rules.max_age:
                why = "stale"
            elif time is not None and newest is not None and time < newest <= latest:
                why = "backward"
            elif seen[reading.source].since <= since and _others_moved(reading, readings, seen, since):
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


def _judge(slot: datetime, usable: Sequence[Reading], sources: int, memory: Memory, rules: Rules) -> _Verdict:
    """The readings to take the median of, or the word for why there is no price."""
    kept = _agreeing(usable, rules.max_spread)
    agreed = bool(kept)
    if usable and not agreed:
        kept = _anchored(usable, memory.anchor, slot, rules)
        if not kept:
            return _Verdict(usable, "disagree")
    if len(kept) < rules.quorum_of(sources):
        return _Verdict(kept, "quorum" if kept else "")
    last = memory.price
    if len(kept) == 1 and last is not None and not _within(kept[0], last, rules.max_jump):
        return _unconfirmed(slot, kept[0], agreed, memory.jump, rules.interval)
    return _Verdict(kept, agreed=agreed)


def _agreeing(readings: Sequence[Reading], spread: Decimal) -> Sequence[Reading]:
    """Those that agree by themselves: more than half of the readings, or none."""
    if len(readings) == 2:
        return [] if _differ(readings[0], readings[1], spread) else readings
    if len(readings) < 2:
        return readings
    prices = list(map(_price, readings))
    middle = _median(prices)
    if 100 * max(max(prices) - middle, middle - min(prices)) <= spread * middle:
        return readings  # as most of the time; the width is never less than the spread
    distances = [abs(price - middle) for price in prices]
    # a liar who scatters the readings enlarges the deviation: so the spread limits it
    bound = max(spread * middle, min(100 * DEVIATIONS * _median(distances), MOST_SPREADS * spread * middle))
    near = [reading for reading, distance in zip(readings, distances, strict=True) if 100 * distance <= bound]
    return near if 2 * len(near) > len(readings) else []


def _anchored(
    readings: Sequence[Reading], anchor: Anchor | None, slot: datetime, rules: Rules
) -> Sequence[Reading]:
    """Those at the anchor, where all others are so far from it that they cannot be the market; else none."""
    if anchor is None or slot - anchor.slot > max(ANCHOR_AGE, ANCHOR_SLOTS * rules.interval):
        return []
    near = [reading for reading in readings if _within(reading, anchor.price, rules.max_spread)]
    far = sum(not _within(reading, anchor.price, rules.max_jump) for reading in readings)
    return near if len(near) + far == len(readings) else []


def _differ(one: Reading, other: Reading, spread: Decimal) -> bool:
    """Whether two prices are more than `spread` percent of their mean apart."""
    return 200 * abs(_price(one) - _price(other)) > spread * (_price(one) + _price(other))


def _within(reading: Reading, price: Decimal, percent: Decimal) -> bool:
    return 100 * abs(_price(reading) - price) <= percent * price


def _unconfirmed(
    slot: datetime, lone: Reading, agreed: bool, jump: Jump | None, interval: timedelta
) -> _Verdict:
    """A lone source far from the last price is believed in the third slot in a row that it stays there."""
    goes_on = (
        jump is not None
        and jump.source == lone.source
        and jump.slot + interval == slot
        and _within(lone, jump.first, _NEAR_FIRST)
    )
    if jump is None or not goes_on:
        return _Verdict([lone], "unconfirmed", jump=Jump(lone.source, _price(lone), slot, 1))
    if jump.seen + 1 >= CONFIRMING_SLOTS:
        return _Verdict([lone], agreed=agreed)
    return _Verdict([lone], "unconfirmed", jump=jump._replace(slot=slot, seen=jump.seen + 1))


def _median(prices: Iterable[Decimal]) -> Decimal:
    """The middle price; the mean of the middle two of an even number."""
    ordered = sorted(prices)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _price(reading: Reading) -> Decimal:
    if reading.price is None:
        raise AssertionError(f"{reading.source} gave no price")
    return reading.price


def _with_outliers(
    aged: Sequence[Reading], usable: Sequence[Reading], verdict: _Verdict
) -> tuple[Reading, ...]:
    if len(verdict.kept) == len(usable):
        return tuple(aged)
    outliers = {reading.source for reading in usable} - {reading.source for reading in verdict.kept}
    return tuple(
        reading._replace(why="outlier") if reading.source in outliers else reading for reading in aged
    )


def _reason(word: str, judged: Sequence[Reading]) -> str:
    """Column 4 of a missed row: the slot's word, then why each source gave nothing usable."""
    whys = [f"{reading.source}:{reading.why}" for reading in judged if reading.why]
    return ",".join([word, *whys] if word else whys)
