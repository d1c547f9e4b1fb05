"""Which price: from the readings of all sources to one quote per pair and slot. Pure and exact.

docs/choosing.md explains the rules with pictures.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Context, Decimal, Inexact, localcontext
from types import MappingProxyType
from typing import NamedTuple

from price.confirm import Anchor, Jump, Prices, near_anchor, next_jump, within
from price.model import Pair, Quote, Reading

DEVIATIONS, MOST_SPREADS = 5, 3
"""The width of agreement is five deviations, but never more than so many spreads."""
QUORUM, SOURCES_FOR_QUORUM = 2, 3
"""The default quorum, for a pair that so many sources quote; it is 1 where fewer do."""
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


class Seen(NamedTuple):
    """What a source has given for a pair so far."""

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


def choose(
    slot: datetime, pair: Pair, readings: Sequence[Reading], now: datetime, memory: Memory, rules: Rules
) -> tuple[Quote, Memory]:
    """The quote of a pair in a slot, and what to remember for the next slot.

    `readings` has one of each configured source that quotes the pair, in their order; `now` is the time
    at which they were complete.
    """
    seen = _seen_after(slot, readings, now, memory.seen)
    aged = _aged(slot, readings, now, seen, rules)
    prices = {one.source: one.price for one in aged if one.price is not None and not one.why}
    with localcontext(_EXACT):
        agreeing = _agreeing(prices, rules.max_spread)
        kept = agreeing or near_anchor(
            prices, memory.anchor, slot, rules.interval, rules.max_spread, rules.max_jump
        )
        word, jump = _objection(slot, prices, kept, len(readings), memory, rules)
        price = _median(kept.values()) if kept and not word else None
    if 0 < len(kept) < len(prices):
        aged = [one if one.why or one.source in kept else one._replace(why="outlier") for one in aged]
    if price is None:
        quote = Quote(slot, pair, reason=_reason(word, aged), readings=tuple(aged))
        return quote, memory._replace(seen=seen, jump=jump)
    sources = tuple(kept)
    anchors = agreeing and (len(sources) >= 2 or len(readings) == 1)
    anchor = Anchor(price, slot) if anchors else memory.anchor
    return Quote(slot, pair, price, sources, readings=tuple(aged)), Memory(price, anchor, seen)


def _seen_after(
    slot: datetime, readings: Sequence[Reading], now: datetime, before: Mapping[str, Seen]
) -> Mapping[str, Seen]:
    """What each source has given so far, the readings of this slot included."""
    seen, latest = dict(before), now + AHEAD
    for source, price, _, time, *_ in readings:
        if price is None:
            continue
        known = before.get(source) or Seen(price, slot, moved=False, newest=None)
        since, moved = (known.since, known.moved) if price == known.price else (slot, True)
        newest = known.newest
        if time is not None and time <= latest and (newest is None or time > newest):
            newest = time
        seen[source] = Seen(price, since, moved, newest)
    return seen


def _aged(
    slot: datetime, readings: Sequence[Reading], now: datetime, seen: Mapping[str, Seen], rules: Rules
) -> list[Reading]:
    """The readings, those put aside whose time is too old or goes backward, or whose price is frozen.

    `seen` includes the readings: a timestamp is older than the newest exactly where it is not the newest.
    """
    latest, since = now + AHEAD, slot - max(FROZEN_AGE, FROZEN_SLOTS * rules.interval)
    aged = []
    for reading in readings:
        source, price, why, time, *_ = reading
        if price is not None and not why:
            newest = seen[source].newest
            if time is not None and now - time > rules.max_age:
                why = "stale"
            elif time is not None and newest is not None and time < newest <= latest:
                why = "backward"
            elif seen[source].since <= since and _others_moved(source, readings, seen, since):
                why = "stale"
        aged.append(reading if why == reading.why else reading._replace(why=why))
    return aged


def _others_moved(
    frozen: str, readings: Sequence[Reading], seen: Mapping[str, Seen], since: datetime
) -> bool:
    """Whether the prices of more than half of the sources have changed since then, or that of the only other.

    One alone does not do: no more than half of three or more sources, by moving, can make honest ones stale
    whose price really stood still. Of two sources one cannot tell, and the living one is the likelier.
    """
    others = [seen[one.source] for one in readings if one.price is not None and one.source != frozen]
    moved = sum(other.moved and other.since > since for other in others)
    return 2 * moved > len(others) + 1 or moved == len(others) == 1


def _agreeing(prices: Prices, spread: Decimal) -> Prices:
    """Those that agree by themselves: more than half of the prices, or none."""
    if len(prices) < 2:
        return prices
    lowest = min(prices.values())
    if 100 * (max(prices.values()) - lowest) <= spread * lowest:
        return prices  # as most of the time; no median is below the lowest
    middle = _median(prices.values())
    distances = [100 * abs(price - middle) for price in prices.values()]
    # two agree if they are a spread apart, so each half of one from their mean
    bound = spread * middle / 2 if len(prices) == 2 else spread * middle
    if len(prices) > 2:
        # a liar who scatters the prices enlarges the deviation: so the spread limits it
        bound = max(bound, min(DEVIATIONS * _median(distances), MOST_SPREADS * bound))
    near = {name: prices[name] for name, one in zip(prices, distances, strict=True) if one <= bound}
    return near if 2 * len(near) > len(prices) else {}


def _objection(
    slot: datetime, prices: Prices, kept: Prices, sources: int, memory: Memory, rules: Rules
) -> tuple[str, Jump | None]:
    """The word for why the kept prices make no price, if they make none; a jump that is not yet believed."""
    if not kept:
        return "disagree" if prices else "", None
    if len(kept) < rules.quorum_of(sources):
        return "quorum", None
    (source, price), *others = kept.items()
    if others or memory.price is None or within(price, memory.price, rules.max_jump):
        return "", None
    jump = next_jump(slot, source, price, memory.jump, rules.interval)
    return ("", None) if jump.confirmed else ("unconfirmed", jump)


def _median(prices: Iterable[Decimal]) -> Decimal:
    """The middle price; the mean of the middle two of an even number."""
    ordered = sorted(prices)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _reason(word: str, judged: Sequence[Reading]) -> str:
    """Column 4 of a missed row: the slot's word, then why each source gave nothing usable."""
    whys = [f"{reading.source}:{reading.why}" for reading in judged if reading.why]
    return ",".join([word, *whys] if word else whys)
