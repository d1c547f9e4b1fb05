"""Stories of the choice: which of several prices is recorded, and when none is."""

import json
from functools import partial
from pathlib import Path

import pytest

from price import times
from price.coins import COINS
from price.model import Answer, Request
from tests.fakes import START
from tests.scene import Scene

THREE = "coinbase,kraken,bitstamp"


def said(scene: Scene) -> list[str]:
    """The rows' third and fourth column."""
    return [row.split(" ", 2)[2] for row in scene.rows]


@pytest.mark.parametrize(
    ("settings", "answers", "row"),
    [
        (
            {"SOURCES": f"{THREE},gemini"},
            {"coinbase": "100.1", "kraken": "100.3", "bitstamp": "100.2", "gemini": "100.25"},
            f"100.225 {THREE},gemini",
        ),
        ({}, {"kraken": "90"}, "100 coinbase,bitstamp"),
        ({}, {"kraken": "120", "bitstamp": 503}, "- disagree,bitstamp:unavailable"),
        ({"QUORUM": "2"}, {"kraken": 503, "bitstamp": 404}, "- quorum,kraken:unavailable,bitstamp:refused"),
    ],
    ids=["median", "outlier", "disagree", "quorum"],
)
def test_the_price_is_what_the_sources_of_a_slot_agree_on(
    tmp_path: Path, settings: dict[str, str], answers: dict[str, str | int], row: str
) -> None:
    scene = Scene(tmp_path, SOURCES=THREE)
    scene.set(**settings)
    for name, answer in answers.items():
        source = getattr(scene.net, name)
        source.says(answer) if isinstance(answer, str) else source.answers("down", status=answer)

    scene.run(until=4)

    assert said(scene) == [row]


@pytest.mark.parametrize(
    ("answers", "recorded"),
    [
        ("100 106 106 106 106", "100 unconfirmed unconfirmed 106 106"),
        ("100 200 200 100 100", "100 unconfirmed unconfirmed 100 100"),
        ("100 106 106 502 106 106 106", "100 unconfirmed unconfirmed 502 unconfirmed unconfirmed 106"),
    ],
    ids=["believed in the third slot", "that goes back", "with a slot without an answer"],
)
def test_a_jump_of_a_lone_source_is_recorded_once_it_is_confirmed(
    tmp_path: Path, answers: str, recorded: str
) -> None:
    scene = Scene(tmp_path)
    for answer in answers.split():
        if answer == "502":
            scene.net.kraken.answers("x", status=502, times=1)
        else:
            scene.net.kraken.says(answer, times=1)

    scene.run(until=5 * len(answers.split()) - 1)

    rows = [row.replace("- kraken:unavailable", "502").removeprefix("- ").split()[0] for row in said(scene)]
    assert " ".join(rows) == recorded


def test_a_jump_that_a_second_source_confirms_is_recorded_at_once(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="coinbase,kraken")
    scene.clock.at(3, lambda: scene.net.kraken.says("150"))
    scene.clock.at(3, lambda: scene.net.coinbase.says("150.1"))

    scene.run(until=9)

    assert said(scene)[1] == "150.05 coinbase,kraken"


