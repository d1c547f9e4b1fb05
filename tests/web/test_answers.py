"""Ranges as the page asks for them: bars, what was missed, and when sums of closed days are made again."""

import gzip
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from price import times
from price.report.gaps import completeness
from tests.report.asking import lines
from tests.report.randomlog import PAIRS, START, RandomLog
from tests.web.scene import NOON, WebScene, slots_of

MIDNIGHT = NOON.replace(hour=0)
EVERY = 3600
"""Seconds from slot to slot in the long logs here: a day of 24 rows."""


def long_log(scene: WebScene, days: int, seed: int = 1) -> list[str]:
    """Rows of some days up to noon, with missed slots, missed stretches and holes without rows."""
    random, rows = Random(seed), []
    at, end = MIDNIGHT - timedelta(days=days), NOON
    while at < end:
        slots = 1
        kind = random.random()
        if kind < 0.05:
            slots = random.randint(1, 60)
            slots = min(slots, int((end - at).total_seconds()) // EVERY)
            extra = f" slots={slots}" if slots > 1 else ""
            rows.append(f"{times.iso(at)} BTC-USD - down{extra}")
        elif kind < 0.1:
            rows.append(f"{times.iso(at)} BTC-USD - okx:timeout,kraken:timeout")
        elif kind < 0.97:
            rows.append(
                f"{times.iso(at)} BTC-USD {random.randint(1, 10**6)}.{random.randint(1, 9)} okx,kraken"
            )
        at += timedelta(seconds=EVERY * slots)
    scene.log(*rows)
    return rows


@pytest.fixture
def scene(tmp_path: Path) -> WebScene:
    return WebScene(tmp_path, EVERY)


def test_a_bar_has_the_digits_of_the_log(tmp_path: Path) -> None:
    scene = WebScene(tmp_path)
    prices = ["12345678901234567890.123", "0.00000001", "12345678901234567890.124", "7"]
    scene.log(*scene.prices(NOON, prices))

    found = scene.series(NOON, NOON + timedelta(seconds=20), points=10, every=60)

    assert (found["o"], found["h"], found["l"], found["c"]) == ([prices[0]], [prices[2]], [prices[1]], ["7"])
    assert (found["t"], found["n"], found["every"]) == ([times.unix(NOON)], [4], 60)


def test_missed_slots_are_those_of_the_log_with_the_reason(tmp_path: Path) -> None:
    scene = WebScene(tmp_path)
    scene.log(*scene.prices(NOON, ["1", "- quorum,okx:timeout", "- quorum,okx:timeout", "2", "- late"]))

    found = scene.series(NOON, NOON + timedelta(seconds=25))

    assert slots_of(found["missed"]) == [
        ("2026-11-20T12:00:05Z", "2026-11-20T12:00:15Z", 2, "quorum,okx:timeout"),
        ("2026-11-20T12:00:20Z", "2026-11-20T12:00:25Z", 1, "late"),
    ]
    assert (found["missed_slots"], found["priced_slots"]) == (3, 2)
    assert found["sources"] == ["kraken", "okx"]


def test_a_range_inside_of_a_hole_is_one_missed_stretch(tmp_path: Path) -> None:
    scene = WebScene(tmp_path)
    scene.log(*scene.prices(NOON, ["1"]), *scene.prices(NOON + timedelta(hours=2), ["2"]))

    found = scene.series(NOON + timedelta(hours=1), NOON + timedelta(minutes=70), interval=5)

    assert [(slots, reason) for _, _, slots, reason in found["missed"]] == [(120, "unrecorded")]


@pytest.mark.parametrize("seed", range(12))
def test_a_range_counts_the_slots_that_gaps_does_at_its_edges_too(tmp_path: Path, seed: int) -> None:
    chance, scene = Random(seed), WebScene(tmp_path)
    made = RandomLog(chance, 200)
    log = made.write(tmp_path)
    made.write_repairs(tmp_path, sound=True)

    for _ in range(6):
        since, until = sorted(times.from_unix(chance.randint(START - 60, made.unix + 60)) for _ in "ab")
        for pair in map(str, PAIRS):
            found = scene.series(since, until, pair, every=60)

            window = "--since", times.iso(since), "--until", times.iso(until)
            gaps = lines("gaps", "--file", log, "--pair", pair, *window)
            assert completeness(found["priced_slots"], found["missed_slots"]).rstrip() == gaps[-1]


def test_a_missed_stretch_ends_with_its_last_slot_where_the_interval_changed_in_it(tmp_path: Path) -> None:
    scene = WebScene(tmp_path, 60)
    scene.log(*scene.prices(NOON, ["1", "- late"]), "# price-log 1 every=5s")
    scene.every = 5
    scene.add(*scene.prices(NOON + timedelta(seconds=65), ["- late", "2"]))

    found = scene.series(NOON, NOON + timedelta(seconds=75))

    assert slots_of(found["missed"]) == [("2026-11-20T12:01:00Z", "2026-11-20T12:01:10Z", 2, "late")]


@pytest.mark.parametrize("since", [10, 60])
def test_what_comes_after_the_last_row_is_not_missed_yet(tmp_path: Path, since: int) -> None:
    scene = WebScene(tmp_path)
    scene.log(*scene.prices(NOON, ["1", "2", "3"]))

    found = scene.series(NOON + timedelta(seconds=since), NOON + timedelta(seconds=120), every=60)

    assert (found["missed"], found["missed_slots"]) == ([], 0)


def test_a_range_ends_where_it_was_asked_to_and_not_where_rows_are_newer(tmp_path: Path) -> None:
    scene = WebScene(tmp_path)
    scene.log(*scene.prices(NOON, ["1", "2", "3", "4"]))

    found = scene.series(NOON, NOON + timedelta(seconds=10))

    assert found["c"] == ["1", "2"]


@pytest.mark.parametrize("seed", range(8))
def test_sums_of_days_say_what_the_rows_say(scene: WebScene, seed: int) -> None:
    long_log(scene, 40, seed)
    since, until = MIDNIGHT - timedelta(days=40), NOON

    summed = scene.series(since, until, every=times.DAY)
    pieces = [
        scene.series(start, min(start + timedelta(days=10), until), every=times.DAY)
        for start in (since + timedelta(days=10 * number) for number in range(5))
        if start < until
    ]

    for name in "tohlcn":
        assert summed[name] == [value for piece in pieces for value in piece[name]], name
    assert summed["priced_slots"] == sum(piece["priced_slots"] for piece in pieces)
    assert summed["priced_slots"] + summed["missed_slots"] == slots_from_first_to_last(scene)


def slots_from_first_to_last(scene: WebScene) -> int:
    """By arithmetic over the log's first and last row."""
    rows = [line.split() for line in scene.file.read_text().splitlines()[1:]]
    last = int(rows[-1][-1].removeprefix("slots=")) if rows[-1][-1].startswith("slots=") else 1
    return (times.slot_unix(rows[-1][0]) - times.slot_unix(rows[0][0])) // EVERY + last


def test_a_hole_over_midnight_is_one_missed_stretch(scene: WebScene) -> None:
    begin = MIDNIGHT - timedelta(days=20)
    scene.log(*scene.prices(begin, ["1"] * 20), *scene.prices(begin + timedelta(hours=80), ["2"] * 412))

    found = scene.series(begin, NOON, every=times.DAY)

    assert slots_of(found["missed"]) == [
        (times.iso(begin + timedelta(hours=20)), times.iso(begin + timedelta(hours=80)), 60, "unrecorded")
    ]


def test_a_stretch_that_the_recorder_did_not_run_is_one_over_many_days(scene: WebScene) -> None:
    begin = MIDNIGHT - timedelta(days=20)
    scene.log(
        *scene.prices(begin, ["1"] * 20),
        f"{times.iso(begin + timedelta(hours=20))} BTC-USD - down slots=100",
        *scene.prices(begin + timedelta(hours=120), ["2"] * 372),
    )

    found = scene.series(begin, NOON, every=times.DAY)

    assert [(slots, reason) for _, _, slots, reason in found["missed"]] == [(100, "down")]


def test_a_long_range_is_answered_in_parts_that_say_how_far_they_are(scene: WebScene) -> None:
    long_log(scene, 60)
    scene.tick_seconds = 0.1
    query = f"pair=BTC-USD&since=0&until={times.unix(NOON)}"

    percents = []
    while (answer := scene.get("/api/series", query).json).get("percent") is not None:
        percents.append(answer["percent"])

    assert len(percents) > 5
    assert percents == sorted(set(percents))
    assert answer["priced_slots"] + answer["missed_slots"] == slots_from_first_to_last(scene)


def days_read(scene: WebScene, act: Any) -> int:
    """How many days were read from rows while something was done."""
    made, make = [], type(scene.days).make

    def counted(self: Any, log: Any, start: int, pair: str) -> Any:
        made.append(start)
        return make(self, log, start, pair)

    scene.days.make = counted.__get__(scene.days)  # type: ignore[method-assign]
    act()
    del scene.days.make
    return len(made)


def year(scene: WebScene) -> dict[str, Any]:
    """The long range that these tests ask for."""
    return scene.series(MIDNIGHT - timedelta(days=60), NOON + timedelta(hours=2))


def test_a_closed_day_is_summed_once_while_the_log_grows(scene: WebScene) -> None:
    long_log(scene, 60)
    assert days_read(scene, lambda: year(scene)) == 60

    scene.add(f"{times.iso(NOON)} BTC-USD 7 okx")
    found: list[dict[str, Any]] = []
    read = days_read(scene, lambda: found.append(year(scene)))

    assert (read, found[0]["c"][-1]) == (0, "7")


def test_sums_outlive_the_process_in_the_cache_folder(tmp_path: Path) -> None:
    first = WebScene(tmp_path, EVERY, cached=True)
    long_log(first, 60)
    before = year(first)

    second = WebScene(tmp_path, EVERY, cached=True)
    found: list[dict[str, Any]] = []

    assert days_read(second, lambda: found.append(year(second))) == 0
    assert found == [before]


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"form": 2}', '{"form": 1, "key": "x", "pairs": {}}', "\xff"]
)
def test_a_damaged_cache_costs_time_and_nothing_else(tmp_path: Path, damage: str) -> None:
    first = WebScene(tmp_path, EVERY, cached=True)
    long_log(first, 60)
    before = year(first)
    for file in (tmp_path / "cache").iterdir():
        file.write_text(damage, "latin-1")

    assert year(WebScene(tmp_path, EVERY, cached=True)) == before


