"""Which price is chosen, rule by rule."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from price.choose import Memory, Rules, choose
from price.confirm import Anchor, Jump
from price.log.row import plain, quote_of, read, write
from price.model import Pair, Quote, Reading
from price.recorder.ledger import restored
from price.sources.strictjson import read_price

SLOT = datetime(2026, 11, 20, 15, 52, 5, tzinfo=UTC)
NOW = SLOT + timedelta(seconds=0.3)
BTC = Pair("BTC", "USD")
NAMES = ("coinbase", "kraken", "bitstamp", "gemini", "bitfinex", "okx")
RULES = Rules(
    quorum=1,
    interval=timedelta(seconds=5),
    max_age=timedelta(seconds=60),
    max_spread=Decimal(1),
    max_jump=Decimal(5),
)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def readings(*prices: str) -> list[Reading]:
    """A reading of each source in turn: a price, or the word for why there is none."""
    return [
        Reading(name, Decimal(text)) if text[:1].isdigit() else Reading(name, why=text)
        for name, text in zip(NAMES, prices, strict=False)
    ]


def agreed(price: Decimal | str | None, ago: float = 5) -> Memory:
    """The memory of a price that sources agreed on some seconds before the slot; of nothing for None."""
    last = Decimal(price) if price else None
    return Memory(last, Anchor(last, SLOT - seconds(ago))) if last else Memory()


def after(*readings: Reading) -> Memory:
    """The memory of a slot before with these readings."""
    return choose(SLOT - seconds(5), BTC, readings, NOW, Memory(), RULES)[1]


def quote(said: Sequence[Reading], memory: Memory | None = None, rules: Rules = RULES) -> Quote:
    return choose(SLOT, BTC, said, NOW, memory or Memory(), rules)[0]


def chosen(*prices: str, last: str = "", ago: float = 5, rules: Rules = RULES) -> str:
    """The price and the sources, or the reason, as they would stand in the row."""
    return write(quote(readings(*prices), agreed(last, ago), rules)).split(" ", 2)[2]


def aged(age: float, memory: Memory | None = None, price: str = "100") -> Quote:
    return quote([Reading("coinbase", Decimal(price), time=NOW - seconds(age))], memory)


@pytest.mark.parametrize(
    ("before", "age", "reason"),
    [
        (None, 0, ""),
        (None, 60, ""),
        (None, 60.001, "coinbase:stale"),
        (None, 1e6, "coinbase:stale"),
        (3, 3, ""),
        (3, 2, ""),
        (3, 3.001, "coinbase:backward"),
        (0, 61, "coinbase:stale"),  # and backward
        (-5, 0, "coinbase:backward"),  # a little ahead counts
        *[(ahead, 60, "") for ahead in (-5.001, -3600, -1e9)],  # far ahead says nothing
        *[(None, ahead, "") for ahead in (-5.001, -3600, -1e9)],
    ],
)
def test_a_price_counts_if_its_own_time_is_young_and_not_before_the_newest_of_its_source(
    before: float | None, age: float, reason: str
) -> None:
    time = None if before is None else NOW - seconds(before)
    memory = after(Reading("coinbase", Decimal(100), time=time), Reading("kraken", Decimal(100), time=NOW))

    assert aged(age, memory).reason == reason


def test_a_timestamp_that_a_clock_stepped_back_has_put_ahead_is_ignored() -> None:
    memory = after(Reading("coinbase", Decimal(100), time=NOW))
    then = SLOT - seconds(3600)

    found, _ = choose(then, BTC, [Reading("coinbase", Decimal(100), time=then)], then, memory, RULES)

    assert found.price == 100


@pytest.mark.parametrize(
    ("price", "why", "reason"),
    [("100", "", "coinbase:backward"), ("100", "stale", "coinbase:backward"), (None, "unreadable", "")],
)
def test_the_newest_timestamp_is_that_of_any_readable_answer(
    price: str | None, why: str, reason: str
) -> None:
    before = Reading("coinbase", Decimal(price) if price else None, why, time=NOW - seconds(1))

    assert aged(2, after(before)).reason == reason


def test_the_newest_timestamp_never_falls() -> None:
    memory = after(Reading("coinbase", Decimal(100), time=NOW))
    _, memory = choose(
        SLOT, BTC, [Reading("coinbase", Decimal(100), time=NOW - seconds(9))], NOW, memory, RULES
    )

    assert aged(8, memory).reason == "coinbase:backward"


def test_a_reading_without_a_timestamp_is_neither_stale_nor_backward() -> None:
    assert quote(readings("100"), after(Reading("coinbase", Decimal(100), time=NOW))).price == 100


@pytest.mark.parametrize(
    ("prices", "row"),
    [
        (("100", "100.5", "101"), "100.5 coinbase,kraken,bitstamp"),
        (("100", "100", "101"), "100 coinbase,kraken,bitstamp"),
        (("100", "100", "101.0001"), "100 coinbase,kraken"),
        (("99", "100", "101"), "100 coinbase,kraken,bitstamp"),
        (("98", "100", "102"), "100 coinbase,kraken,bitstamp"),  # five deviations of 2
        (("97", "100", "103"), "100 coinbase,kraken,bitstamp"),  # three spreads
        (("97", "100", "103.0001"), "98.5 coinbase,kraken"),
        (("96.9", "100", "103.1"), "- disagree"),
        (("100", "150", "200"), "- disagree"),
        (("100", "100", "200", "200"), "- disagree"),
        (("100", "90", "110", "100.1"), "- disagree"),  # two of four are not more than half
        (("100", "90", "100.2", "100.1"), "100.1 coinbase,bitstamp,gemini"),
        (("100", "100.1", "100.2", "50"), "100.1 coinbase,kraken,bitstamp"),
        (("100", "100.1", "100.2", "100.3", "1"), "100.15 coinbase,kraken,bitstamp,gemini"),
        (("100", "timeout", "100.2", "100.1"), "100.1 coinbase,bitstamp,gemini"),
    ],
)
def test_of_three_or_more_those_far_from_the_median_are_left_out(prices: tuple[str, ...], row: str) -> None:
    assert chosen(*prices) == row


def test_the_bound_of_an_outlier_is_exact() -> None:
    exact, above = "101.0000000000000000000000000000000000", "101.0000000000000000000000000000000001"

    assert chosen("100", "100", exact) == "100 coinbase,kraken,bitstamp"
    assert chosen("100", "100", above) == "100 coinbase,kraken"


def test_five_deviations_reach_farther_than_the_spread_where_all_are_scattered() -> None:
    assert chosen("99.6", "100", "100", "100.4", "102") == "100 " + ",".join(NAMES[:5])
    assert chosen("99.6", "100", "100", "100.4", "102.0001") == "100 coinbase,kraken,bitstamp,gemini"


@pytest.mark.parametrize(
    ("prices", "last", "row"),
    [
        (("100", "101"), "", "100.5 coinbase,kraken"),
        (("100", "101.005"), "", "100.5025 coinbase,kraken"),  # less than a percent of the mean
        (("99.5", "100.5"), "", "100 coinbase,kraken"),  # a percent of the mean
        (("99.5", "100.5000000001"), "", "- disagree"),
        (("100", "120"), "", "- disagree"),
        (("100", "120"), "100", "100 coinbase"),
        (("100", "120"), "119", "120 kraken"),
        (("100", "120"), "110", "- disagree"),
        (("100", "105"), "100", "- disagree"),  # five percent may be the market
        (("100", "105.0001"), "100", "100 coinbase"),
        (("100", "94.9999"), "100", "100 coinbase"),
        (("100", "101.5"), "100.7", "100.75 coinbase,kraken"),  # both are near
        (("100.7", "99.3", "120"), "100", "100 coinbase,kraken"),
        (("100", "100", "120", "120"), "100", "100 coinbase,kraken"),
        (("100", "100", "120", "80"), "100", "100 coinbase,kraken"),
        (("100", "95.1", "120"), "100", "- disagree"),
        (("100", "120", "80"), "100", "100 coinbase"),
        (("100", "120", "80"), "150", "- disagree"),
        (("99", "120"), "100", "99 coinbase"),  # a percent of the last price
        (("98.9999", "120"), "100", "- disagree"),
        (("101", "120"), "100", "101 coinbase"),
        (("120", "99", "timeout"), "100", "99 kraken"),
    ],
)
def test_where_nobody_agrees_the_anchor_decides(prices: tuple[str, ...], last: str, row: str) -> None:
    rules = RULES._replace(quorum=1)

    assert chosen(*prices, last=last, rules=rules) == row


@pytest.mark.parametrize(
    ("ago", "every", "row"),
    [
        (60, 5, "100 coinbase"),
        (61, 5, "- disagree"),
        (180, 60, "100 coinbase"),
        (181, 60, "- disagree"),
        (10800, 3600, "100 coinbase"),
    ],
)
def test_an_anchor_is_at_most_a_minute_or_three_slots_old(ago: float, every: int, row: str) -> None:
    assert chosen("100", "120", last="100", ago=ago, rules=RULES._replace(interval=seconds(every))) == row


@pytest.mark.parametrize(
    ("before", "row"),
    [
        (("100", "100.2"), "100 coinbase"),
        (("100", "timeout"), "- disagree"),  # one of two is no agreement
        (("100", "timeout", "100.2"), "100 coinbase"),
        (("100",), "100 coinbase"),  # the pair had only one source
    ],
)
def test_an_anchor_rests_on_two_agreeing_sources_or_on_the_only_one(
    before: tuple[str, ...], row: str
) -> None:
    memory = after(*readings(*before))

    assert write(quote(readings("100", "120"), memory)).split(" ", 2)[2] == row


def test_a_price_chosen_by_the_anchor_is_no_anchor() -> None:
    memory, rows = after(*readings("100", "100", "100", "100")), []
    for number in range(14):
        slot = SLOT + seconds(5 * number)
        found, memory = choose(slot, BTC, readings("100", "100", "200", "200"), slot, memory, RULES)
        rows.append(found.reason or ",".join(found.sources))

    assert rows == ["coinbase,kraken"] * 12 + ["disagree"] * 2


def recorded(*rows: str) -> list[Quote]:
    """The pair's rows of the slots up to the one before SLOT."""
    moments = [SLOT - seconds(5 * (len(rows) - number)) for number in range(len(rows))]
    return [
        quote_of(read(f"{moment:%Y-%m-%dT%H:%M:%SZ} BTC-USD {row}"))
        for moment, row in zip(moments, rows, strict=True)
    ]


