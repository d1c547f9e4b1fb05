"""Stories of politeness: sources that limit, forbid or fail are left alone, and asked again in time."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from price.errors import Forbidden, NoSuchName, RateLimited, SourceError, Timeout, Unavailable, Unreachable
from price.events import Event
from tests.fakes import START
from tests.scene import Scene


def gaps(moments: list[float]) -> list[float]:
    """The seconds from each request to the next."""
    return [round(later - earlier, 1) for earlier, later in pairwise(moments)]


@pytest.mark.parametrize("status", [429, 418])
def test_a_source_that_limits_rests_a_minute_then_two_then_four_then_five(
    tmp_path: Path, status: int
) -> None:
    scene = Scene(tmp_path)
    scene.net.kraken.answers("slow down", status=status)

    scene.run(until=1400)

    assert gaps(scene.net.kraken.moments) == [65, 125, 245, 305, 305, 305]
    assert scene.rows[0] == "15:52:05 BTC-USD - kraken:rate-limited"
    assert scene.rows[1] == "15:52:10 BTC-USD - kraken:resting"


@pytest.mark.parametrize(
    ("status", "header", "again"),
    [
        *[(status, "17", 21) for status in (429, 403, 503)],
        (429, format_datetime(START + timedelta(seconds=40), usegmt=True), 41),
        *[(429, odd, 66) for odd in ("", "soon", "-5", "1e3", "\u0665", "Fri, 99 Nov 2026")],
    ],
)
def test_retry_after_is_obeyed_in_seconds_or_as_a_date_and_counts_as_none_where_it_cannot_be_meant(
    tmp_path: Path, status: int, header: str, again: int
) -> None:
    scene = Scene(tmp_path)
    scene.net.kraken.answers("later", status=status, times=1, retry_after=header)

    scene.run(until=70)

    assert scene.net.kraken.moments[:2] == [1, again]
    resting = [row.split()[3] for row in scene.rows[1 : again // 5]]
    assert set(resting) == {"kraken:resting"}


@pytest.mark.parametrize("wrong_by_days", [-1, 1])
def test_a_date_to_retry_after_counts_from_the_servers_own_time(tmp_path: Path, wrong_by_days: int) -> None:
    scene = Scene(tmp_path, now=START + timedelta(days=wrong_by_days))
    date, later = (format_datetime(START + timedelta(seconds=one), usegmt=True) for one in (1, 40))
    scene.net.kraken.answers("later", status=429, times=1, retry_after=later, date=date)

    scene.run(until=60)

    assert scene.net.kraken.moments[:2] == [1, 41]


@pytest.mark.parametrize(
    ("status", "header"),
    [
        (429, "604800"),
        (403, "604800"),
        (503, "604800"),
        (429, "3601"),
        (403, "9" * 5000),
        (503, "Sat, 28 Nov 2026 15:52:05 GMT"),
        (429, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ],
)
def test_three_sources_that_ask_for_a_week_in_one_slot_are_asked_again_in_an_hour(
    tmp_path: Path, status: int, header: str
) -> None:
    scene = Scene(tmp_path, SOURCES="coinbase,kraken,bitstamp", INTERVAL="60")
    sources = (scene.net.coinbase, scene.net.kraken, scene.net.bitstamp)
    for source in sources:
        source.answers("later", status=status, times=2, retry_after=header)

    scene.run(until=9000)

    assert [row.split()[2] for row in scene.rows].count("100") >= 20
    for source in sources:
        assert [gap >= 3600 for gap in gaps(source.moments)[:3]] == [True, True, False]
    notices = scene.said(Event.LONG_REST)
    assert len(notices) == 3, "each is told once, not every hour"
    assert all(
        "asks for a rest of over an hour" in one and "asked again every 60 min" in one for one in notices
    )


def test_a_long_rest_is_an_hour_over_a_restart_too(tmp_path: Path) -> None:
    scene = Scene(tmp_path, INTERVAL="60")
    scene.net.kraken.answers("later", status=429, times=2, retry_after="604800")

    scene.run(until=600)
    scene.run(until=8000)

    assert [gap >= 3600 for gap in gaps(scene.net.kraken.moments)[:2]] == [True, True]
    assert max(gaps(scene.net.kraken.moments)) < 3700
    assert len(scene.said(Event.LONG_REST)) == 1


def test_of_several_rests_asked_for_at_once_the_longest_is_kept(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="coinbase", PAIRS="BTC-USD,ETH-USD,ADA-USD")
    for seconds in ("10", "30", "20"):
        scene.net.coinbase.answers("later", status=429, times=1, retry_after=seconds)

    scene.run(until=40)

    assert scene.net.coinbase.moments == [1, 1, 1, 36, 36, 36]


def test_another_host_is_asked_although_the_one_before_rests(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.net.kraken.answers("later", status=429, times=1, retry_after="300")
    scene.reload_at(8, KRAKEN_URL="https://mirror.example.com")

    scene.run(until=14)

    assert scene.net.kraken.moments == [1, 11]


def test_retry_after_of_one_answer_is_obeyed_although_others_were_good(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="coinbase", PAIRS="BTC-USD,ETH-USD")
    scene.net.coinbase.says("100", times=1)
    scene.net.coinbase.answers("later", status=503, times=1, retry_after="30")

    scene.run(until=60)

    assert scene.rows[:2] == ["15:52:05 BTC-USD 100 coinbase", "15:52:05 ETH-USD - coinbase:unavailable"]
    assert scene.net.coinbase.moments[:3] == [1, 1, 36]


def test_a_limit_told_too_late_for_the_slot_is_obeyed(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.net.kraken.fails(RateLimited("429"), after=3, times=1, retry_after="30")

    scene.run(until=60)

    assert scene.rows[0] == "15:52:05 BTC-USD - kraken:timeout"
    assert scene.net.kraken.moments[:2] == [1, 36]


def test_a_limit_told_too_late_by_the_host_before_does_not_bind_another(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.net.kraken.fails(RateLimited("429"), after=8, times=1, retry_after="30")
    scene.reload_at(7, KRAKEN_URL="https://mirror.example.com")

    scene.run(until=14)

    assert scene.net.kraken.moments == [1, 11]


def test_three_failures_begin_rests_that_double_to_a_minute(tmp_path: Path) -> None:
    scene = Scene(tmp_path, INTERVAL="1")
    scene.net.kraken.fails(Unavailable("502"))

    scene.run(until=400)

    found = gaps(scene.net.kraken.moments)
    expected = [1, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    for gap, rest in zip(found, expected, strict=False):
        assert 0.8 * rest <= gap <= 1.2 * rest + 1.2
    assert len(set(found[7:])) > 1


def test_after_a_good_answer_failures_are_counted_from_nothing(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    for moment in range(0, 100, 15):
        scene.clock.at(moment, lambda: scene.net.kraken.fails(Unavailable("x"), times=2))

    scene.run(until=99)

    assert gaps(scene.net.kraken.moments) == [5] * 19


@pytest.mark.parametrize("status", [401, 403, 410, 451])
def test_a_source_that_forbids_is_retired_after_ten_minutes_and_asked_hourly(
    tmp_path: Path, status: int
) -> None:
    scene = Scene(tmp_path, SOURCES="kraken,bitstamp", INTERVAL="60")
    scene.net.kraken.answers("not in your country", status=status)
    scene.clock.at(3 * 3600 - 700, lambda: scene.net.kraken.says("100"))

    scene.run(until=4 * 3600)

    moments = scene.net.kraken.moments
    retired = next(one for one in moments if one >= 600 + moments[0])
    hourly = [one for one in moments if retired <= one <= 3 * 3600]
    assert all(3600 <= gap <= 3660 for gap in gaps(hourly))
    assert len(hourly) == 3
    assert len([one for one in moments if one > 3 * 3600]) >= 10
    (notice,) = scene.said(Event.SOURCE_RETIRED)
    assert notice.startswith("kraken retired: no good answer for 10 min")
    assert len(scene.said(Event.SOURCE_BACK)) == 1
    assert all(" 100 " in row for row in scene.rows)


@pytest.mark.parametrize("sources", ["kraken", "kraken,bitstamp"])
def test_a_source_without_a_name_is_retired_after_ten_minutes_alone_or_not(
    tmp_path: Path, sources: str
) -> None:
    scene = Scene(tmp_path, SOURCES=sources, INTERVAL="60")
    scene.net.kraken.fails(NoSuchName("no such host"))

    scene.run(until=2 * 3600)

    assert len(scene.said(Event.SOURCE_RETIRED)) == 1
    assert len([one for one in scene.net.kraken.moments if one > 700]) <= 2


@pytest.mark.parametrize("others", [NoSuchName("no such host"), Unreachable("resolver away"), Timeout("x")])
def test_nobody_is_retired_while_no_source_at_all_can_be_reached(tmp_path: Path, others: SourceError) -> None:
    scene = Scene(tmp_path, SOURCES="coinbase,kraken,bitstamp")
    scene.net.coinbase.fails(NoSuchName("no such host"))
    scene.net.kraken.fails(NoSuchName("no such host"))
    scene.net.bitstamp.fails(others)
    for source in (scene.net.coinbase, scene.net.kraken, scene.net.bitstamp):
        scene.clock.at(1800, partial(source.says, "100"))

    scene.run(until=1900)

    assert not scene.said(Event.SOURCE_RETIRED)
    assert scene.rows[-1].endswith(" 100 coinbase,kraken,bitstamp")


def test_a_network_away_for_long_and_back_costs_at_most_the_longest_rest(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="coinbase,kraken,bitstamp", INTERVAL="60")
    sources = (scene.net.coinbase, scene.net.kraken, scene.net.bitstamp)
    for source in sources:
        source.fails(NoSuchName("no such host"))
        scene.clock.at(5 * 3600, partial(source.says, "100"))

    scene.run(until=5 * 3600 + 180)

    assert scene.rows[-1].endswith(" 100 coinbase,kraken,bitstamp")


def test_a_rest_and_the_doubling_survive_a_restart(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.net.kraken.answers("slow down", status=429)
    scene.run(until=100)

    scene.run(until=250)

    assert gaps(scene.net.kraken.moments) == [65, 125]


def test_ten_minutes_of_refusals_are_counted_over_restarts_and_a_retired_source_stays_so(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, SOURCES="kraken,bitstamp", INTERVAL="60")
    scene.net.kraken.fails(Forbidden("451"))
    scene.run(until=400)
    scene.run(until=1200)
    before = len(scene.net.kraken.asked)

    scene.run(until=3600)

    assert len(scene.net.kraken.asked) == before
    assert len(scene.said(Event.SOURCE_RETIRED)) == 1


@pytest.mark.parametrize("wrong", [-400 * 86400, -3600, 3600, 400 * 86400])
def test_a_clock_that_was_wrong_when_rests_were_saved_silences_nobody_for_longer(
    tmp_path: Path, wrong: float
) -> None:
    scene = Scene(tmp_path, START + timedelta(seconds=wrong), SOURCES="kraken,coingecko")
    scene.net.kraken.answers("slow down", status=429, retry_after="60", times=1)
    scene.run(until=10)
    scene.file.unlink()
    (tmp_path / "prices.txt").write_text("")

    scene.clock.step(-wrong)
    scene.run(until=140)

    assert all("kraken" in row.split()[-1] and "-" not in row.split()[2] for row in scene.rows[-12:])
    assert scene.net.coingecko.moments[1] <= 75


def test_a_state_that_was_saved_an_hour_ahead_keeps_the_rest_that_was_left(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    state = {
        "version": 1,
        "saved": (START + timedelta(hours=1)).isoformat().replace("+00:00", "Z"),
        "sources": {
            "kraken": {
                "url": "https://api.kraken.com",
                "rest_seconds": 30.0,
                "refusals": 1,
                "failures": 0,
                "trouble_seconds": None,
                "retired": False,
                "aside_seconds": {},
                "next_slot": "1970-01-01T00:00:00Z",
            }
        },
    }
    (tmp_path / "state.json").write_text(json.dumps(state))

    scene.run(until=60)

    assert scene.net.kraken.moments[0] == 31


WORDY = '{"url": "https://api.kraken.com", "rest_seconds": "x"}'
ENDLESS = '{"url": "https://api.kraken.com", "rest_seconds": 0, "trouble_seconds": null, "refusals": 1e999}'
RUBBISH = [
    "", "{", "[]", "null", "7", '"x"', "[" * 100_000, "\x00", "{}", '{"saved": 3}',
    '{"saved": "never", "sources": {}}',
    '{"saved": "2026-11-20T15:00:00Z", "sources": []}',
    '{"saved": "2026-11-20T15:00:00Z", "sources": {"kraken": null}}',
    '{"saved": "2026-11-20T15:00:00Z", "sources": {"kraken": {"url": "https://api.kraken.com"}}}',
    '{"saved": "2026-11-20T15:00:00Z", "sources": {"kraken": ' + WORDY + "}}",
    '{"saved": "2026-11-20T15:00:00Z", "sources": {"kraken": ' + ENDLESS + "}}",
]  # fmt: skip


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_a_state_that_cannot_be_read_is_said_and_costs_no_slot(tmp_path: Path, rubbish: str) -> None:
    (tmp_path / "state.json").write_text(rubbish)
    scene = Scene(tmp_path)

    scene.run(until=4)

    assert scene.rows == ["15:52:05 BTC-USD 100 kraken"]
    (warning,) = scene.said(Event.BAD_STATE)
    assert "state.json" in warning


def test_a_state_that_cannot_be_saved_is_said_once_and_costs_no_slot(tmp_path: Path) -> None:
    (tmp_path / "not-a-folder").write_text("")
    scene = Scene(tmp_path, STATE=str(tmp_path / "not-a-folder" / "state.json"))
    scene.net.kraken.fails(Unavailable("x"))

    status = scene.run(until=60)

    assert status == 0
    assert len(scene.rows) == 12
    assert len(scene.said(Event.HANDLER_FAILED)) == 1


def test_the_state_is_written_where_something_changed_and_not_else(tmp_path: Path) -> None:
    scene = Scene(tmp_path, datetime(2026, 11, 20, 15, 52, 4, tzinfo=UTC))
    seen = scene.json_at("state.json", 9, 14, 19, 24)
    scene.net.kraken.fails(Unavailable("x"), times=1)

    scene.run(until=30)

    assert [one["saved"][11:19] for one in seen] == ["15:52:10", "15:52:10", "15:52:10", "15:52:10"]
