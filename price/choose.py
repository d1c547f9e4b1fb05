"""Which price: from what each source said to one quote per pair and slot. Pure and exact."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Context, Decimal, Inexact, localcontext
from typing import NamedTuple

from price.model import Pair, Quote, Reading

AHEAD = timedelta(seconds=5)
"""A source's timestamp farther than this in the future says nothing."""
FRESH = timedelta(seconds=60)
"""A last recorded price younger than this tells which of two is right, and what a jump is."""
DEVIATIONS = 5
CONFIRMING_SLOTS = 3
_NEAR_FIRST = Decimal(1)
# prices have at most 24 digits before and 100 after the point: products of two of them are exact
_EXACT = Context(prec=600, traps=[Inexact])


class Rules(NamedTuple):
    """The settings of the choice. Spread and jump are in percent."""

    quorum: int
    interval: timedelta
    max_age: timedelta
    max_spread: Decimal
    max_jump: Decimal


class Jump(NamedTuple):
    """A lone source's jump that waits for confirmation: its first price, and how many slots said so."""

    source: str
    first: Decimal
    slot: datetime
    seen: int


@dataclass(frozen=True, slots=True)
class Memory:
    """What the choice of a pair remembers from slot to slot."""

    price: Decimal | None = None
    """The last recorded price, and its slot."""
    slot: datetime | None = None
    newest: Mapping[str, datetime] = field(default_factory=dict)
    """The newest own timestamp of each source."""
    jump: Jump | None = None

    def recent(self, slot: datetime) -> Decimal | None:
        """The last recorded price if it is fresh at `slot`."""
        if self.slot is None or slot - self.slot >= FRESH:
            return None
        return self.price


class _Verdict(NamedTuple):
    kept: Sequence[Reading]
    word: str = ""
    jump: Jump | None = None


def choose(
    slot: datetime, pair: Pair, readings: Sequence[Reading], now: datetime, memory: Memory, rules: Rules
) -> tuple[Quote, Memory]:
    """The quote of a pair in a slot, and what to remember for the next slot.

    `readings` stand in the order of the configured sources; `now` is the time they were complete.
    """
    aged = [_aged(reading, now, memory.newest, rules.max_age) for reading in readings]
    usable = [reading for reading in aged if not reading.why]
    with localcontext(_EXACT):
        verdict = _judge(slot, usable, memory, rules)
        price = _median(map(_price, verdict.kept)) if verdict.kept and not verdict.word else None
    said = _with_outliers(aged, usable, verdict)
    newest = _newest(readings, now, memory.newest)
    if price is None:
        quote = Quote(slot, pair, reason=_reason(verdict.word, said), readings=said)
        return quote, replace(memory, newest=newest, jump=verdict.jump)
    sources = tuple(reading.source for reading in verdict.kept)
    quote = Quote(slot, pair, price, sources, readings=said)
    return quote, Memory(price, slot, newest)


def _aged(reading: Reading, now: datetime, newest: Mapping[str, datetime], max_age: timedelta) -> Reading:
    """The reading, put aside if its own timestamp is too old or goes backward."""
    if reading.why or reading.time is None or reading.time > now + AHEAD:
        return reading
    if now - reading.time > max_age:
        return replace(reading, why="stale")
    if reading.source in newest and reading.time < newest[reading.source]:
        return replace(reading, why="backward")
    return reading


def _newest(
    readings: Sequence[Reading], now: datetime, newest: Mapping[str, datetime]
) -> Mapping[str, datetime]:
    latest = {
        reading.source: reading.time
        for reading in readings
        if reading.time is not None and reading.time <= now + AHEAD
    }
    return {**newest, **{name: max(time, newest.get(name, time)) for name, time in latest.items()}}


def _judge(slot: datetime, usable: Sequence[Reading], memory: Memory, rules: Rules) -> _Verdict:
    """The readings to take the median of, or the word for why there is no price."""
    recent = memory.recent(slot)
    kept = usable
    if len(kept) >= 3:
        kept = _near_median(kept, rules.max_spread)
    if len(kept) == 2 and _differ(kept[0], kept[1], rules.max_spread):
        near = [] if recent is None else [one for one in kept if _within(one, recent, rules.max_spread)]
        if len(near) != 1:
            return _Verdict(kept, "disagree")
        kept = near
    if len(kept) < rules.quorum:
        return _Verdict(kept, "quorum" if kept else "")
    if len(kept) == 1 and recent is not None and not _within(kept[0], recent, rules.max_jump):
        return _unconfirmed(slot, kept[0], memory.jump, rules.interval)
    return _Verdict(kept)


def _near_median(readings: Sequence[Reading], spread: Decimal) -> Sequence[Reading]:
    middle = _median(_price(reading) for reading in readings)
    deviation = _median(abs(_price(reading) - middle) for reading in readings)
    bound = max(spread * middle, 100 * DEVIATIONS * deviation)
    return [reading for reading in readings if 100 * abs(_price(reading) - middle) <= bound]


def _differ(one: Reading, other: Reading, spread: Decimal) -> bool:
    """Whether two prices are more than `spread` percent of their mean apart."""
    return 200 * abs(_price(one) - _price(other)) > spread * (_price(one) + _price(other))


def _within(reading: Reading, price: Decimal, percent: Decimal) -> bool:
    return 100 * abs(_price(reading) - price) <= percent * price


def _unconfirmed(slot: datetime, lone: Reading, jump: Jump | None, interval: timedelta) -> _Verdict:
    """A lone source far from the last price is believed when it says the same in three slots in a row."""
    goes_on = (
        jump is not None
        and jump.source == lone.source
        and jump.slot + interval == slot
        and _within(lone, jump.first, _NEAR_FIRST)
    )
    if jump is None or not goes_on:
        return _Verdict([lone], "unconfirmed", Jump(lone.source, _price(lone), slot, 1))
    if jump.seen + 1 >= CONFIRMING_SLOTS:
        return _Verdict([lone])
    return _Verdict([lone], "unconfirmed", jump._replace(slot=slot, seen=jump.seen + 1))


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
    outliers = {reading.source for reading in usable} - {reading.source for reading in verdict.kept}
    return tuple(
        replace(reading, why="outlier") if reading.source in outliers else reading for reading in aged
    )


def _reason(word: str, said: Sequence[Reading]) -> str:
    """Column 4 of a missed row: the slot's word, then why each source gave nothing usable."""
    whys = [f"{reading.source}:{reading.why}" for reading in said if reading.why]
    return ",".join([word, *whys] if word else whys)