@pytest.mark.parametrize(
    ("rows", "sources", "price", "anchor"),
    [
        ([], 3, None, None),
        (["100 coinbase,kraken"], 3, "100", "100"),
        (["100 coinbase,kraken"], 4, "100", None),  # half of them: maybe the anchor picked them
        (["99 coinbase,kraken,okx", "100 coinbase,kraken"], 4, "100", "99"),
        (["99 coinbase,kraken", "100 coinbase"], 2, "100", "99"),
        (["100 coinbase"], 1, "100", "100"),
        (["99 coinbase,kraken", "- disagree"], 3, "99", "99"),
    ],
)
def test_rows_tell_a_restart_what_to_remember(
    rows: list[str], sources: int, price: str | None, anchor: str | None
) -> None:
    memory = restored(recorded(*rows), sources)

    assert memory.price == (Decimal(price) if price else None)
    assert (memory.anchor.price if memory.anchor else None) == (Decimal(anchor) if anchor else None)


def test_what_sources_have_said_outlives_another_log() -> None:
    known = after(Reading("coinbase", Decimal(100), time=NOW))

    assert aged(1, restored([], 1, known)).reason == "coinbase:backward"


def test_the_one_put_aside_by_the_last_price_is_an_outlier() -> None:
    found = quote(readings("100", "120"), agreed("100"))

    assert [reading.why for reading in found.readings] == ["", "outlier"]
    assert found.readings[1].price == 120


