"""Stories of sources that fail, hang, or do not know a pair: each costs its own reading, nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from price.errors import Refused, SourceError, Timeout, Unavailable, Unreachable, Unreadable
from price.events import Event
from price.model import Answer, Request
from tests.scene import Scene

THREE = "coinbase,kraken,bitstamp"
TWENTY = ",".join(f"COIN{number}-USD" for number in range(20))


@pytest.mark.parametrize(
    "error", [Timeout("x"), Unreachable("x"), Refused("x"), Unavailable("x"), Unreadable("x")]
)
def test_a_dead_source_costs_nothing_but_its_own_reading(tmp_path: Path, error: SourceError) -> None:
    scene = Scene(tmp_path, SOURCES=THREE)
    scene.net.kraken.fails(error)

    scene.run(until=63)

    assert len(scene.rows) == 13
    assert all(row.endswith(" 100 coinbase,bitstamp") for row in scene.rows)


def test_a_source_that_never_answers_delays_no_slot(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES=THREE, INTERVAL="1")
    scene.net.kraken.hangs()
    scene.net.coinbase.says("100", after=0.3)

    scene.run(until=100.5)

    assert len(scene.rows) == 100 + 1
    assert all(row.endswith(" 100 coinbase,bitstamp") for row in scene.rows)
    assert scene.net.coinbase.moments == [float(second) for second in range(101)]


def test_where_no_source_gives_anything_their_reasons_stand_alone(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES=THREE)
    scene.net.coinbase.hangs()
    scene.net.kraken.answers('{"error":["EGeneral:Too many requests"]}')
    scene.net.bitstamp.fails(Unreachable("no route"))

    scene.run(until=4)

    assert scene.rows == ["15:52:05 BTC-USD - coinbase:timeout,kraken:rate-limited,bitstamp:unreachable"]


@pytest.mark.parametrize(
    ("after", "second", "asked"), [(3.5, "100 kraken", [1, 6, 11]), (7.5, "- kraken:busy", [1, 11])]
)
def test_a_late_answer_moves_no_slot_and_its_source_is_busy_until_then(
    tmp_path: Path, after: float, second: str, asked: list[float]
) -> None:
    scene = Scene(tmp_path)
    scene.net.kraken.says("99", after=after, times=1)

    scene.run(until=14)

    assert [row.partition("USD ")[2] for row in scene.rows] == ["- kraken:timeout", second, "100 kraken"]
    assert scene.net.kraken.moments == asked


def test_a_late_answer_in_a_later_round_is_no_price_of_that_slot(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="kraken,bitstamp")
    scene.net.kraken.says("99", after=5.5, times=1)
    scene.net.bitstamp.says("100", after=1)

    scene.run(until=9)

    assert scene.rows[1] == "15:52:10 BTC-USD 100 bitstamp"


def test_a_source_removed_and_returned_while_an_answer_is_outstanding_is_not_busy_for_ever(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, SOURCES="kraken,bitstamp")
    scene.net.kraken.says("99", after=10.05, times=1)
    scene.net.kraken.says("100", after=0.5, times=1)
    scene.reload_at(3, SOURCES="bitstamp")
    scene.reload_at(8, SOURCES="kraken,bitstamp")

    scene.run(until=30)

    assert [row.split()[-1] for row in scene.rows] == ["bitstamp"] * 2 + ["kraken,bitstamp"] * 4


def test_an_answer_for_a_source_that_was_taken_out_disturbs_nobody(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="kraken,bitstamp", TIMEOUT="0.4")
    scene.net.kraken.says("99", after=1)
    scene.net.bitstamp.says("100", after=0.3)
    scene.reload_at(1.8, SOURCES="bitstamp", FILE=str(tmp_path / "other.txt"))

    status = scene.run(until=13)

    assert status == 0
    assert scene.rows[-1] == "15:52:05 BTC-USD 100 bitstamp"
    assert (tmp_path / "other.txt").read_text().count(" 100 bitstamp\n") == 3


def test_a_source_is_not_asked_for_what_it_does_not_quote_nor_named_there(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="gemini,binance,kraken", PAIRS="BTC-USD,BTC-USDT")
    scene.net.gemini.fails(Unreachable("x"))

    scene.run(until=3)

    assert scene.rows == ["15:52:05 BTC-USD 100 kraken", "15:52:05 BTC-USDT 100 binance,kraken"]
    assert {str(pair) for one in scene.net.binance.asked for pair in one.pairs} == {"BTC-USDT"}


def test_all_sources_are_asked_at_the_slot_and_share_one_budget(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES=THREE, TIMEOUT="1.5")

    scene.run(until=3)

    asked = [one.asked[0] for one in (scene.net.coinbase, scene.net.kraken, scene.net.bitstamp)]
    assert [one.moment for one in asked] == pytest.approx([1.0] * 3, abs=1e-5)
    assert len({one.deadline for one in asked}) == 1
    assert asked[0].deadline == pytest.approx(1000 + 1 + 1.5, abs=1e-5)


def kraken_of(unknown: set[str]) -> Callable[[Request], Answer]:
    """Kraken as it is: one unknown pair fails the whole request."""

    def reply(request: Request) -> Answer:
        if unknown & {str(pair) for pair in request.pairs}:
            return Answer(200, {}, b'{"error":["EQuery:Unknown asset pair"]}')
        names = {"BTC-USD": "XXBTZUSD", "ETH-USD": "XETHZUSD", "ADA-USD": "ADAUSD"}
        rows = ",".join(f'"{names[str(pair)]}":{{"c":["100"]}}' for pair in request.pairs)
        return Answer(200, {}, f'{{"error":[],"result":{{{rows}}}}}'.encode())

    return reply


def test_an_unknown_pair_in_a_batch_is_found_by_asking_each_once(tmp_path: Path) -> None:
    scene = Scene(tmp_path, PAIRS="BTC-USD,ETH-USD,ADA-USD")
    scene.net.kraken.replies(kraken_of({"ETH-USD"}))

    scene.run(until=14)

    assert scene.rows == [
        f"15:52:{second} {pair}"
        for second in ("05", "10", "15")
        for pair in ("BTC-USD 100 kraken", "ETH-USD - kraken:refused", "ADA-USD 100 kraken")
    ]
    asked = [[str(pair) for pair in one.pairs] for one in scene.net.kraken.asked]
    assert asked == [
        ["BTC-USD", "ETH-USD", "ADA-USD"],
        ["BTC-USD"],
        ["ETH-USD"],
        ["ADA-USD"],
        ["BTC-USD", "ADA-USD"],
        ["BTC-USD", "ADA-USD"],
    ]
    (notice,) = scene.said(Event.PAIR_ASIDE)
    assert notice == "kraken does not know ETH-USD: set aside, asked again in 60 min"


def test_a_pair_set_aside_is_asked_alone_an_hour_later(tmp_path: Path) -> None:
    scene = Scene(tmp_path, PAIRS="BTC-USD,ETH-USD,ADA-USD", INTERVAL="60")
    unknown = {"ETH-USD"}
    scene.net.kraken.replies(kraken_of(unknown))
    scene.clock.at(1800, unknown.clear)

    scene.run(until=4000)

    alone = [round(one.moment / 60) for one in scene.net.kraken.asked if len(one.pairs) == 1]
    assert [minute - alone[0] for minute in alone] == [0, 0, 0, 61]
    assert sum(row.endswith("ETH-USD - kraken:refused") for row in scene.rows) == 61
    assert scene.rows[-2].endswith("ETH-USD 100 kraken")
    assert not any("BTC-USD -" in row for row in scene.rows)


def test_an_unknown_pair_stays_set_aside_over_a_restart(tmp_path: Path) -> None:
    scene = Scene(tmp_path, PAIRS="BTC-USD,ETH-USD")
    scene.net.kraken.replies(kraken_of({"ETH-USD"}))
    scene.run(until=4)
    before = len(scene.net.kraken.asked)

    scene.run(until=14)

    assert {one.pairs for one in scene.net.kraken.asked[before:]} == {(("BTC", "USD"),)}
    assert scene.rows[-1] == "15:52:15 ETH-USD - kraken:refused"


def test_a_batch_that_fails_although_each_pair_is_known_is_not_asked_pair_by_pair_again(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, PAIRS="BTC-USD,ETH-USD")
    good = kraken_of(set())
    scene.net.kraken.replies(
        lambda request: (
            good(request)
            if len(request.pairs) == 1
            else Answer(200, {}, b'{"error":["EQuery:Unknown asset pair"]}')
        )
    )

    scene.run(until=14)

    assert [len(one.pairs) for one in scene.net.kraken.asked] == [2, 1, 1, 2, 2]
    assert scene.rows[:3] == [
        "15:52:05 BTC-USD 100 kraken",
        "15:52:05 ETH-USD 100 kraken",
        "15:52:10 BTC-USD - kraken:refused",
    ]


def test_a_pair_that_an_answer_lacks_is_refused_and_the_others_have_their_price(tmp_path: Path) -> None:
    scene = Scene(tmp_path, PAIRS="BTC-USD,ETH-USD")
    scene.net.kraken.says({"BTC-USD": "97000"})

    scene.run(until=30)

    assert scene.rows[:2] == ["15:52:05 BTC-USD 97000 kraken", "15:52:05 ETH-USD - kraken:refused"]
    assert len(scene.net.kraken.asked) == 6


def test_many_pairs_leave_in_a_burst_and_then_at_the_pace_of_the_source(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="coinbase", PAIRS=TWENTY)

    scene.run(until=4)

    assert scene.net.coinbase.moments == [1.0] * 15 + [1.1, 1.2, 1.3, 1.4, 1.5]
    assert len(scene.rows) == 20
    assert all(row.endswith(" 100 coinbase") for row in scene.rows)


def test_what_cannot_leave_in_time_is_a_timeout_of_its_pairs_alone(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="coinbase", PAIRS=TWENTY, TIMEOUT="0.35")

    scene.run(until=0.9)

    assert [row.split()[2] for row in scene.rows] == ["100"] * 17 + ["-"] * 3
    assert scene.rows[-1] == "15:52:00 COIN19-USD - coinbase:timeout"


def test_a_source_with_a_limit_of_its_own_rests_between_its_slots(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="bitfinex", INTERVAL="1")

    scene.run(until=121)

    moments = scene.net.bitfinex.moments
    most = max(sum(start <= one < start + 60 for one in moments) for start in moments)
    assert 20 <= most <= 24
    assert scene.rows[:4] == [
        "15:52:04 BTC-USD 100 bitfinex",
        "15:52:05 BTC-USD - bitfinex:resting",
        "15:52:06 BTC-USD - bitfinex:resting",
        "15:52:07 BTC-USD 100 bitfinex",
    ]


def test_coingecko_is_asked_once_a_minute_over_a_restart_too(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="kraken,coingecko")
    scene.run(until=24)

    scene.run(until=183)

    assert scene.net.coingecko.moments == [1.0, 61.0, 121.0, 181.0]
    assert [row.split()[-1] for row in scene.rows].count("kraken,coingecko") == 4
    assert not scene.said(Event.SOURCE_LOST, Event.SOURCE_BACK)


@pytest.mark.parametrize(("back", "slots"), [(9, "1 slot"), (29, "6 slots")])
def test_a_source_lost_is_said_once_and_its_return_with_the_count(
    tmp_path: Path, back: float, slots: str
) -> None:
    scene = Scene(tmp_path, SOURCES="kraken,bitstamp")
    scene.clock.at(3, lambda: scene.net.kraken.fails(Timeout("too slow")))
    scene.clock.at(back, lambda: scene.net.kraken.says("100"))

    scene.run(until=60)

    assert scene.said(Event.SOURCE_LOST) == ["kraken lost: timeout (too slow)"]
    missed = sum(row.endswith(" 100 bitstamp") for row in scene.rows)
    assert scene.said(Event.SOURCE_BACK) == [f"kraken back after {missed * 5} s: it missed {slots}"]


def test_where_nothing_is_reachable_there_is_one_hint(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES=THREE)
    for source in (scene.net.coinbase, scene.net.kraken, scene.net.bitstamp):
        source.fails(Unreachable("no network"))

    scene.run(until=200)

    (hint,) = scene.said(Event.NO_SOURCE_YET)
    assert "set PRICE_SOURCES=simulated" in hint
    assert len(scene.said(Event.SOURCE_LOST)) == 3
    assert len(scene.rows) == 40
    assert not any("down" in row for row in scene.rows)


def test_a_source_that_answers_with_an_error_is_reachable(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="kraken,bitstamp")
    scene.net.kraken.fails(Unreachable("x"))
    scene.net.bitstamp.answers("<html>Service down</html>", status=502)

    scene.run(until=9)

    assert not scene.said(Event.NO_SOURCE_YET)


@pytest.mark.parametrize("why", ["timeout", "stale", "outlier"])
def test_the_reason_of_a_loss_is_said(tmp_path: Path, why: str) -> None:
    scene = Scene(tmp_path, SOURCES=THREE)
    scene.net.kraken.hangs() if why == "timeout" else scene.net.kraken.says("100", aged=100)
    if why == "outlier":
        scene.net.kraken.says("90")

    scene.run(until=4)

    (lost,) = scene.said(Event.SOURCE_LOST)
    assert lost.startswith(f"kraken lost: {why}")