def test_a_lone_price_far_from_the_last_one_is_unconfirmed_however_old_that_is(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.net.kraken.says("100", times=1)
    scene.net.kraken.hangs(times=1)
    scene.reload_at(58, SOURCES="bitstamp")
    scene.net.bitstamp.says("500")

    scene.run(until=72)

    assert said(scene)[-3:] == ["- unconfirmed", "- unconfirmed", "500 bitstamp"]


def test_a_lone_price_far_from_the_last_one_is_unconfirmed_in_slots_of_a_minute_too(tmp_path: Path) -> None:
    scene = Scene(tmp_path, INTERVAL="60")
    scene.clock.at(30, lambda: scene.net.kraken.says("100000", times=1))
    scene.clock.at(90, lambda: scene.net.kraken.says("100"))

    scene.run(until=176)

    assert said(scene) == ["100 kraken", "- unconfirmed", "100 kraken"]


def test_two_camps_are_told_apart_by_the_last_price_they_agreed_on_for_a_minute_at_most(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, SOURCES="coinbase,kraken")
    scene.clock.at(3, lambda: scene.net.kraken.says("130"))

    scene.run(until=80)

    rows = said(scene)
    assert rows[0] == "100 coinbase,kraken"
    assert rows[1:13] == ["100 coinbase"] * 12
    assert set(rows[13:]) == {"- disagree"}


def test_a_source_that_stands_still_for_an_hour_while_the_other_moves_is_stale(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="kraken,gemini", INTERVAL="60")
    for minute in range(64):
        scene.clock.at(60 * minute - 30, partial(scene.net.gemini.says, f"100.{minute:02}"))

    scene.run(until=63 * 60 + 1)

    assert {sources for _, sources in (row.split(" ") for row in said(scene)[:60])} == {"kraken,gemini"}
    assert said(scene)[-1].endswith(" gemini")


def test_of_three_sources_one_alone_is_no_price_unless_the_operator_says_so(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES=THREE)
    scene.net.kraken.answers("down", status=503)
    scene.net.bitstamp.answers("down", status=503)
    scene.reload_at(3, QUORUM="1")

    scene.run(until=9)

    assert said(scene) == ["- quorum,kraken:unavailable,bitstamp:unavailable", "100 coinbase"]


def test_a_price_that_stands_still_becomes_stale(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="coinbase,kraken", MAX_AGE="10")
    for moment in range(0, 40, 5):
        scene.clock.at(moment, partial(scene.net.coinbase.says, "100", aged=moment + 0.1))

    scene.run(until=29)

    assert said(scene)[:3] == ["100 coinbase,kraken", "100 coinbase,kraken", "100 kraken"]


def test_a_dead_listing_is_stale_however_many_pairs_binance_is_asked_for(tmp_path: Path) -> None:
    coins = [coin for coin in COINS.values() if coin not in ("USDT", "USDC")][:41]
    scene = Scene(tmp_path, SOURCES="binance", PAIRS=",".join(f"{coin}-USDT" for coin in coins))

    def reply(request: Request) -> Answer:
        rows = [
            {
                "symbol": "".join(pair),
                "lastPrice": "1.5",
                "closeTime": times.unix(START) * 1000 - (pair.base == coins[33]) * 3 * 365 * 86400 * 1000,
            }
            for pair in request.pairs
        ]
        return Answer(200, {}, json.dumps(rows).encode())

    scene.net.binance.replies(reply)
    scene.run(until=4)

    rows = dict(zip(coins, said(scene), strict=True))
    assert rows.pop(coins[33]) == "- binance:stale"
    assert set(rows.values()) == {"1.5 binance"}


def test_a_price_older_than_one_before_it_goes_backward(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="coinbase")
    scene.net.coinbase.says("100", aged=1, times=1)
    scene.net.coinbase.says("101", aged=20, times=1)
    scene.net.coinbase.says("102", aged=1)

    scene.run(until=14)

    assert said(scene) == ["100 coinbase", "- coinbase:backward", "102 coinbase"]


def test_prices_keep_every_digit_from_the_wire_to_the_file(tmp_path: Path) -> None:
    prices = {
        "BTC-USD": "97123.40000",
        "ETH-USD": "0.00000812",
        "ADA-USD": "1e-8",
        "DOGE-USD": "12345678901234567890.123456789012345",
    }
    scene = Scene(tmp_path, PAIRS=",".join(prices))
    scene.net.kraken.says(prices)

    scene.run(until=4)

    assert [row.split()[2] for row in scene.rows] == [
        "97123.4",
        "0.00000812",
        "0.00000001",
        "12345678901234567890.123456789012345",
    ]


def test_a_price_that_cannot_be_one_is_unreadable(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.net.kraken.answers('{"error":[],"result":{"XXBTZUSD":{"c":["0"]}}}')

    scene.run(until=4)

    assert said(scene) == ["- kraken:unreadable"]