def test_what_disagrees_is_no_outlier_but_what_was_left_out_before_is() -> None:
    assert chosen("100", "timeout", "120") == "- disagree,kraken:timeout"
    assert chosen("100", "100.9", "100.1", "1", rules=RULES._replace(quorum=4)) == "- quorum,gemini:outlier"


@pytest.mark.parametrize(
    ("prices", "row"),
    [
        (("100", "100.1"), "100.05 coinbase,kraken"),
        (("100", "timeout"), "- quorum,kraken:timeout"),
        (("timeout", "unreachable"), "- coinbase:timeout,kraken:unreachable"),
        (("100", "120"), "- disagree"),
    ],
)
def test_fewer_than_the_quorum_are_no_price(prices: tuple[str, ...], row: str) -> None:
    assert chosen(*prices, rules=RULES._replace(quorum=2)) == row


def test_a_quorum_counts_what_is_left_after_outliers() -> None:
    rules = RULES._replace(quorum=2)

    assert chosen("100", "120", last="100", rules=rules) == "- quorum,kraken:outlier"


@pytest.mark.parametrize(
    ("price", "row"),
    [
        ("105", "105 coinbase"),
        ("95", "95 coinbase"),
        ("105.00000001", "- unconfirmed"),
        ("94.9999", "- unconfirmed"),
    ],
)
def test_a_lone_price_may_move_so_far_and_no_farther(price: str, row: str) -> None:
    assert chosen(price, last="100") == row


