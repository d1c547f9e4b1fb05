"""What a rule says about the next row of a pair: pure, exact in decimals, and time is slots.

A rule is on or over for each pair by itself. Between its two bounds it stays as it is, so that a price
that trembles around one bound reports nothing.
"""

import logging
import operator
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from functools import reduce
from typing import NamedTuple

from price.alerts.windows import BUCKETS, EXACT, Extreme
from price.model import Pair, Quote

_HOLE_SECONDS = 60
_NOT_LIVED = ("down", "late")
_UNTIMELY = ("stale", "backward")


class Rule(NamedTuple):
    """One rule of PRICE_ALERTS. `limit` and `until` are its two bounds: prices, or percentages.

    `pair` is None for a rule of each pair by itself; `window` and `hold` are the seconds of `in` (of
    `missing` too) and of `for`; `condition` and `text` are as typed, without superfluous blanks.
    """

    name: str
    pair: Pair | None
    kind: str
    limit: Decimal
    until: Decimal
    window: int = 0
    hold: int = 0
    level: int = logging.WARNING
    condition: str = ""
    text: str = ""

    @property
    def reach(self) -> int:
        """The seconds of rows before a slot that the rule may look at.

        The slot in which a hold was long enough may be missed, and the priced one before it a hole earlier.
        """
        hold = self.hold + _HOLE_SECONDS if self.hold else 0
        return self.window + self.window // BUCKETS + hold


class Verdict(Enum):
    """What a slot says about a rule."""

    ON = 1
    OVER = 2
    BETWEEN = 3
    """Neither bound is passed."""


class State:
    """What is known of one rule for one pair. Slots are Unix times."""

    __slots__ = (
        *("on", "since", "low", "high", "first", "priced", "judged", "held"),
        *("lows", "highs", "counts", "seen", "total"),
    )

    def __init__(self, rule: Rule) -> None:
        self.on = False
        self.since = 0
        """The slot in which it began."""
        self.low: Decimal | None = None
        self.high: Decimal | None = None
        """The lowest and highest value since it began."""
        self.first = 0
        """The first slot seen, 0 before any: what lies before it is not known."""
        self.priced: int | None = None
        """The last slot with a price."""
        self.judged: int | None = None
        """The last slot that held something to judge."""
        self.held: int | None = None
        """The slot from which on the condition of the next change has held."""
        on, over = (EXACT.multiply(percent, Decimal("0.01")) for percent in (rule.limit, rule.until))
        self.lows = Extreme(operator.le, (1 + on, 1 + over))
        self.highs = Extreme(operator.ge, (1 - on, 1 - over))
        self.counts: deque[list[int]] = deque()
        """Of `complete`: bucket, seconds with a price, seconds in all; `seen` and `total` are their sums."""
        self.seen = self.total = 0


class Change(NamedTuple):
    """A rule that began, or is over, in the slot of `quote`.

    `value` is what was compared: a price, or a percentage; None where a price is missing. `past` is what it
    was compared with: the price from which it moved, or the seconds without one.
    """

    rule: Rule
    quote: Quote
    on: bool
    unix: int
    since: int
    value: Decimal | None = None
    past: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None


_Judged = tuple[Verdict, Decimal | None] | None
"""What a slot says, and the value that was compared; None where it holds nothing to judge."""


def judge(
    rule: Rule, state: State, quote: Quote, unix: int, interval: int, *, live: bool = True
) -> Change | None:
    """The change that a row brings, or None; keeps in `state` what the next row will need.

    `unix` is the row's slot as Unix time, `interval` the seconds between slots. A row that is not `live` is
    one that a start finds in the log: it is remembered, and changes nothing.
    """
    if not state.first:
        state.first = unix
    judged = _JUDGES[rule.kind](rule, state, quote, unix, interval)
    past = state.priced
    if quote.price is not None:
        state.priced = unix
    if judged is None:
        return None
    verdict, value = judged
    hole = state.judged is not None and unix - state.judged > max(_HOLE_SECONDS, interval)
    state.judged = unix
    if state.on and value is not None and unix >= state.since:
        state.low = value if state.low is None else min(state.low, value)
        state.high = value if state.high is None else max(state.high, value)
    if verdict is not (Verdict.OVER if state.on else Verdict.ON):
        state.held = None
        return None
    if state.held is None or hole:
        state.held = unix
    if not live or unix - state.held < rule.hold:
        return None
    return _flip(rule, state, quote, unix, value, past)


def _flip(
    rule: Rule, state: State, quote: Quote, unix: int, value: Decimal | None, priced: int | None
) -> Change:
    state.on = not state.on
    state.held = None
    since = unix if state.on else state.since
    low, high = state.low, state.high
    state.since, state.low, state.high = (unix, value, value) if state.on else (0, None, None)
    past: Decimal | None = None
    if rule.kind == "missing":
        past = Decimal(unix - (state.first if priced is None else priced))
    elif rule.kind in ("moves", "rises", "falls"):
        past = _moved_from(rule, state, value)
    return Change(rule, quote, state.on, unix, since, value, past, low, high)


