"""Prices that do not confirm one another, or have no other: what the past of their pair says of them.

Pure and exact, as the choice is. While sources agree, none of it is asked.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

_ANCHOR_AGE, _ANCHOR_SLOTS = timedelta(seconds=60), 3
"""How old an anchor may be: the longer of the two."""
_CONFIRMING_SLOTS = 3
"""In how many slots in a row a jump must stand to be believed."""
_NEAR_FIRST = Decimal(1)
"""How far, in percent, it may move from its first price meanwhile."""

Prices = Mapping[str, Decimal]
"""The usable prices by their source, in the order of the sources."""


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

    @property
    def confirmed(self) -> bool:
        """Whether it stood long enough to be believed."""
        return self.seen >= _CONFIRMING_SLOTS


def anchor_age(interval: timedelta) -> timedelta:
    """How old an anchor may be where slots are `interval` apart."""
    return max(_ANCHOR_AGE, _ANCHOR_SLOTS * interval)


def near_anchor(
    prices: Prices,
    anchor: Anchor | None,
    slot: datetime,
    interval: timedelta,
    max_spread: Decimal,
    max_jump: Decimal,
) -> Prices:
    """Those at the anchor, where all others are so far from it that they cannot be the market; else none."""
    if anchor is None or slot - anchor.slot > anchor_age(interval):
        return {}
    near = {name: price for name, price in prices.items() if within(price, anchor.price, max_spread)}
    far = sum(not within(price, anchor.price, max_jump) for price in prices.values())
    return near if len(near) + far == len(prices) else {}


def within(price: Decimal, other: Decimal, percent: Decimal) -> bool:
    """Whether a price is at most so many percent of another one away from it."""
    return 100 * abs(price - other) <= percent * other


def next_jump(slot: datetime, source: str, price: Decimal, jump: Jump | None, interval: timedelta) -> Jump:
    """A lone source far from the last price: the same jump in one more slot in a row, or a first one."""
    stays = jump and jump.source == source and within(price, jump.first, _NEAR_FIRST)
    if jump and stays and jump.slot + interval == slot:
        return jump._replace(slot=slot, seen=jump.seen + 1)
    return Jump(source, price, slot, 1)
