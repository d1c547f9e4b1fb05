"""What rules promise, whatever prices come."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from price import times
from price.alerts.rules import Change, State, judge
from price.model import Quote
from tests.alerts.walking import EVERY, RULES, START, STEPS, quote, rows, rule, run, said, series, shown


@given(RULES, STEPS)
def test_changes_alternate_on_and_over_and_each_over_names_its_beginning(text: str, steps: list[int]) -> None:
    changes = run(rule(text), rows(steps))

    assert [change.on for change in changes] == [number % 2 == 0 for number in range(len(changes))]
    assert [over.since for over in changes[1::2]] == [on.unix for on in changes[: len(changes) // 2 * 2 : 2]]


@given(RULES, STEPS, st.integers(0, 120))
@example("any above 102 until 98 for 10s", [10244, None, None, None, 10244], 4)  # a hold over missed slots
def test_a_restart_anywhere_brings_the_same_changes(text: str, steps: list[int], cut: int) -> None:
    """What is saved is on and since; everything else is read from the log's end, silently."""
    one, all_rows = rule(text), rows(steps)
    recorded = all_rows[:cut]
    state = State(one)
    before = run(one, recorded, state)

    again = State(one)
    again.on, again.since, again.low, again.high = state.on, state.since, state.low, state.high
    end = times.unix(recorded[-1].slot) if recorded else START
    again.priced = state.priced
    for row in recorded:
        unix = times.unix(row.slot)
        if unix + (row.slots - 1) * EVERY >= end - one.reach:
            assert judge(one, again, row, unix, EVERY, live=False) is None
    after = run(one, all_rows[cut:], again)

    assert _bare([*before, *after]) == _bare(run(one, all_rows))


def _bare(changes: list[Change]) -> list[tuple[bool, int, int]]:
    return [(one.on, one.unix, one.since) for one in changes]


@given(RULES, STEPS)
def test_without_a_price_only_rules_of_absence_change(text: str, steps: list[int]) -> None:
    one = rule(text)

    unpriced = [change for change in run(one, rows(steps)) if change.quote.price is None]

    assert unpriced == [] or one.kind in ("missing", "complete")


@given(st.sampled_from(["above", "below"]), st.sampled_from(["", " for 20s"]), STEPS)
def test_on_means_past_the_limit_and_over_means_past_the_other_bound(
    kind: str, hold: str, steps: list[int]
) -> None:
    one = rule(f"any {kind} 100{hold}")

    for change in run(one, rows(steps)):
        price, past = change.quote.price, one.limit if change.on else one.until
        assert price is not None
        assert price > past if change.on == (kind == "above") else price < past


@given(RULES, RULES, STEPS, STEPS)
def test_other_rules_and_other_pairs_change_nothing(
    text: str, other: str, steps: list[int], others: list[int]
) -> None:
    one, another = rule(text), rule(other)
    state, another_state = State(one), State(another)
    found = []
    for row, their_row in zip(rows(steps), rows([*others, *[None] * len(steps)]), strict=False):
        judge(another, another_state, their_row, times.unix(their_row.slot), EVERY)
        change = judge(one, state, row, times.unix(row.slot), EVERY)
        found += [change] if change else []

    assert _bare(found) == _bare(run(one, rows(steps)))


@given(
    RULES.filter(lambda text: "missing" not in text and "for" not in text),
    st.sampled_from([5, 20, 60]),
    STEPS,
)
def test_a_hold_never_adds_changes(text: str, hold: int, steps: list[int]) -> None:
    plain, held = rule(text), rule(f"{text} for {hold}s")

    assert len(run(held, rows(steps))) <= len(run(plain, rows(steps)))