def _moved_from(rule: Rule, state: State, price: Decimal | None) -> Decimal | None:
    """The extreme of the window from which the price is farther away, of those that the rule looks at."""
    if price is None:
        return None
    low, high = state.lows.price, state.highs.price
    if rule.kind == "rises":
        return low
    if rule.kind == "falls":
        return high
    # (price - low)/low against (high - price)/high, without a division
    risen, fallen = EXACT.subtract(price, low), EXACT.subtract(high, price)
    return low if EXACT.multiply(risen, high) >= EXACT.multiply(fallen, low) else high


def _passes(rule: Rule, _state: State, quote: Quote, _unix: int, _interval: int) -> _Judged:
    price = quote.price
    if price is None:
        return None
    above = rule.kind == "above"
    if price > rule.limit if above else price < rule.limit:
        return Verdict.ON, price
    over = price < rule.until if above else price > rule.until
    return (Verdict.OVER if over else Verdict.BETWEEN), price


def _moves(rule: Rule, state: State, quote: Quote, unix: int, _interval: int) -> _Judged:
    """Compares with the extremes of the window, which a price from before a hole is part of too."""
    price = quote.price
    if price is None:
        return None
    width = max(1, rule.window // BUCKETS)
    bucket, oldest = unix // width, (unix - rule.window) // width
    low, high = state.lows, state.highs
    low.add(bucket, price, oldest)
    high.add(bucket, price, oldest)
    rise, fall = rule.kind != "falls", rule.kind != "rises"
    if (rise and price >= low.on) or (fall and price <= high.on):
        return Verdict.ON, price
    if (rise and price >= low.over) or (fall and price <= high.over):
        return Verdict.BETWEEN, price
    if state.on and not _knows_window(rule, state, unix) and state.since < state.first:
        return Verdict.BETWEEN, price  # what it began with may lie in the part that is not known
    return Verdict.OVER, price


def _knows_window(rule: Rule, state: State, unix: int) -> bool:
    return unix - state.first >= rule.window


def _missing(rule: Rule, state: State, quote: Quote, unix: int, _interval: int) -> _Judged:
    if quote.price is not None:
        return Verdict.OVER, quote.price
    if not _lived(quote):
        return None
    known = state.first if state.priced is None else state.priced
    return (Verdict.ON if unix - known >= rule.window else Verdict.BETWEEN), None


def _lived(quote: Quote) -> bool:
    """Whether the recorder was at work in the row's slots: its own absence is not the sources'."""
    return quote.price is not None or quote.reason.partition(",")[0] not in _NOT_LIVED


def _apart(rule: Rule, state: State, quote: Quote, _unix: int, _interval: int) -> _Judged:
    """Compares what the sources gave, also where no price came of it: that is when they are far apart."""
    given = [one.price for one in quote.readings if one.price is not None and one.why not in _UNTIMELY]
    if len(given) < 2:
        return None
    middle, count = quote.price, 1
    if middle is None:  # the mean, without the division
        middle, count = reduce(EXACT.add, given), len(given)
    apart = EXACT.multiply(EXACT.subtract(max(given), min(given)), Decimal(100 * count))
    on = apart >= EXACT.multiply(rule.limit, middle)
    value = apart / middle if on or state.on else None  # rounded, for the text only
    if on:
        return Verdict.ON, value
    over = state.on and apart < EXACT.multiply(rule.until, middle)
    return (Verdict.OVER if over else Verdict.BETWEEN), value


def _complete(rule: Rule, state: State, quote: Quote, unix: int, interval: int) -> _Judged:
    """Compares the part of the window's slots that have a price; needs to know the window whole."""
    _count(rule, state, quote, unix, interval)
    if not _lived(quote) or not _knows_window(rule, state, unix):
        return None
    seen, total = state.seen, state.total
    value = Decimal(100 * seen) / total  # rounded, for the text only
    if 100 * seen < rule.limit * total:
        return Verdict.ON, value
    return (Verdict.OVER if 100 * seen >= rule.until * total else Verdict.BETWEEN), value


def _count(rule: Rule, state: State, quote: Quote, unix: int, interval: int) -> None:
    """Adds a row's slots to the buckets that they lie in; a missed row may stand for many slots."""
    width = max(1, rule.window // BUCKETS)
    last = unix + (quote.slots - 1) * interval
    oldest = (last - rule.window) // width
    if quote.slots == 1:
        _add(state, unix // width, interval, priced=quote.price is not None)
    else:
        for bucket in range(max(oldest, unix // width), last // width + 1):
            begin, end = (max(0, -(-(edge * width - unix) // interval)) for edge in (bucket, bucket + 1))
            _add(state, bucket, (min(end, quote.slots) - begin) * interval, priced=False)
    while state.counts and state.counts[0][0] < oldest:
        _, seen, total = state.counts.popleft()
        state.seen, state.total = state.seen - seen, state.total - total


def _add(state: State, bucket: int, seconds: int, *, priced: bool) -> None:
    if not state.counts or state.counts[-1][0] != bucket:
        state.counts.append([bucket, 0, 0])
    state.counts[-1][2] += seconds
    state.total += seconds
    if priced:
        state.counts[-1][1] += seconds
        state.seen += seconds


_JUDGES: dict[str, Callable[[Rule, State, Quote, int, int], _Judged]] = {
    "above": _passes,
    "below": _passes,
    "moves": _moves,
    "rises": _moves,
    "falls": _moves,
    "missing": _missing,
    "apart": _apart,
    "complete": _complete,
}
