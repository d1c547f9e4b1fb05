"""How changes read."""

import pytest

from price.alerts.words import length, message
from tests.alerts.walking import START, quote, rule, run, said, series


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (5, "5 s"), (725, "12 min 5 s"), (3600, "1 h"), (3605, "1 h 5 s"), (90061, "1 d 1 h")],
)
def test_a_length_of_time_in_its_two_largest_units(seconds: int, words: str) -> None:
    assert length(seconds) == words


@pytest.mark.parametrize(
    ("text", "prices", "words"),
    [
        (
            "high: BTC-USD above 70000",
            ["70012.5", "70950", "69640.2"],
            ["high: BTC-USD 70012.5 is above 70000", "high over after 10 s: BTC-USD 69640.2, highest 70950"],
        ),
        (
            "low: any below 1",
            ["0.9", "0.85", "1.1"],
            ["low: BTC-USD 0.9 is below 1", "low over after 10 s: BTC-USD 1.1, lowest 0.85"],
        ),
        (
            "move: any moves 5% in 1m",
            ["100", "106", "105", "101"],  # 5 % down again: still a move
            ["move: BTC-USD 106 rose 6 % within 1 min, from 100"],
        ),
        (
            "up: any rises 5% in 1m",
            ["100", "106", "107", "102"],
            [
                "up: BTC-USD 106 rose 6 % within 1 min, from 100",
                "up over after 10 s: BTC-USD 102, highest 107",
            ],
        ),
        (
            "gone: any missing 10s",
            ["100", None, None, None, "101"],
            ["gone: BTC-USD has had no price for 10 s", "gone over after 10 s: BTC-USD 101"],
        ),
    ],
)
def test_a_change_says_the_name_the_pair_and_the_values(
    text: str, prices: list[str | None], words: list[str]
) -> None:
    assert [message(change) for change in run(rule(text), series(*prices))] == words


def test_sources_apart_and_incomplete_windows_are_said_in_percent() -> None:
    apart = run(rule("a: any apart 1%"), [said(START, "100", "103", price="101"), said(START + 5, "1", "1")])
    complete = run(
        rule("c: any complete below 80% in 1m"), [*series(*["1", None] * 7), quote(START + 70, None)]
    )

    assert [message(change) for change in apart] == [
        "a: BTC-USD sources are 2.97 % apart",
        "a over after 5 s: BTC-USD sources are 0 % apart, most 2.97 %",
    ]
    assert [message(change) for change in complete] == ["c: BTC-USD has 53.85 % of its slots of 1 min"]