def test_a_cache_folder_that_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    scene = WebScene(tmp_path, EVERY, cached=True)
    long_log(scene, 60)
    (tmp_path / "cache").rmdir()

    assert year(scene)["priced_slots"] > 0


def test_repairs_that_arrive_change_the_days_that_they_fill_and_no_other(scene: WebScene) -> None:
    begin = MIDNIGHT - timedelta(days=20)
    gap = begin + timedelta(days=3, hours=5)
    scene.log(*scene.prices(begin, ["5"] * 77 + ["- down"] + ["5"] * 414))
    before = scene.series(begin, NOON)

    scene.log(f"{times.iso(gap)} BTC-USD 9 okx by=candle", name="repairs.txt")
    found: list[dict[str, Any]] = []
    read = days_read(scene, lambda: found.append(scene.series(begin, NOON)))

    assert (before["missed_slots"], found[0]["missed_slots"]) == (1, 0)
    every = found[0]["every"]
    assert [found[0]["t"][number] for number, _ in found[0]["r"]] == [times.unix(gap) // every * every]
    assert "9" in found[0]["h"]
    assert read == 20  # repairs.txt is new: each day has to be looked at
    more = [f"{times.iso(gap + timedelta(days=number))} BTC-USD 9 okx by=candle" for number in (0, 9)]
    scene.log(*more, name="repairs.txt")
    assert days_read(scene, lambda: scene.series(begin, NOON)) == 1


def test_a_rotated_and_packed_log_says_the_same(scene: WebScene) -> None:
    rows = long_log(scene, 60)
    before = year(scene)

    half = len(rows) // 2
    scene.log(*rows[:half], name="prices.txt.1")
    scene.log(*rows[half:])
    renamed = year(scene)
    old = scene.folder / "prices.txt.1"
    (scene.folder / "prices.txt.2.gz").write_bytes(gzip.compress(old.read_bytes()))
    old.unlink()

    assert renamed == before
    assert year(scene) == before


def test_a_file_that_was_emptied_and_grew_again_is_read_again(scene: WebScene) -> None:
    begin = MIDNIGHT - timedelta(days=20)
    scene.log(*scene.prices(begin, ["1"] * 492))
    scene.series(begin, NOON)
    with scene.file.open("r+") as file:  # in place, as copytruncate does
        file.truncate(0)
    scene.log(*scene.prices(begin + timedelta(hours=1), ["2"] * 491))

    assert set(scene.series(begin, NOON)["c"]) == {"2"}


def test_a_log_whose_interval_changed_counts_the_slots_of_each(scene: WebScene) -> None:
    begin = MIDNIGHT - timedelta(days=20)
    change = begin + timedelta(days=10)
    scene.log(*scene.prices(begin, ["1"] * 240))
    with scene.file.open("a") as file:
        file.write("# price-log 1 every=1800s\n")
    scene.every = 1800
    half = timedelta(minutes=30)
    scene.add(*scene.prices(change - half, ["- down", "2", "- okx:timeout", *["3"] * 500]))

    found = scene.series(begin, NOON, every=times.DAY)

    assert (found["priced_slots"], found["missed_slots"]) == (240 + 501, 2)


def test_two_pairs_of_a_day_do_not_mix(scene: WebScene) -> None:
    begin = MIDNIGHT - timedelta(days=20)
    slots = [times.iso(begin + timedelta(hours=number)) for number in range(492)]
    scene.log(*(f"{slot} {rest}" for slot in slots for rest in ("BTC-USD 5 okx", "ETH-USD 7 kraken")))

    btc, eth = scene.series(begin, NOON), scene.series(begin, NOON, "ETH-USD")

    assert (set(btc["c"]), set(eth["c"]), btc["sources"], eth["sources"]) == (
        {"5"},
        {"7"},
        ["okx"],
        ["kraken"],
    )


def test_an_answer_has_no_more_bars_than_there_is_room_for(scene: WebScene) -> None:
    long_log(scene, 200)
    since = MIDNIGHT - timedelta(days=200)

    assert len(scene.series(since, NOON, points=100)["t"]) <= 101
    assert len(scene.series(since, NOON, every=1)["t"]) <= 5000
    assert len(scene.series(NOON - timedelta(days=9), NOON, every=1)["t"]) <= 2001


def test_the_highest_of_a_day_is_found_by_exact_comparison(scene: WebScene) -> None:
    begin = MIDNIGHT - timedelta(days=20)
    prices = [f"1234567890123456789{number % 10}" for number in range(492)]
    scene.log(*scene.prices(begin, prices))

    found = scene.series(begin, NOON, every=times.DAY)

    assert {max(map(Decimal, prices))} == set(map(Decimal, found["h"][:-1]))


def test_times_are_those_of_the_log_through_a_night_in_which_clocks_change(scene: WebScene) -> None:
    night = datetime.fromisoformat("2026-10-24T00:00:00+00:00")
    scene.log(*scene.prices(night, ["1"] * 72))

    found = scene.series(night, night + timedelta(days=3), every=EVERY)

    assert found["t"] == [times.unix(night) + EVERY * number for number in range(72)]


@pytest.mark.parametrize("days", [2, 40])
@pytest.mark.parametrize("seed", range(5))
def test_whole_bars_and_what_follows_them_are_the_range_in_two_parts(
    scene: WebScene, days: int, seed: int
) -> None:
    long_log(scene, 60, seed)
    since, until = NOON - timedelta(days=days), NOON - timedelta(minutes=90)

    whole = scene.series(since, until, whole=1, points=60)
    every = whole["every"]
    start = times.from_unix(whole["until"])
    rest = scene.series(start, until, every=every)
    both = scene.series(times.from_unix(whole["since"]), until, every=every)

    assert whole["until"] % every == whole["since"] % every == 0
    for name in "tohlcn":
        assert whole[name] + rest[name] == both[name], name
    assert whole["missed_slots"] + rest["missed_slots"] == both["missed_slots"]
    assert [*whole["gone"], *rest["gone"]] == both["gone"]


def test_what_was_missed_is_told_for_each_period_however_short_it_was(tmp_path: Path) -> None:
    scene = WebScene(tmp_path)
    scene.log(*scene.prices(NOON, ["1", "- late", "2", *["3"] * 21, "- late", "- late"]))

    found = scene.series(NOON, NOON + timedelta(seconds=130), every=60)

    noon = times.unix(NOON)
    assert found["missed"] == []
    assert found["gone"] == [[noon, 5], [noon + 120, 10]]
