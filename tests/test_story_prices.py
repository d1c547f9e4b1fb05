"""Stories of the choice: which of several prices is recorded, and when none is."""

import json
from functools import partial
from pathlib import Path

from price import times
from price.coins import COINS
from price.model import Answer, Request
from tests.fakes import START
from tests.scene import Scene

THREE = "coinbase,kraken,bitstamp"


def said(scene: Scene) -> list[str]:
    """The rows' third and fourth column."""
    return [row.split(" ", 2)[2] for row in scene.rows]


def test_the_price_is_the_median_of_the_sources(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES=f"{THREE},gemini")
    for name, price in zip(THREE.split(","), ("100.1", "100.3", "100.2"), strict=True):
        getattr(scene.net, name).says(price)
    scene.net.gemini.says("100.25")

    scene.run(until=4)

    assert said(scene) == [f"100.225 {THREE},gemini"]


def test_a_price_far_from_the_others_is_an_outlier(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES=THREE)
    scene.net.kraken.says("90")

    scene.run(until=4)

    assert said(scene) == ["100 coinbase,bitstamp"]


def test_two_that_disagree_are_told_apart_by_the_last_price(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="coinbase,kraken")
    scene.clock.at(3, lambda: scene.net.kraken.says("120"))

    scene.run(until=9)

    assert said(scene) == ["100 coinbase,kraken", "100 coinbase"]


def test_two_that_disagree_without_a_last_price_are_no_price(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="coinbase,kraken,bitstamp")
    scene.net.kraken.says("120")
    scene.net.bitstamp.answers("down for maintenance", status=503)

    scene.run(until=4)

    assert said(scene) == ["- disagree,bitstamp:unavailable"]


def test_too_few_sources_are_no_price(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES=THREE, QUORUM="2")
    scene.net.kraken.answers("down", status=503)
    scene.net.bitstamp.answers("down", status=404)

    scene.run(until=4)

    assert said(scene) == ["- quorum,kraken:unavailable,bitstamp:refused"]


def test_a_jump_of_a_lone_source_is_believed_in_the_third_slot(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.clock.at(3, lambda: scene.net.kraken.says("106"))

    scene.run(until=24)

    assert said(scene) == ["100 kraken", "- unconfirmed", "- unconfirmed", "106 kraken", "106 kraken"]


def test_a_jump_that_goes_back_is_never_recorded(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.net.kraken.says("100", times=1)
    scene.net.kraken.says("200", times=2)

    scene.run(until=24)

    assert said(scene) == ["100 kraken", "- unconfirmed", "- unconfirmed", "100 kraken", "100 kraken"]


def test_a_slot_without_an_answer_begins_the_confirmation_anew(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.net.kraken.says("100", times=1)
    scene.net.kraken.says("106", times=2)
    scene.net.kraken.answers("x", status=502, times=1)
    scene.net.kraken.says("106", times=3)

    scene.run(until=34)

    assert said(scene)[3:] == ["- kraken:unavailable", "- unconfirmed", "- unconfirmed", "106 kraken"]


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