@pytest.mark.parametrize("ago", [60, 3600, 1e6])
def test_a_lone_price_may_not_jump_however_old_the_last_one_is(ago: float) -> None:
    assert chosen("500", last="100", ago=ago) == "- unconfirmed"


@pytest.mark.parametrize(
    ("quorum", "sources", "least"),
    [(None, 1, 1), (None, 2, 1), (None, 3, 2), (None, 8, 2), (1, 8, 1), (4, 5, 4)],
)
def test_the_quorum_is_two_from_three_sources_on_where_it_is_not_set(
    quorum: int | None, sources: int, least: int
) -> None:
    assert RULES._replace(quorum=quorum).quorum_of(sources) == least


def slots(*prices: str, start: Memory | None = None, skip: int = 0) -> list[str]:
    """What is recorded in slot after slot; `skip` leaves out the slot of that number."""
    memory, found = start or agreed("100"), []
    for number, price in enumerate(prices):
        slot = SLOT + seconds(5 * (number + (1 if skip and number >= skip else 0)))
        said = [Reading("kraken", Decimal(price[1:]))] if price[0] == "k" else readings(*price.split("/"))
        made, memory = choose(slot, BTC, said, slot, memory, RULES)
        found.append(plain(made.price) if made.price is not None else made.reason.split(",")[0])
    return found


@pytest.mark.parametrize(
    ("prices", "found"),
    [
        (("110", "110", "110"), ["unconfirmed", "unconfirmed", "110"]),
        (("110", "111.1", "108.9"), ["unconfirmed", "unconfirmed", "108.9"]),  # a percent of the first
        (("110", "111.11", "111"), ["unconfirmed"] * 3),  # something else: it begins anew
        (("110", "111.11", "111", "111"), ["unconfirmed"] * 3 + ["111"]),
        (("110", "100", "110", "110"), ["unconfirmed", "100", "unconfirmed", "unconfirmed"]),
        (("110", "timeout", "110", "110"), ["unconfirmed", "coinbase:timeout", "unconfirmed", "unconfirmed"]),
        (("110", "k110", "110"), ["unconfirmed"] * 3),  # another source is another count
        (("110", "110/110", "110"), ["unconfirmed", "110", "110"]),
        (("110", "110", "110", "121", "121", "121"),
            ["unconfirmed", "unconfirmed", "110", "unconfirmed", "unconfirmed", "121"]),
    ],
)  # fmt: skip
def test_a_jump_is_believed_in_the_third_slot_in_a_row(prices: tuple[str, ...], found: list[str]) -> None:
    assert slots(*prices) == found


