"""The two axes of a chart: where a price and a moment stand, and what is written beside them. Exact."""

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_CEILING, Decimal, localcontext

from price.log import row

_DIGITS = 150
"""Prices have at most 125, and labels three more places; nothing is rounded on the way to a label."""
STEPS = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10_800, 14_400, 21_600, 43_200, row.DAY, 2 * row.DAY, 7 * row.DAY, 14 * row.DAY),
)
"""Round lengths of time, in seconds."""
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200)
_EPOCH = date(1970, 1, 1).toordinal()


class Prices:
    """An axis from the lowest price to the highest; a range of one price gets a little room around it."""

    def __init__(self, low: Decimal, high: Decimal) -> None:
        if low == high:
            room = Decimal(1).scaleb(low.adjusted() - 3)
            with localcontext(prec=_DIGITS):
                low, high = low - room, high + room
        self.low, self.high = low, high

    def place(self, price: Decimal) -> float:
        """Where a price stands: 0 for the lowest, 1 for the highest. Only this, never a price, is a float."""
        with localcontext(prec=_DIGITS):
            return float((price - self.low) / (self.high - self.low))

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """At most so many (2 at least) round prices with their places: plain decimals."""
        with localcontext(prec=_DIGITS):
            step = self._step(max(2, most))
            decimals = max(0, -int(step.normalize().as_tuple().exponent))
            prices = [number * step for number in self._multiples(step)]
        return [(self.place(price), f"{price:.{decimals}f}") for price in prices]

    def _step(self, most: int) -> Decimal:
        """The least of 1, 2, 5, 10 ... that gives no more ticks than wanted."""
        size = self.high - self.low
        unit = Decimal(1).scaleb(size.adjusted() - 2)
        while True:
            for digit in (1, 2, 5):
                if len(self._multiples(digit * unit)) <= most:
                    return digit * unit
            unit *= 10

    def _multiples(self, step: Decimal) -> range:
        """The whole numbers that, times the step, lie on the axis."""
        first = (self.low / step).to_integral_value(ROUND_CEILING)
        return range(int(first), int(self.high // step) + 1)


def moments(start: int, end: int, most: int) -> list[int]:
    """At most so many (2 at least) round moments of a range, in Unix seconds."""
    most = max(2, most)
    for step in STEPS:
        found = range(-(-start // step) * step, end + 1, step)
        if len(found) <= most:
            return list(found)
    for months in _MONTHS:
        firsts = [first for first in _firsts(start, end, months) if start <= first <= end]
        if len(firsts) <= most:
            return firsts
    return []


def _firsts(start: int, end: int, months: int) -> Iterator[int]:
    """The first days of months from the month of `start` on."""
    year, month = int(row.text_of(start)[:4]), int(row.text_of(start)[5:7])
    number = -(-(year * 12 + month - 1) // months) * months
    while number < 9999 * 12 and (first := _midnight(number)) <= end:
        yield first
        number += months


def _midnight(month: int) -> int:
    return (date(month // 12, month % 12 + 1, 1).toordinal() - _EPOCH) * row.DAY


def clock(moment: int) -> str:
    """A moment's time of day; without seconds where they are zero."""
    return row.text_of(moment)[11:19].removesuffix(":00")


def day(moment: int) -> str:
    """A moment's date."""
    return row.text_of(moment)[:10]


def extent(start: int, end: int) -> str:
    """A range as people read it: the date once, where one is enough."""
    until = clock(end) if day(start) == day(end) else f"{day(end)} {clock(end)}"
    return f"{day(start)} {clock(start)} to {until} UTC"
