"""Liars: how far those of the sources that lie can move a price. A search over their strategies.

Honest sources say 100, or within half a spread of it where the story says so. Where fewer than half lie, a
recorded price is at most three spreads off; where exactly half lie, it is missed, anchored, or within that.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from price.choose import Memory, Rules, choose
from price.model import Pair, Quote, Reading

SLOT = datetime(2026, 11, 20, 15, 52, 5, tzinfo=UTC)
EVERY = timedelta(seconds=5)
BTC = Pair("BTC", "USD")
NAMES = ("coinbase", "kraken", "bitstamp", "gemini", "bitfinex", "binance", "okx", "coingecko")
RULES = Rules(
    quorum=None, interval=EVERY, max_age=timedelta(seconds=60), max_spread=Decimal(1), max_jump=Decimal(5)
)
HONEST = Decimal(100)
AWAY = "timeout"
LIES: tuple[Decimal | str, ...] = (
    AWAY,
    *(HONEST * Decimal(factor) for factor in (
        "0.000001", "0.001", "0.01", "0.5", "0.9", "0.94", "0.9406", "0.95", "0.9501", "0.96", "0.97", "0.98",
        "0.99", "0.995", "1.005", "1.01", "1.0101", "1.02", "1.03", "1.0309", "1.04", "1.05", "1.0501",
        "1.06", "1.0618", "1.07", "1.5", "2", "1000",
    )),
)  # fmt: skip
"""Thirty: nothing at all, a little off, at the bounds of the rules and just beyond, far off, absurd."""


def readings(said: Sequence[Decimal | str]) -> list[Reading]:
    """A reading of each source in turn."""
    return [
        Reading(name, why=one) if isinstance(one, str) else Reading(name, one)
        for name, one in zip(NAMES, said, strict=False)
    ]


def anchored(price: Decimal) -> Memory:
    """The memory of an honest slot before, in which all agreed on a price."""
    return choose(SLOT - EVERY, BTC, readings([price] * 3), SLOT, Memory(), RULES)[1]


def quote(said: Sequence[Decimal | str], memory: Memory, rules: Rules = RULES) -> Quote:
    return choose(SLOT, BTC, readings(said), SLOT, memory, rules)[0]


def off(found: Quote, honest: Decimal = HONEST) -> Decimal:
    """How many spreads a recorded price is off; 0 where the slot was missed.

    In percent of the larger of both, since the width of agreement is measured by the median, lies included.
    """
    return (
        100 * abs(found.price - honest) / max(found.price, honest) if found.price is not None else Decimal(0)
    )


def strategies(liars: int) -> Iterator[tuple[Decimal | str, ...]]:
    """What so many liars may say: every choice of lies for up to three, a part of them for four."""
    lies = LIES if liars < 4 else LIES[::3]
    return combinations_with_replacement(lies, liars)


MEMORIES = {
    "no memory": Memory(),
    "the same": anchored(HONEST),
    "a bit off": anchored(HONEST * Decimal("0.995")),
    "far off": anchored(HONEST * Decimal("0.96")),
}
"""What is remembered: nothing, or an honest price of five seconds ago."""
SEARCHES = [(sources, liars) for sources in range(2, 9) for liars in range(1, sources // 2 + 1)]


@pytest.mark.parametrize(("sources", "liars"), SEARCHES)
@pytest.mark.parametrize("memory", MEMORIES)
def test_no_strategy_of_up_to_half_of_the_sources_moves_a_price_by_more_than_three_spreads(
    sources: int, liars: int, memory: str
) -> None:
    for lies in strategies(liars):
        said = [*[HONEST] * (sources - liars), *lies]

        found = quote(said, MEMORIES[memory])

        assert off(found) <= 3, said
        if 2 * liars < sources:
            assert found.price == HONEST or found.reason.startswith("quorum"), said


@pytest.mark.parametrize(("sources", "liars"), SEARCHES)
def test_nor_does_any_with_a_quorum_of_one_or_in_repair_which_remembers_nothing(
    sources: int, liars: int
) -> None:
    rules = RULES._replace(quorum=1)
    for lies in strategies(liars):
        assert off(quote([*[HONEST] * (sources - liars), *lies], Memory(), rules)) <= 3


def test_two_of_four_at_a_thousand_times_the_price_are_missed_or_anchored() -> None:
    said = [HONEST, HONEST, 1000 * HONEST, 1000 * HONEST]

    assert quote(said, Memory()).reason == "disagree"
    assert quote(said, anchored(HONEST)).sources == NAMES[:2]


ANY_LIE = st.sampled_from(LIES) | st.decimals("0.01", "100000", places=2)
HONEST_ONES = st.lists(st.decimals("99.5", "100.5", places=3), min_size=2, max_size=8)


@given(st.data(), HONEST_ONES)
def test_where_honest_sources_differ_fewer_liars_than_half_move_a_price_by_at_most_three_spreads(
    data: st.DataObject, honest: list[Decimal]
) -> None:
    most = min(len(honest) - 1, 8 - len(honest))
    lies = data.draw(st.lists(ANY_LIE, max_size=most))
    said = data.draw(st.permutations([*honest, *lies]))

    found = quote(said, Memory())

    if found.price is not None:
        assert min(honest) - 3 <= found.price <= max(honest) + 3


@st.composite
def slots(draw: st.DrawFn) -> tuple[int, list[tuple[Decimal, list[Decimal | str]]]]:
    """Honest prices of slot after slot, and what fewer than half or half of the sources say instead."""
    sources = draw(st.integers(2, 6))
    liars = draw(st.integers(1, sources // 2))
    price, found = HONEST, []
    for _ in range(draw(st.integers(1, 30))):
        price *= 1 + draw(st.sampled_from((0, 0, 0, 1, -1, 3, -3, 20))) / Decimal(1000)
        lies = draw(st.lists(st.sampled_from(LIES), min_size=liars, max_size=liars))
        found.append((price, [one if isinstance(one, str) else one * price / HONEST for one in lies]))
    return sources, found


@given(slots())
def test_over_time_a_price_is_within_three_spreads_of_the_honest_one_now_or_of_the_last_minute(
    story: tuple[int, list[tuple[Decimal, list[Decimal | str]]]],
) -> None:
    sources, said = story
    memory = Memory()
    for number, (honest, lies) in enumerate(said):
        moment = SLOT + number * EVERY
        found, memory = choose(
            moment, BTC, readings([*[honest] * (sources - len(lies)), *lies]), moment, memory, RULES
        )

        if 2 * len(lies) < sources:
            assert off(found, honest) <= 3
        else:  # an anchor is at most twelve slots old, and was within three spreads of the honest price
            past = [price for price, _ in said[max(0, number - 12) : number + 1]]
            assert min(off(found, price) for price in past) <= 4


def test_a_frozen_source_does_not_win_for_ever_over_one_that_moves() -> None:
    memory, rows = Memory(), []
    for number in range(85):
        moment = SLOT + number * EVERY
        moving = HONEST if number < 3 else HONEST * Decimal("1.3")
        third = HONEST if number < 3 else AWAY
        found, memory = choose(
            moment, BTC, readings([HONEST, moving, third]), moment, memory, RULES._replace(quorum=1)
        )
        rows.append(found.reason.split(",")[0] or str(found.price))

    assert rows[:3] == ["100"] * 3
    assert rows[3:15] == ["100"] * 12
    assert set(rows[15:]) == {"disagree"}


@pytest.mark.parametrize("every", [5, 60, 300, 3600])
def test_a_lone_absurd_price_is_unconfirmed_in_slots_of_any_length(every: int) -> None:
    rules = RULES._replace(interval=timedelta(seconds=every), quorum=1)
    moments = [SLOT + timedelta(seconds=every * number) for number in range(2)]
    _, memory = choose(moments[0], BTC, readings([HONEST, AWAY]), moments[0], Memory(), rules)

    found, _ = choose(moments[1], BTC, readings([HONEST * 1000, AWAY]), moments[1], memory, rules)

    assert found.reason == "unconfirmed,kraken:timeout"


@pytest.mark.parametrize("every", [5, 60, 300, 3600])
def test_two_camps_are_told_apart_for_three_slots_of_any_length(every: int) -> None:
    rules = RULES._replace(interval=timedelta(seconds=every))
    memory, rows = Memory(), []
    for number in range(20):
        moment = SLOT + timedelta(seconds=every * number)
        said = [HONEST] * 4 if number == 0 else [HONEST, HONEST, 2 * HONEST, 2 * HONEST]
        found, memory = choose(moment, BTC, readings(said), moment, memory, rules)
        rows.append(found.reason or str(found.price))

    told = 12 if every == 5 else 3
    assert rows == ["100"] * (1 + told) + ["disagree"] * (19 - told)