def test_a_slot_that_was_late_begins_the_confirmation_anew() -> None:
    assert slots("110", "110", "110", "110", skip=2) == ["unconfirmed"] * 4


def test_a_jump_that_is_remembered_is_forgotten_with_a_price() -> None:
    jump = Jump("coinbase", Decimal(110), SLOT - seconds(5), 2)

    _, memory = choose(SLOT, BTC, readings("100"), NOW, Memory(Decimal(100), jump=jump), RULES)

    assert memory.jump is None


def still(price: str, *, moving: int, standing: int, slots: int, every: int = 60) -> str:
    """The last row after so many slots in which `standing` sources stood still and others moved a little."""
    memory, row = Memory(), ""
    rules = RULES._replace(interval=seconds(every))
    for number in range(slots):
        slot = SLOT + seconds(every * number)
        moved = [str(100 + Decimal(number % 7) / 100)] * moving
        found, memory = choose(slot, BTC, readings(*[price] * standing, *moved), slot, memory, rules)
        row = write(found).split(" ")[3]
    return row


@pytest.mark.parametrize(
    ("standing", "moving", "slots", "every", "row"),
    [
        (1, 2, 60, 60, "coinbase,kraken,bitstamp"),
        (1, 2, 61, 60, "kraken,bitstamp"),
        (1, 1, 61, 60, "kraken"),
        (2, 1, 61, 60, "coinbase,kraken,bitstamp"),  # one that moves makes no two stale
        (2, 2, 61, 60, "coinbase,kraken,bitstamp,gemini"),  # nor do half of them
        (2, 3, 61, 60, "bitstamp,gemini,bitfinex"),
        (2, 0, 61, 60, "coinbase,kraken"),
        (1, 2, 721, 5, "kraken,bitstamp"),
        (1, 2, 12, 3600, "coinbase,kraken,bitstamp"),  # in long slots it takes twelve
        (1, 2, 13, 3600, "kraken,bitstamp"),
    ],
)
def test_a_price_that_stands_still_for_an_hour_while_more_than_half_move_is_stale(
    standing: int, moving: int, slots: int, every: int, row: str
) -> None:
    assert still("100.03", moving=moving, standing=standing, slots=slots, every=every) == row


def test_a_price_that_moves_again_is_no_longer_stale() -> None:
    memory = Memory()
    for number in range(65):
        slot = SLOT + seconds(60 * number)
        standing = "100.5" if number == 64 else "100"
        found, memory = choose(
            slot,
            BTC,
            readings(standing, str(100 + number % 2)),
            slot,
            memory,
            RULES._replace(interval=seconds(60)),
        )

    assert found.sources == ("coinbase", "kraken")


def test_the_pictures_of_the_page_on_choosing_are_true() -> None:
    outlier = chosen("100", "99.8", "100.2", "107", rules=RULES._replace(quorum=None))
    camps = [chosen("100", "100", "120", "120", last="100", ago=ago) for ago in (10, 65)]
    jump = slots("100/100", "112/timeout", "112/timeout", "112/timeout")

    assert outlier == "100 coinbase,kraken,bitstamp"
    assert camps == ["100 coinbase,kraken", "- disagree"]
    assert jump == ["100", "unconfirmed", "unconfirmed", "112"]


def test_no_reading_at_all_is_no_price() -> None:
    assert quote([]).price is None


