"""What status.json shows, and the command that reads it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from price.clock_witness import ClockWitness
from price.errors import Forbidden, PriceError, Unavailable
from price.events import Event
from price.model import Pair, Quote, Reading
from price.recorder.show_status import show_status
from price.settings import Settings, load
from price.sinks.alerts import AlertsSink
from price.sinks.rows import RowsSink
from price.sinks.since_start import SinceStart
from price.sinks.status import StatusSink
from price.source_state import SourceState
from price.sources import SOURCES
from tests.fakes import START, FakeClock
from tests.scene import Scene

SLOT = datetime(2026, 11, 20, 15, 52, 5, tzinfo=UTC)
BTC, ETH = Pair("BTC", "USD"), Pair("ETH", "USD")


def reading(source: str, price: str = "", why: str = "", aged: float | None = None) -> Reading:
    time = None if aged is None else SLOT - timedelta(seconds=aged)
    return Reading(source, Decimal(price) if price else None, why, time)


def settings_of(tmp_path: Path, *sources: str) -> Settings:
    named = {"PRICE_STATUS": str(tmp_path / "status.json"), "PRICE_SOURCES": ",".join(sources)}
    return load({**named, "PRICE_PAIRS": "BTC-USD"})


def sources_of(tmp_path: Path, quotes: Sequence[Quote], *names: str) -> dict[str, Any]:
    """What is shown of sources after a slot with these quotes."""
    states = {name: SourceState(SOURCES[name]) for name in names}
    clock = FakeClock()
    rows, alerts = RowsSink(lambda *_: None, clock), AlertsSink(lambda _: [], dict)
    status = StatusSink(states, rows, alerts, SinceStart(states, rows, lambda: 0), ClockWitness(), clock)
    status.configure(settings_of(tmp_path, *names))
    view: dict[str, Any] = status.view(quotes)["sources"]
    return view


def quote(price: str, sources: Sequence[str], *readings: Reading) -> Quote:
    return Quote(SLOT, BTC, Decimal(price), tuple(sources), readings=readings)


def test_a_source_is_selected_where_a_price_rests_on_it(tmp_path: Path) -> None:
    readings = [reading("kraken", "100"), reading("okx", "200", "outlier"), reading("gemini", why="resting")]
    found = sources_of(tmp_path, [quote("100", ["kraken"], *readings)], "kraken", "okx", "gemini", "bitfinex")

    assert {name: shown["state"] for name, shown in found.items()} == {
        "kraken": "selected",
        "okx": "outlier",
        "gemini": "resting",
        "bitfinex": "unused",
    }


def test_the_offset_is_that_of_the_pair_that_is_farthest_off(tmp_path: Path) -> None:
    near = quote("100", ["kraken"], reading("kraken", "100.01"))
    far = quote("100", ["kraken"], reading("kraken", "99.5", aged=3))
    missed = Quote(SLOT, ETH, reason="disagree", readings=(reading("kraken", "7", aged=9),))

    shown = sources_of(tmp_path, [missed, near, far, missed], "kraken")["kraken"]

    assert shown["offset_bp"] == -50
    assert shown["age_seconds"] == 3


def test_a_price_that_was_not_recorded_has_an_age_and_no_offset(tmp_path: Path) -> None:
    missed = Quote(SLOT, ETH, reason="disagree", readings=(reading("kraken", "7", aged=9),))

    shown = sources_of(tmp_path, [missed, missed], "kraken")["kraken"]

    assert (shown["offset_bp"], shown["age_seconds"]) == (None, 9)


def test_a_source_whose_clock_is_ahead_is_not_younger_than_now(tmp_path: Path) -> None:
    assert (
        sources_of(tmp_path, [quote("1", ["okx"], reading("okx", "1", aged=-4))], "okx")["okx"]["age_seconds"]
        == 0
    )


def shown_at(tmp_path: Path, moment: float, interval: str = "5") -> dict[str, Any]:
    """The status of a recorder that has run for so long, with kraken failing and coinbase forbidding."""
    scene = Scene(tmp_path, SOURCES="coinbase,kraken,bitstamp", INTERVAL=interval, QUORUM="1")
    scene.net.coinbase.fails(Forbidden("451"))
    scene.net.kraken.fails(Unavailable("x"), times=3)
    seen = scene.json_at("status.json", moment)
    scene.run(until=moment + 1)
    shown: dict[str, Any] = seen[0]
    return shown


def test_reach_requests_and_failures_of_each_source_are_shown(tmp_path: Path) -> None:
    sources = shown_at(tmp_path, 45)["sources"]

    assert sources["bitstamp"]["reach"] == "11111111"
    assert sources["kraken"]["reach"] == "00111111"
    assert (sources["kraken"]["requests"], sources["kraken"]["failures"]) == (9, 3)
    assert (sources["coinbase"]["requests"], sources["coinbase"]["failures"]) == (1, 1)
    assert sources["coinbase"]["state"] == "resting"
    assert sources["bitstamp"]["milliseconds"] == 100


def test_a_source_that_was_given_up_is_shown_as_retired(tmp_path: Path) -> None:
    assert shown_at(tmp_path, 1200, "20")["sources"]["coinbase"]["state"] == "retired"


def looked(path: Path, now: datetime, *, as_json: bool = False) -> tuple[int, list[str]]:
    lines: list[str] = []
    return show_status(path, as_json, lambda: now, lines.append), lines


@pytest.fixture
def status(tmp_path: Path) -> Path:
    path = tmp_path / "seen.json"
    path.write_text(json.dumps(shown_at(tmp_path, 45)))
    return path


def test_a_glance_shows_pairs_and_sources(status: Path) -> None:
    code, lines = looked(status, START + timedelta(seconds=48))

    assert code == 0
    assert lines[1] == "last slot on disk: 2026-11-20T15:52:45Z, 7 s ago"
    assert lines[4].split()[:3] == ["BTC-USD", "100", "7"]
    assert lines[4].split()[-2:] == ["9", "0"]
    assert [line.split()[:3] for line in lines[-3:]] == [
        ["coinbase", "resting", "00000000"],
        ["kraken", "selected", "00111111"],
        ["bitstamp", "selected", "11111111"],
    ]


def test_a_glance_as_json_is_the_file_itself(status: Path) -> None:
    code, lines = looked(status, START + timedelta(seconds=48), as_json=True)

    assert code == 0
    assert json.loads("\n".join(lines)) == json.loads(status.read_text())


@pytest.mark.parametrize(("later", "code"), [(56, 0), (57, 1), (3600, 1)])
def test_a_last_slot_older_than_three_intervals_is_no_recorder_at_work(
    status: Path, later: int, code: int
) -> None:
    found, lines = looked(status, START + timedelta(seconds=later))

    assert found == code
    assert ("older than 3 intervals" in lines[-1]) == bool(code)


def test_rows_held_and_pairs_without_a_price_are_shown(status: Path) -> None:
    view = json.loads(status.read_text())
    view["held"] = 12
    view["slot"] = None
    view["pairs"]["BTC-USD"] |= {"price": None, "slot": None}
    view["sources"]["kraken"] |= {"age_seconds": 90, "offset_bp": -1.5}
    status.write_text(json.dumps(view))

    _, lines = looked(status, START)

    assert lines[1] == "last slot on disk: none yet, 12 rows held back"
    assert lines[4].split()[:3] == ["BTC-USD", "-", "-"]
    assert "-1.50 bp" in lines[-2]
    assert "90 s" in lines[-2]


def test_without_a_status_there_is_no_recorder(tmp_path: Path) -> None:
    with pytest.raises(PriceError, match="no recorder runs here"):
        looked(tmp_path / "status.json", START)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", "null", '{"slot": 3}', '{"slot": "x"}', "\ufeff{}", "[" * 100000]
)
def test_what_is_no_status_is_said(tmp_path: Path, content: str) -> None:
    path = tmp_path / "status.json"
    path.write_text(content)

    with pytest.raises(PriceError, match="cannot be read as a status"):
        looked(path, START)


def test_a_status_that_lacks_something_is_said_to_lack_it(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    path.write_text('{"version": "0.2.0", "pid": 1}')

    with pytest.raises(PriceError, match=r"a status \(it has no 'slot'\); is PRICE_STATUS right"):
        looked(path, START)


def test_the_status_is_there_from_the_start_and_shows_what_the_recorder_waits_for(tmp_path: Path) -> None:
    scene = Scene(tmp_path, datetime(1970, 1, 1, tzinfo=UTC))
    seen: list[tuple[int, list[str]]] = []
    for moment in (0.5, 40, 100):
        scene.clock.at(moment, lambda: seen.append(looked(tmp_path / "status.json", scene.clock.now())))
    scene.clock.at(41, lambda: scene.clock.step((START - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()))

    scene.run(until=101)

    assert [code for code, _ in seen] == [1, 1, 0]
    assert all("no row is written: the clock stands before the release" in lines[-1] for _, lines in seen[:2])
    assert not any("no row is written" in line for line in seen[2][1])


def test_a_recorder_behind_its_last_row_shows_that_it_waits(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.file.write_text("# price-log 1 every=5s\n2026-11-20T18:00:00Z BTC-USD 100 kraken\n")
    seen: list[tuple[int, list[str]]] = []
    scene.clock.at(100, lambda: seen.append(looked(tmp_path / "status.json", scene.clock.now())))

    scene.run(until=101)

    ((code, lines),) = seen
    assert code == 1
    assert lines[-1] == "no row is written: the clock stands before the last row, 2026-11-20T18:00:00Z"


def test_a_clock_that_is_off_is_shown(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.net.kraken.dates(START - timedelta(minutes=10))
    seen: list[tuple[int, list[str]]] = []
    scene.clock.at(3, lambda: seen.append(looked(tmp_path / "status.json", scene.clock.now())))

    scene.run(until=4)

    ((code, lines),) = seen
    assert code == 0
    assert lines[2] == "the clock is 10 min ahead of the servers of most sources: rows are in wrong slots"


def test_until_when_a_source_rests_is_shown(tmp_path: Path) -> None:
    sources = shown_at(tmp_path, 45)["sources"]

    assert sources["coinbase"]["until"] == "2026-11-20T15:53:05Z"
    assert sources["bitstamp"]["until"] is None


@pytest.mark.parametrize("place", ["another machine pid:[1]", None])
def test_a_young_slot_proves_life_where_the_process_number_means_nothing(
    status: Path, place: str | None
) -> None:
    view = json.loads(status.read_text())
    view |= {"place": place, "pid": 2**22 + 1}
    status.write_text(json.dumps(view))

    assert looked(status, START + timedelta(seconds=48))[0] == 0
    code, lines = looked(status, START + timedelta(seconds=480))
    assert (code, "no recorder runs here any more" in lines[-1]) == (1, True)


def test_a_recorder_of_here_that_was_killed_is_gone_although_its_slot_is_young(status: Path) -> None:
    view = json.loads(status.read_text())
    view["pid"] = 2**22 + 1
    status.write_text(json.dumps(view))

    code, lines = looked(status, START + timedelta(seconds=48))

    assert (code, "no recorder runs here any more" in lines[-1]) == (1, True)


def test_no_age_is_negative_where_the_status_is_younger_than_the_clock(status: Path) -> None:
    _, lines = looked(status, START - timedelta(hours=1))

    assert lines[1] == "last slot on disk: 2026-11-20T15:52:45Z, 60.7 min ahead of the clock"
    assert lines[4].split()[2:4] == ["0", "s"]


def test_the_time_is_read_after_the_file(status: Path) -> None:
    order: list[str] = []

    def now() -> datetime:
        status.unlink()  # it was read before
        order.append("time")
        return START

    show_status(status, True, now, order.append)

    assert order[0] == "time"


def test_no_status_is_kept_at_dev_null() -> None:
    with pytest.raises(PriceError, match="no status is kept: PRICE_STATUS=/dev/null"):
        looked(Path("/dev/null"), START)


def test_a_recorder_without_status_and_state_records(tmp_path: Path) -> None:
    scene = Scene(tmp_path, STATUS="/dev/null", STATE="/dev/null")
    scene.net.kraken.fails(Unavailable("x"), times=1)

    assert scene.run(until=12) == 0
    assert len(scene.rows) == 3
    assert scene.said(Event.HANDLER_FAILED, Event.BAD_STATE) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [".prices.txt.lock", "prices.txt", "settings"]
