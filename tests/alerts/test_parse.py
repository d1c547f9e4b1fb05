"""What PRICE_ALERTS may say, and what is said of anything else."""

import logging
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from price.alerts.parse import parse
from price.alerts.words import describe
from price.events import NOTICE
from price.model import Pair
from tests.alerts.walking import rule, rules
from tests.nasty import NASTY

PAIRS = (Pair("BTC", "USD"), Pair("ETH", "EUR"))
WORDS = st.sampled_from(
    [
        *("any", "BTC-USD", "bitcoin", "EUR-USD", "above", "below", "moves", "rises", "falls", "missing"),
        *(
            "apart",
            "complete",
            "until",
            "in",
            "for",
            "as",
            "5%",
            "5 %",
            "0%",
            "101%",
            "70000",
            "0",
            "1e5",
            "-1",
        ),
        *("1h", "5m", "3s", "2d", "error", "loud", "x:", "X!:", ":", ";", "\n", "", "é", "١٢", NASTY),
    ]
)
TEXTS = st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=14).map(" ".join))


def test_every_form_of_a_rule_is_understood() -> None:
    high, moves, missing, apart, complete = rules(
        "btc-high: BTC-USD above 70000 as error; BTC-USD moves 5% in 1h;\n any missing 5m;;"
        "any apart 1% for 1m; any  complete below 95 %  in 2h as notice"
    )

    assert (high.name, high.kind, str(high.limit), high.until) == (
        "btc-high",
        "above",
        "70000",
        Decimal(69650),
    )
    assert (high.level, high.condition, high.pair) == (logging.ERROR, "above 70000", Pair("BTC", "USD"))
    assert (moves.name, moves.limit, moves.until) == ("btc-usd-moves-5-in-1h", Decimal(5), Decimal("2.5"))
    assert (moves.window, moves.level, moves.condition) == (3600, logging.WARNING, "moves 5% in 1h")
    assert (missing.pair, missing.window, missing.hold) == (None, 300, 0)
    assert (apart.hold, apart.until, apart.condition) == (60, Decimal("0.5"), "apart 1%")
    assert (complete.limit, complete.until, complete.level) == (Decimal(95), Decimal("97.5"), NOTICE)


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("any above 70000 until 69000", "69000"),
        ("any above 70000 until 70000", "70000"),
        ("any below 0.99", "0.99495"),
        ("any below 0.99 until 1", "1"),
        ("any falls 10% in 1d", "5"),
    ],
)
def test_every_rule_has_two_bounds(text: str, until: str) -> None:
    assert rule(text).until == Decimal(until)


@pytest.mark.parametrize("spelt", ["BTC-USD", "btc-usd", "btc/usd", "bitcoin"])
def test_a_pair_is_spelt_as_in_price_pairs(spelt: str) -> None:
    (found,), faults = parse(f"{spelt} above 1", PAIRS, 5)

    assert (found.pair, faults) == (Pair("BTC", "USD"), ())


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("EUR-USD above 3", "EUR-USD is not in PRICE_PAIRS"),
        ("BTC above 3", "BTC is no pair such as BTC-USD"),
        ("BTC-USD above 3 until 4", "until 4 must not be above 3"),
        ("BTC-USD below 3 until 2", "until 2 must not be below 3"),
        ("any moves 5% in 3s", "in 3s must be from one interval, 5s, to 1d"),
        ("any missing 2d", "missing 2d must be from one interval, 5s, to 1d"),
        ("any apart 1% for 25h", "for 25h must be from one interval, 5s, to 1d"),
        ("any missing 5m for 1m", "takes no `for`"),
        ("any moves 5 in 1h", "moves stands as in `moves 5% in 1h`"),
        ("any falls 100% in 1h", "no percentage above 0 and below 100"),
        ("any apart 0%", "no percentage above 0"),
        ("any above 1e5", "1e5 is no price"),
        ("any above 5 as loud", "there is no level loud"),
        ("High: any above 5", "the name High must be a-z, 0-9 and -"),
        ("any > 5", "a rule is `PAIR CONDITION"),
        ("any apart 1%; any apart 1%", "a rule before it has the name any-apart-1 too"),
    ],
)
def test_a_fault_names_the_rule_what_is_wrong_and_one_that_would_do(text: str, wrong: str) -> None:
    found, (fault,) = parse(text, PAIRS, 5)

    assert found == ()
    assert fault.startswith(text.rpartition("; ")[2])
    assert wrong in fault


def test_all_faults_come_together() -> None:
    _, faults = parse("EUR-USD above 3 until 4 as loud; any above 5; any missing", PAIRS, 5)

    assert len(faults) == 2
    assert all(word in faults[0] for word in ("PRICE_PAIRS", "until 4", "loud"))


@given(TEXTS, st.sampled_from([1, 5, 3600]))
def test_any_text_is_rules_or_faults_and_each_example_would_do(text: str, interval: int) -> None:
    found, faults = parse(text, PAIRS, interval)

    assert not (found and faults)
    assert len({one.name for one in found}) == len(found)
    for fault in faults:
        example = fault.rpartition("; for example ")[2]
        (good,), none = parse(example, PAIRS, interval)
        assert none == ()
        assert describe(good).startswith(good.name)
        assert fault.isprintable()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "btc-high: BTC-USD above 70000 as error",
            "btc-high: BTC-USD: a price above 70000, over below 69650; logged as error",
        ),
        (
            "m: any apart 5% for 1m as error",
            "m: each pair: sources 5 % or more apart, over under 2.5 %, held for 1 min; logged as error",
        ),
        ("m: any missing 5m", "m: each pair: no price for 5 min, over at the next price; logged as warning"),
    ],
)
def test_a_rule_in_words(text: str, words: str) -> None:
    assert describe(rule(text)) == words