def test_the_mean_of_two_long_prices_is_exact_to_the_last_digit() -> None:
    one = "12345678901234567890.123456789012345678901234567891"
    two = "12345678901234567890.123456789012345678901234567890"

    assert chosen(one, two) == "12345678901234567890.1234567890123456789012345678905 coinbase,kraken"


def test_the_surrounding_precision_changes_nothing() -> None:
    with localcontext(Context(prec=3)):
        assert chosen("97123.45", "97123.47") == "97123.46 coinbase,kraken"


@st.composite
def prices(draw: st.DrawFn) -> Decimal:
    """Whatever the wire lets through: up to 50 digits, from 1e-100 to under 1e24."""
    digits = draw(st.integers(1, 10**50 - 1))
    exponent = draw(st.integers(-100, 24 - len(str(digits))))
    return read_price(Decimal(f"{digits}e{exponent}"))


NEAR = st.decimals(95, 105, places=3)
ANY_READINGS = st.lists(
    st.one_of(
        st.builds(lambda price, age: (price, age), prices() | NEAR, st.none() | st.floats(-10, 100)),
        st.sampled_from(["timeout", "busy", "resting"]),
    ),
    min_size=1,
    max_size=6,
)
LAST = st.none() | prices() | NEAR


def made(said: list[tuple[Decimal, float | None] | str]) -> list[Reading]:
    return [
        Reading(name, why=one)
        if isinstance(one, str)
        else Reading(name, one[0], time=None if one[1] is None else NOW - seconds(one[1]))
        for name, one in zip(NAMES, said, strict=False)
    ]


@given(ANY_READINGS, LAST, st.integers(1, 6), st.integers(5, 100), st.none() | prices())
def test_every_slot_has_a_price_within_the_kept_readings_or_a_reason(
    said: list[tuple[Decimal, float | None] | str],
    last: Decimal | None,
    quorum: int,
    ago: int,
    jumped: Decimal | None,
) -> None:
    jump = None if jumped is None else Jump("coinbase", jumped, SLOT - seconds(5), 2)
    memory = agreed(last, ago)._replace(jump=jump)

    found = quote(made(said), memory, RULES._replace(quorum=quorum))

    again = quote_of(read(write(found)))
    assert (again.price, again.sources, again.reason) == (found.price, found.sources, found.reason)
    assert (found.price is None) == bool(found.reason)
    kept = [one.price for one in found.readings if one.source in found.sources and one.price is not None]
    assert len(kept) == len(found.sources)
    assert all(not one.why for one in found.readings if one.source in found.sources)
    if found.price is not None:
        assert min(kept) <= found.price <= max(kept)
        assert len(kept) >= quorum


@given(ANY_READINGS, LAST, st.randoms(use_true_random=False))
def test_the_order_of_the_sources_does_not_change_the_price(
    said: list[tuple[Decimal, float | None] | str], last: Decimal | None, chance: random.Random
) -> None:
    memory = agreed(last)
    readings = made(said)
    shuffled = readings[:]
    chance.shuffle(shuffled)

    one, other = quote(readings, memory), quote(shuffled, memory)

    assert one.price == other.price
    assert set(one.sources) == set(other.sources)
    assert sorted(one.reason.split(",")) == sorted(other.reason.split(","))


@given(st.lists(NEAR | prices(), min_size=2, max_size=5), prices() | NEAR)
@example(others=[Decimal("95.000"), Decimal("97.939")], liar=Decimal("99.898"))
def test_no_single_source_moves_the_price_beyond_the_range_of_others_or_far_beyond_that_of_two(
    others: list[Decimal], liar: Decimal
) -> None:
    said = [Reading(name, price) for name, price in zip(NAMES, [liar, *others], strict=False)]
    low, high = min(others), max(others)

    found = quote(said)

    with localcontext(Context(prec=300)):
        # three spreads: it may make one of two that is far from the other an outlier
        slack = 3 * high / 100 if len(others) == 2 else 0
        assert found.price is None or low - slack <= found.price <= high + slack
