"""Prices with holes, and what rules make of them."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from hypothesis import strategies as st

from price import times
from price.alerts.parse import parse
from price.alerts.rules import Change, Rule, State, judge
from price.model import Pair, Quote, Reading

BTC = Pair("BTC", "USD")
START = times.unix(times.parse_iso("2026-11-20T15:00:00Z"))
EVERY = 5


def rules(text: str, interval: int = EVERY) -> tuple[Rule, ...]:
    """The rules of a text that has no fault."""
    found, faults = parse(text, None, interval)
    assert faults == ()
    return found


def rule(text: str, interval: int = EVERY) -> Rule:
    (one,) = rules(text, interval)
    return one


def quote(unix: int, price: str | Decimal | None, reason: str = "quorum", slots: int = 1) -> Quote:
    """A row of BTC-USD; a missed one where there is no price."""
    slot = times.from_unix(unix)
    if price is None:
        return Quote(slot, BTC, reason=reason, slots=slots)
    return Quote(slot, BTC, Decimal(price), ("kraken",))


def said(unix: int, *prices: str, price: str | None = None, whys: Sequence[str] = ()) -> Quote:
    """A row with what each source gave."""
    words = [*whys, *[""] * len(prices)]
    readings = tuple(Reading(f"s{number}", Decimal(one), words[number]) for number, one in enumerate(prices))
    return Quote(times.from_unix(unix), BTC, Decimal(price) if price else None, readings=readings)


def series(*prices: str | None, every: int = EVERY, start: int = START) -> list[Quote]:
    """Rows, one a slot."""
    return [quote(start + number * every, price) for number, price in enumerate(prices)]


def run(one: Rule, quotes: Iterable[Quote], state: State | None = None, every: int = EVERY) -> list[Change]:
    """The changes that rows bring."""
    state = state or State(one)
    found = [judge(one, state, row, times.unix(row.slot), every) for row in quotes]
    return [change for change in found if change is not None]


def shown(changes: Iterable[Change]) -> list[str]:
    """Changes as `+3` and `-12`: on in the fourth slot, over in the thirteenth."""
    return [f"{'+' if one.on else '-'}{(one.unix - START) // EVERY}" for one in changes]


STEPS = st.lists(
    st.one_of(
        st.integers(9000, 11000),  # a price, in cents
        st.none(),  # missed
        st.integers(-40, -1),  # that many slots `down`
    ),
    max_size=120,
)
RULES = st.sampled_from(
    [
        "any above 100",
        "any above 100 until 99.5",
        "any below 100 for 30s",
        "any above 102 until 98 for 10s",
        "any moves 5% in 2m",
        "any rises 3% in 5m for 15s",
        "any falls 4% in 90s",
        "any missing 20s",
        "any complete below 80% in 2m",
    ]
)


def rows(steps: Iterable[int | None]) -> list[Quote]:
    """Steps as the rows of a recorder."""
    found: list[Quote] = []
    unix = START
    for step in steps:
        if step is not None and step < 0:
            found.append(quote(unix, None, "down", -step))
            unix += -step * EVERY
        else:
            found.append(quote(unix, None if step is None else Decimal(step) / 100))
            unix += EVERY
    return found