@given(st.sampled_from(["moves", "rises", "falls"]), st.sampled_from([60, 120, 300, 3600]), STEPS)
def test_moves_are_those_of_brute_force_within_a_sixtieth_of_the_window(
    kind: str, window: int, steps: list[int]
) -> None:
    one = rule(f"any {kind} 5% in {window}s")
    all_rows = rows(steps)

    on = False
    state = State(one)
    for number, row in enumerate(all_rows):
        change = judge(one, state, row, times.unix(row.slot), EVERY)
        least = _move(kind, all_rows[: number + 1], window)
        most = _move(kind, all_rows[: number + 1], window + window // 60)
        if change:
            on = change.on
            assert most >= 5 if on else least < Decimal("2.5")
        elif row.price is not None:
            assert least < 5 or on
            assert most >= Decimal("2.5") or not on


def _move(kind: str, seen: list[Quote], window: int) -> Decimal:
    price = seen[-1].price
    if price is None:
        return Decimal(0)
    since = times.unix(seen[-1].slot) - window
    known = [row.price for row in seen if row.price is not None and times.unix(row.slot) >= since]
    rise, fall = (price - min(known)) / min(known) * 100, (max(known) - price) / max(known) * 100
    return {"rises": rise, "falls": fall}.get(kind, max(rise, fall))


@pytest.mark.parametrize(
    ("text", "prices", "changes"),
    [
        ("any above 100", ["100", "100.01", "99.6", "99.5", "99.49", "100"], ["+1", "-4"]),
        ("any below 100", ["100", "99.99", "100.4", "100.5", "100.51"], ["+1", "-4"]),
        ("any above 100 until 90", ["101", "90", "89.9"], ["+0", "-2"]),
        ("any above 100 until 100", ["101", "100", "99.9", "100.1"], ["+0", "-2", "+3"]),
        ("any rises 5% in 1m", ["100", "104.9", "105", "102.5", "102.4"], ["+2", "-4"]),
        ("any falls 5% in 1m", ["100", "95.1", "95", "97.5", "97.6"], ["+2", "-4"]),
        ("any moves 5% in 1m", ["100", "95", "99.75"], ["+1"]),  # back up by 5 %: still on
        ("any missing 10s", ["100", None, None, None, "100"], ["+2", "-4"]),
        ("any missing 10s", [None, None, None, "1"], ["+2", "-3"]),  # never priced: from its first slot
        ("any above 100 for 10s", ["101", "101", "101", "99", "101", "99", "99", "99"], ["+2", "-7"]),
        ("any above 100 for 10s", ["101", None, "101"], ["+2"]),  # a missed slot breaks nothing
        ("any above 100 for 10s", ["101", "101", "99.7", "101", "101", "101"], ["+5"]),
    ],
)
def test_the_bounds_are_strict_and_two(text: str, prices: list[str | None], changes: list[str]) -> None:
    assert shown(run(rule(text), series(*prices))) == changes


def test_bounds_are_exact_in_every_digit() -> None:
    long = "70000." + "0" * 49 + "1"

    assert shown(run(rule("any above 70000"), series("70000", long))) == ["+1"]
    assert shown(run(rule("any rises 5% in 1m"), series(long, "73500." + "0" * 49 + "1"))) == []
    assert shown(run(rule("any rises 5% in 1m"), series(long, "73500." + "0" * 48 + "105"))) == ["+1"]


def test_a_missed_slot_proves_nothing_and_a_hole_of_over_a_minute_starts_a_hold_again() -> None:
    one = rule("any above 100 for 2m")
    minute_missed = [quote(START + 5, None, slots=11), *series("101", start=START + 60)]

    held = run(one, [quote(START, "101"), *minute_missed, quote(START + 120, "101")])
    broken = run(one, [quote(START, "101"), quote(START + 65, "101"), quote(START + 120, "101")])

    assert shown(held) == ["+24"]
    assert broken == []


def test_a_price_from_before_a_hole_counts_if_it_lies_in_the_window() -> None:
    one = rule("any falls 10% in 1h")

    near = run(one, [quote(START, "100"), quote(START + 5, None, "down", 700), quote(START + 3505, "90")])
    far = run(one, [quote(START, "100"), quote(START + 5, None, "down", 800), quote(START + 4005, "90")])

    assert [change.past for change in near] == [Decimal(100)]
    assert far == []


def test_a_long_absence_of_the_recorder_itself_rings_no_missing_prices() -> None:
    one = rule("any missing 5m")

    down = [quote(START, "100"), quote(START + 5, None, "down", 100), quote(START + 505, "100")]
    still_missing = [*down[:2], quote(START + 505, None), quote(START + 510, "100")]

    assert run(one, down) == []
    assert shown(run(one, still_missing)) == ["+101", "-102"]


def test_sources_are_apart_by_what_they_gave_outliers_included() -> None:
    one = rule("any apart 1%")
    rows = [
        said(START, "100", "101.5", price="100", whys=["", "outlier"]),
        said(START + 5, "100", price="100"),  # one price says nothing
        said(START + 10, "100", "103", price="100", whys=["", "stale"]),
        said(START + 15, "100", "100.6", price="100"),
        said(START + 20, "100", "100.4", price="100"),
        said(START + 25, "99", "101"),  # no price was recorded: against their mean
    ]

    changes = run(one, rows)

    assert shown(changes) == ["+0", "-4", "+5"]
    assert changes[1].high == Decimal("1.5")
    assert [change.value for change in changes] == [Decimal("1.5"), Decimal("0.4"), Decimal(2)]


def test_a_source_that_fails_now_and_then_is_seen_by_its_share_of_slots() -> None:
    one = rule("any complete below 80% in 1m")
    good, flapping = ["100"] * 12, ["100", None] * 12

    changes = run(one, series(*good, *flapping, *["100"] * 24))

    assert [change.on for change in changes] == [True, False]
    assert changes[0].value is not None
    assert changes[0].value < 80 <= 90 <= (changes[1].value or 0)


def test_completeness_is_judged_once_the_window_is_known_whole() -> None:
    assert run(rule("any complete below 80% in 1m"), series(*[None] * 12)) == []
    assert shown(run(rule("any complete below 80% in 1m"), series(*[None] * 13))) == ["+12"]


def test_the_slots_of_a_long_stretch_are_as_missing_as_single_ones() -> None:
    one = rule("any complete below 80% in 10m")
    single = series(*["1"] * 100, *[None] * 50, *["1"] * 30)
    long = [*single[:100], quote(START + 500, None, "down", 50), *single[150:]]
    lived = single

    state, other = State(one), State(one)
    run(one, long, state)
    run(one, lived, other)

    assert (state.seen, state.total, list(state.counts)) == (other.seen, other.total, list(other.counts))


def test_a_move_that_began_in_an_unknown_part_of_the_window_is_not_over_for_want_of_rows() -> None:
    one = rule("any falls 10% in 1h")
    state = State(one)
    state.on, state.since = True, START - 600  # as saved; the log has nothing from then

    early = run(one, [quote(START + seconds, "90") for seconds in (0, 5, 1800)], state)
    late = run(one, [quote(START + 3600, "90")], state)

    assert early == []
    assert [change.on for change in late] == [False]
