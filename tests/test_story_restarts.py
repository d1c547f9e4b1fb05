"""Stories of restarts and reloads: whatever changed meanwhile, the log is one whole sequence of slots."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from price import times
from price.clock import Signal
from price.errors import PriceError, SettingsError, Timeout, Unreachable
from price.events import Event
from tests.fakes import START
from tests.scene import Scene

HEADER = "# price-log 1 every=5s\n"


def written(scene: Scene, *rows: str, header: str = HEADER) -> None:
    """A log of an earlier recorder; rows without the day."""
    scene.file.write_text(header + "".join(f"2026-11-20T{row[:8]}Z{row[8:]}\n" for row in rows))


def sections(scene: Scene) -> list[str]:
    """The log's header lines and rows, shortened."""
    assert scene.rows
    return [one if one.startswith("#") else f"{one[11:19]}{one[20:]}" for one in scene.text.splitlines()]


def change(scene: Scene, by: str, moment: float, **settings: str) -> None:
    """Has settings change at a moment, by a reload or by a restart."""
    if by == "reload":
        scene.reload_at(moment, **settings)
    else:
        scene.run(until=moment)
        scene.set(**settings)


def packed(text: bytes, members: int = 1) -> bytes:
    """A text as gzip keeps it that was called for one part after the other."""
    size = -(-len(text) // members)
    return b"".join(gzip.compress(text[at : at + size], 1, mtime=0) for at in range(0, len(text), size))


def test_the_time_between_two_runs_is_one_down_row_for_each_pair(tmp_path: Path) -> None:
    scene = Scene(tmp_path, PAIRS="BTC-USD,ETH-USD")
    scene.run(until=4)
    scene.clock.freeze(1057)

    scene.run(until=1063)

    assert sections(scene) == [
        HEADER.strip(),
        "15:52:05 BTC-USD 100 kraken",
        "15:52:05 ETH-USD 100 kraken",
        "15:52:10 BTC-USD - down slots=211",
        "15:52:10 ETH-USD - down slots=211",
        "16:09:45 BTC-USD 100 kraken",
        "16:09:45 ETH-USD 100 kraken",
    ]


def test_a_quick_restart_loses_no_slot(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    for end in (4, 9, 14, 19):
        scene.run(until=end)

    assert len(scene.rows) == 4
    assert all("100 kraken" in row for row in scene.rows)


def test_the_slot_that_was_just_recorded_is_not_recorded_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.run(until=1.5)

    scene.run(until=4)

    assert scene.rows == ["15:52:05 BTC-USD 100 kraken"]


def test_only_the_first_gap_is_down_and_later_ones_are_late(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    written(scene, "15:51:55 BTC-USD 100 kraken")
    scene.clock.at(3, lambda: scene.clock.freeze(8))

    scene.run(until=17)

    assert scene.rows[1:4] == [
        "15:52:00 BTC-USD - down",
        "15:52:05 BTC-USD 100 kraken",
        "15:52:10 BTC-USD - late",
    ]


REAL, MADE_UP, MISSED = "100 kraken", "100 simulated", "- kraken:unreachable"


def older_log(scene: Scene, kind: str, header: str = HEADER) -> None:
    """A log whose newest price, a minute of missed rows before its end, is of a kind."""
    rows = [f"15:50:{second:02} BTC-USD {MISSED}" for second in range(0, 60, 5)]
    written(scene, f"15:49:55 BTC-USD {kind}", *rows, header=header)


@pytest.mark.parametrize("place", ["here", "rotated", "packed"])
@pytest.mark.parametrize(
    ("kind", "sources", "header"),
    [
        (REAL, "simulated", HEADER),
        (MADE_UP, "kraken", HEADER),
        (MISSED, "kraken", "# price-log 1 every=5s simulated\n"),
    ],
)
def test_prices_of_the_other_kind_are_kept_out_whatever_came_between(
    tmp_path: Path, kind: str, sources: str, header: str, place: str
) -> None:
    scene = Scene(tmp_path, SOURCES=sources)
    older_log(scene, kind, header)
    if place != "here":
        scene.file.rename(tmp_path / "prices.txt.1")
        if place == "packed":
            (tmp_path / "prices.txt.1.gz").write_bytes(packed((tmp_path / "prices.txt.1").read_bytes()))
            (tmp_path / "prices.txt.1").unlink()
        written(scene, f"15:51:55 BTC-USD {MISSED}")
    before = scene.file.read_bytes()

    with pytest.raises(
        PriceError, match=r"it holds (real|simulated) prices.*for example PRICE_FILE=\S+/\w+\.txt"
    ):
        scene.run(until=4)

    assert scene.file.read_bytes() == before


@pytest.mark.parametrize("linked", [False, True])
def test_a_start_refused_for_the_prices_in_a_rotated_file_leaves_no_new_log(
    tmp_path: Path, linked: bool
) -> None:
    scene = Scene(tmp_path)
    scene.run(until=4)
    scene.file.rename(tmp_path / "prices.txt.1")
    scene.set(SOURCES="simulated")
    if linked:
        scene.file.symlink_to(tmp_path / "elsewhere.txt")

    with pytest.raises(PriceError, match="it holds real prices"):
        scene.run(until=20)

    assert not scene.file.exists()
    assert scene.file.is_symlink() == linked
    assert len(scene.said(Event.FILE_BEGUN)) == 1, "by the first recorder"


@pytest.mark.parametrize(
    ("before", "after", "file"),
    [("kraken", "simulated", ""), ("simulated", "kraken", ""), ("kraken", "simulated", "older.txt")],
)
def test_a_reload_keeps_the_kinds_apart_too(tmp_path: Path, before: str, after: str, file: str) -> None:
    scene = Scene(tmp_path, SOURCES=before)
    (tmp_path / "older.txt").write_text(f"{HEADER}2026-11-20T15:50:00Z BTC-USD 100 kraken\n")
    scene.reload_at(3, SOURCES=after, FILE=str(tmp_path / (file or scene.file.name)))

    scene.run(until=9)

    assert [row[9:] for row in scene.rows] == [f"BTC-USD 100 {before}"] * 2
    assert "prices: " in scene.said(Event.RELOAD_REFUSED)[0]


def test_a_log_of_made_up_prices_says_so_in_the_first_line_of_each_file(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="simulated")
    scene.clock.at(8, lambda: scene.file.rename(tmp_path / "prices.txt.1"))

    scene.run(until=14)

    for file in (scene.file, tmp_path / "prices.txt.1"):
        assert file.read_text().startswith("# price-log 1 every=5s simulated\n")


def test_a_log_put_in_the_place_of_one_of_the_other_kind_gets_no_row(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    other = "# price-log 1 every=5s simulated\n2026-11-20T15:50:00Z BTC-USD 100 simulated\n"
    scene.clock.at(8, scene.file.unlink)
    scene.clock.at(8, lambda: scene.file.write_text(other))

    scene.run(until=14)

    assert scene.file.read_text() == other
    assert "it holds simulated prices; rows are held" in scene.said(Event.ROWS_HELD)[0]


def test_made_up_prices_may_follow_slots_that_were_all_missed(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="simulated")
    written(scene, "15:51:55 BTC-USD - kraken:unreachable")

    scene.run(until=4)

    assert sections(scene)[2:] == [
        "# price-log 1 every=5s simulated",
        "15:52:00 BTC-USD - down",
        "15:52:05 BTC-USD 100 simulated",
    ]


def test_the_hint_at_simulated_prices_names_a_file_of_its_own_where_the_log_has_real_ones(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path)
    scene.net.kraken.fails(Unreachable("no network"))
    scene.run(until=4)
    older_log(scene, REAL)
    scene.run(until=9)

    first, second = scene.said(Event.NO_SOURCE_YET)
    assert first.endswith("to see rows without a network set PRICE_SOURCES=simulated")
    assert second.endswith(" set PRICE_SOURCES=simulated, and PRICE_FILE to another file")


@pytest.mark.parametrize("by", ["reload", "restart"])
def test_a_shorter_interval_leaves_a_down_row_in_the_new_interval(tmp_path: Path, by: str) -> None:
    scene = Scene(tmp_path, INTERVAL="60")
    change(scene, by, 35, INTERVAL="5")

    scene.run(until=44)

    assert sections(scene) == [
        "# price-log 1 every=60s",
        "15:52:00 BTC-USD 100 kraken",
        "# price-log 1 every=5s",
        "15:52:05 BTC-USD - down slots=7",
        "15:52:40 BTC-USD 100 kraken",
        "15:52:45 BTC-USD 100 kraken",
    ]


@pytest.mark.parametrize("by", ["reload", "restart"])
def test_a_longer_interval_goes_on_at_its_next_slot(tmp_path: Path, by: str) -> None:
    scene = Scene(tmp_path)
    change(scene, by, 3, INTERVAL="20")

    scene.run(until=40)

    assert sections(scene)[:4] == [
        HEADER.strip(),
        "15:52:05 BTC-USD 100 kraken",
        "# price-log 1 every=20s",
        "15:52:20 BTC-USD 100 kraken",
    ]


def test_an_interval_there_and_back_adds_up(tmp_path: Path) -> None:
    scene = Scene(tmp_path, PAIRS="BTC-USD,ETH-USD")
    for moment, interval in ((13, "15"), (50, "1"), (55, "5"), (80, "60"), (200, "5")):
        scene.reload_at(moment, INTERVAL=interval)

    scene.run(until=230)

    assert scene.text.count("# price-log") == 6
    assert len(scene.rows) > 20


ONE, BOTH = "BTC-USD", "BTC-USD,ETH-USD"


@pytest.mark.parametrize("by", ["reload", "restart"])
@pytest.mark.parametrize(
    ("first", "second", "third", "seconds"),
    [
        (ONE, BOTH, BOTH, ["15", "20", "25", "30"]),
        (BOTH, ONE, ONE, ["05", "10"]),
        (BOTH, ONE, BOTH, ["05", "10", "30"]),
    ],
    ids=["added", "taken out", "taken out and back"],
)
def test_a_pair_may_come_and_go_and_the_others_go_on(
    tmp_path: Path, first: str, second: str, third: str, seconds: list[str], by: str
) -> None:
    scene = Scene(tmp_path, PAIRS=first)
    change(scene, by, 8, PAIRS=second)
    change(scene, by, 23, PAIRS=third)

    scene.run(until=29)

    assert [row for row in scene.rows if "ETH" in row] == [
        f"15:52:{second} ETH-USD 100 kraken" for second in seconds
    ]
    assert sum("BTC-USD 100" in row for row in scene.rows) == 6


def test_a_pair_that_comes_back_with_another_interval_adds_no_row_before_others(tmp_path: Path) -> None:
    scene = Scene(tmp_path, PAIRS="BTC-USD,ETH-USD")
    scene.run(until=4)
    scene.set(PAIRS="BTC-USD")
    scene.run(until=100)
    scene.set(PAIRS="BTC-USD,ETH-USD", INTERVAL="10")

    scene.run(until=120)

    assert scene.rows[-1].endswith("ETH-USD 100 kraken")
    assert sum("ETH-USD - down" in row for row in scene.rows) == 0


def test_a_pair_that_comes_back_from_farther_than_is_looked_begins_a_new_sum(tmp_path: Path) -> None:
    scene = Scene(tmp_path, PAIRS="BTC-USD,ETH-USD")
    start = datetime(2026, 11, 14, tzinfo=UTC)
    slots = [times.iso(start + timedelta(seconds=5 * number)) for number in range(90_000)]
    scene.file.write_text(
        f"{HEADER}{slots[0]} BTC-USD 100 kraken\n{slots[0]} ETH-USD 100 kraken\n"
        + "".join(f"{slot} BTC-USD 100 coinbase,kraken,bitstamp\n" for slot in slots[1:])
    )

    scene.run(until=4)

    assert scene.text.count("# price-log") == 2
    assert scene.rows[-1].endswith("ETH-USD 100 kraken")


def test_a_slot_of_which_only_some_rows_were_kept_is_down_for_the_others(tmp_path: Path) -> None:
    scene = Scene(tmp_path, PAIRS="BTC-USD,ETH-USD,ADA-USD")
    written(
        scene,
        "15:51:55 BTC-USD 100 kraken",
        "15:51:55 ETH-USD 100 kraken",
        "15:51:55 ADA-USD 100 kraken",
        "15:52:00 BTC-USD 100 kraken",
    )
    with scene.file.open("a") as file:
        file.write("2026-11-20T15:52:00Z ETH-USD 1")

    scene.run(until=4)

    assert scene.rows[4:6] == ["15:52:00 ETH-USD - down", "15:52:00 ADA-USD - down"]
    assert scene.text.count("# price-log") == 1


def test_a_torn_slot_and_a_shorter_interval_put_no_row_before_others(tmp_path: Path) -> None:
    scene = Scene(tmp_path, PAIRS="BTC-USD,ETH-USD", INTERVAL="1")
    rows = ("15:51:55 BTC-USD 100 kraken", "15:51:55 ETH-USD 100 kraken", "15:52:00 BTC-USD 100 kraken")
    written(scene, *rows)

    scene.run(until=0.5)

    assert scene.rows[3:] == [
        "15:52:01 BTC-USD - down slots=3",
        "15:52:04 BTC-USD 100 kraken",
        "15:52:04 ETH-USD 100 kraken",
    ]


def test_a_pair_that_ended_early_gets_no_row_before_others_where_the_interval_shrinks_by_reload(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, PAIRS="BTC-USD,ETH-USD", INTERVAL="60")
    rows = ("15:51:45 ETH-USD 100 kraken", "15:51:45 BTC-USD 100 kraken", "15:51:46 BTC-USD - down slots=5")
    written(scene, *rows, header="# price-log 1 every=1s\n")
    scene.clock.step(2)
    scene.clock.at(0, lambda: scene.clock.step(-10))
    scene.reload_at(1, INTERVAL="5")

    scene.run(until=4)

    assert scene.rows[3:] == ["15:51:55 BTC-USD 100 kraken", "15:51:55 ETH-USD 100 kraken"]


@pytest.mark.parametrize("begin", ["", "#", "# price-l", "# price-log 1 ev", "\0\0\0\0"])
def test_a_file_that_was_torn_in_its_first_line_is_begun_anew(tmp_path: Path, begin: str) -> None:
    scene = Scene(tmp_path)
    scene.file.write_text(begin)

    scene.run(until=4)

    assert scene.text == HEADER + "2026-11-20T15:52:05Z BTC-USD 100 kraken\n"


@pytest.mark.parametrize(
    "middle",
    [
        "!!! something else entirely",
        "2026-11-20T15:51:50Z BTC-USD - down slots=many",
        "2026-99-99T15:51:50Z BTC-USD 100 kraken",
        "0000-00-00T00:00:00Z BTC-USD 100 kraken",
        "a b c d e",
        "2026-11-20T15:51:50Z B\xfcC-USD 100 kraken",
        "   ",
    ],
)
def test_a_line_in_the_middle_that_is_no_row_stops_no_recorder(tmp_path: Path, middle: str) -> None:
    scene = Scene(tmp_path)
    scene.file.write_bytes(
        f"{HEADER}2026-11-20T15:51:45Z BTC-USD 100 kraken\n{middle}\n"
        "2026-11-20T15:51:55Z BTC-USD 100 kraken\n".encode("latin-1")
    )

    status = scene.run(until=9)

    assert status == 0
    assert scene.file.read_bytes().endswith(
        b"2026-11-20T15:52:00Z BTC-USD - down\n2026-11-20T15:52:05Z BTC-USD 100 kraken\n"
        b"2026-11-20T15:52:10Z BTC-USD 100 kraken\n"
    )


@pytest.mark.parametrize("content", ["hello\n", "slot,pair\n1,2\n", "2026-11-20T15:51:55Z BTC-USD 1 a\n"])
def test_a_file_that_is_no_price_log_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    scene = Scene(tmp_path)
    scene.file.write_text(content)

    with pytest.raises(PriceError, match=r"PRICE_FILE=.*prices\.txt: it is not a price log"):
        scene.run(until=4)

    assert scene.file.read_text() == content


LONG = "x" * 70_000
ROW = "2026-11-20T15:51:55Z BTC-USD 100 kraken"


@pytest.mark.parametrize(
    "lines",
    [
        [LONG],
        [ROW, LONG],
        [f"{ROW}\r"] * 3,
        [ROW, f"{ROW} "],
        [ROW, "moved to another rack"],
        [ROW, ""],
        [ROW, ROW.replace("100", "7" * 600)],
        [ROW, ROW.replace("100", "0." + "7" * 600)],
        [ROW, ROW.replace("100", "1e5")],
        [ROW, "15:52:00 BTC-USD 100 kraken"],
        [*[f"2026-11-20T15:52:00Z BT{ROW}"] * 3],
        [ROW, "2026-11-20T15:52:00Z BTC-USD 1", "2026-11-20T15:52:05Z BTC-U"],
    ],
    ids=lambda lines: lines[-1][:60],
)
def test_a_last_line_that_no_crash_leaves_is_named_and_nothing_is_cut(
    tmp_path: Path, lines: list[str]
) -> None:
    scene = Scene(tmp_path)
    text = HEADER + "".join(f"{line}\n" for line in lines)
    scene.file.write_bytes(text.encode())
    number = 2 if "BT2026" in lines[0] else len(lines) + 1

    with pytest.raises(PriceError, match=rf"PRICE_FILE=\S+: line {number} is .*price verify"):
        scene.run(until=4)

    assert scene.file.read_bytes() == text.encode()
    assert not (tmp_path / "prices.txt.cut").exists()


@pytest.mark.parametrize(
    "left",
    [
        b"2026-11-20T15:52:00Z BTC-USD 97",
        b"2",
        b"\0" * 3_000_000,
        b"2026-11-20T15:52:00Z BT\0\0\0",
        b"\0\0\0\0\n",
        b"2026-11-20T15:52:00Z BT\0\0\0\0SD 100 kraken\n",
        b"2026-11-20T15:5" + ROW.encode() + b"\n",
        b"2026-11-20T15:52:00Z BTC-USD 1" + ROW.encode() + b"\n2026-11",
        b"a person's unfinished remark",
    ],
    ids=lambda left: repr(left[:60]),
)
def test_what_a_crash_may_leave_is_cut_and_kept_whole_beside_the_log(tmp_path: Path, left: bytes) -> None:
    scene = Scene(tmp_path)
    sound = HEADER.encode() + b"2026-11-20T15:51:50Z BTC-USD 100 kraken\n"
    kept = tmp_path / "prices.txt.cut"
    kept.write_bytes(b"cut before\n")
    scene.file.write_bytes(sound + left)

    scene.run(until=4)

    assert scene.file.read_bytes() == sound + (
        b"2026-11-20T15:51:55Z BTC-USD - down slots=2\n2026-11-20T15:52:05Z BTC-USD 100 kraken\n"
    )
    assert kept.read_bytes() == b"cut before\n" + left + b"\n"
    assert kept.stat().st_blocks * 512 < 20_000, "zeros are a hole"
    (warning,) = scene.said(Event.TAIL_CUT)
    assert str(kept) in warning
    assert (f"was cut off: {len(left)} bytes, '" in warning) == (len(left) > 200)
    assert len(warning.replace(str(tmp_path), "")) < 500


def test_an_unfinished_line_that_is_no_row_of_ours_by_its_length_is_refused(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.file.write_text(HEADER + LONG)

    with pytest.raises(PriceError, match=r"line 2 is longer than 65536 bytes.*price verify"):
        scene.run(until=4)


@pytest.mark.parametrize("place", ["here", "packed"])
def test_a_clock_before_the_last_row_at_the_start_waits_and_says_so(tmp_path: Path, place: str) -> None:
    scene = Scene(tmp_path)
    written(scene, "15:52:30 BTC-USD 100 kraken")
    if place == "packed":
        (tmp_path / "prices.txt.2.gz").write_bytes(packed(scene.file.read_bytes()))
        scene.file.unlink()

    scene.run(until=35)

    assert scene.rows[-1] == "15:52:35 BTC-USD 100 kraken"
    assert len(scene.rows) == (2 if place == "here" else 1)
    first, last = scene.said(Event.CLOCK_BEHIND)
    assert "before the last row, 2026-11-20T15:52:30Z" in first
    assert "rows go on" in last


def test_the_last_recorded_price_survives_a_restart(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    written(scene, "15:51:50 BTC-USD 100 kraken", "15:51:55 BTC-USD - kraken:timeout slots=2")
    scene.net.kraken.says("120")

    scene.run(until=14)

    assert [row.split(" ", 2)[2] for row in scene.rows[2:]] == [
        "- unconfirmed",
        "- unconfirmed",
        "120 kraken",
    ]


@pytest.mark.parametrize("name", ["prices.txt-20261120", "prices.txt-2026-11-20", "prices.txt.1"])
def test_a_file_rotated_while_nothing_ran_is_gone_on_from(tmp_path: Path, name: str) -> None:
    scene = Scene(tmp_path)
    written(scene, "15:51:50 BTC-USD 100 kraken")
    with scene.file.open("a") as file:
        file.write("2026-11-20T15:51:55Z BTC-USD 100 kraken")  # torn: it counts for nothing
    scene.file.rename(tmp_path / name)
    (tmp_path / f"{name}.gz").write_bytes(b"as far as gzip came before a power cut")

    scene.run(until=4)

    assert scene.rows == ["15:51:55 BTC-USD - down slots=2", "15:52:05 BTC-USD 100 kraken"]


@pytest.mark.parametrize("members", [1, 2])
def test_a_file_rotated_and_packed_while_nothing_ran_is_gone_on_from(tmp_path: Path, members: int) -> None:
    scene = Scene(tmp_path)
    written(scene, "15:51:45 BTC-USD 90 kraken", "15:51:50 BTC-USD 100 kraken")
    (tmp_path / "prices.txt-20261120.gz").write_bytes(packed(scene.file.read_bytes(), members))
    scene.file.unlink()

    scene.run(until=4)

    assert scene.rows == ["15:51:55 BTC-USD - down slots=2", "15:52:05 BTC-USD 100 kraken"]


def test_a_start_does_not_wait_for_a_long_packed_file_to_tell_an_old_price(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    written(scene, "10:00:00 BTC-USD 90 kraken")
    long = scene.file.read_bytes() + b"2026-11-20T10:00:05Z BTC-USD 90 kraken\n" * 1_800_000
    (tmp_path / "prices.txt-20261120.gz").write_bytes(packed(long))
    written(scene, f"15:51:55 BTC-USD {MISSED}")

    scene.run(until=4)

    assert scene.rows[-2:] == ["15:52:00 BTC-USD - down", "15:52:05 BTC-USD 100 kraken"]
    assert "too long to be unpacked at the start; it was skipped" in scene.said(Event.TAIL_CUT)[0]


def test_however_long_a_packed_file_is_the_slots_after_it_are_accounted_for(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    written(scene, "10:00:00 BTC-USD 100 kraken")
    header, row = scene.file.read_bytes().splitlines(keepends=True)
    (tmp_path / "prices.txt-20261120.gz").write_bytes(
        packed(header + row * 1_800_000 + row.replace(b"10:00:00", b"15:51:55"))
    )
    scene.file.unlink()

    scene.run(until=4)

    assert scene.rows == ["15:52:00 BTC-USD - down", "15:52:05 BTC-USD 100 kraken"]


def test_of_several_rotated_files_the_one_with_the_last_rows_is_gone_on_from(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    written(scene, "15:51:55 BTC-USD 99 kraken")
    scene.file.rename(tmp_path / "prices.txt.1")
    written(scene, "15:51:45 BTC-USD 80 kraken")
    scene.file.rename(tmp_path / "prices.txt.2")  # written later, as a copy that was restored is

    scene.run(until=4)

    assert scene.rows == ["15:52:00 BTC-USD - down", "15:52:05 BTC-USD 100 kraken"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *[("prices.txt.1", one) for one in (b"", b"\x1f\x8b garbage", b"no log at all\n", b"x" * 70_000)],
        *[
            ("prices.txt.1.gz", one)
            for one in (b"", b"no gzip", packed(b"no log\n"), packed(b"x" * 500)[:-9])
        ],
    ],
    ids=repr,
)
def test_a_rotated_file_that_is_no_log_stops_no_recorder(tmp_path: Path, name: str, content: bytes) -> None:
    scene = Scene(tmp_path)
    (tmp_path / name).write_bytes(content)

    scene.run(until=4)

    assert scene.rows == ["15:52:05 BTC-USD 100 kraken"]


def test_bad_settings_are_refused_at_a_reload_and_the_old_ones_stay_until_they_are_mended(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path)
    scene.reload_at(3, INTERVAL="7", PAIRS="BTC")
    scene.reload_at(8, INTERVAL="5", PAIRS="BTC-USD", SOURCES="kraken,bitstamp")

    scene.run(until=14)

    assert [row.split()[-1] for row in scene.rows] == ["kraken", "kraken", "kraken,bitstamp"]
    (refusal,) = scene.said(Event.RELOAD_REFUSED)
    assert "PRICE_INTERVAL=7" in refusal
    assert "PRICE_PAIRS=BTC" in refusal
    assert len(scene.said(Event.RELOADED)) == 1


@pytest.mark.parametrize(("stop", "reloads"), [(8, 0), (9, 1)])
def test_reloads_that_wait_are_one_and_a_stop_passes_them(tmp_path: Path, stop: float, reloads: int) -> None:
    scene = Scene(tmp_path)
    for _ in range(50):
        scene.reload_at(8)

    scene.run(until=stop)

    assert len(scene.said(Event.RELOADING)) == len(scene.said(Event.RELOADED)) == reloads
    assert len(scene.rows) == 2


def test_reloads_without_end_keep_no_slot_from_being_recorded(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    for number in range(1500):
        scene.clock.post_at(1 + number / 100, Signal.RELOAD)

    scene.run(until=19)

    assert [row.split(" ", 1)[1] for row in scene.rows] == ["BTC-USD 100 kraken"] * 4


def test_a_status_is_removed_where_a_reload_names_another(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.reload_at(3, STATUS=str(tmp_path / "other.json"))
    seen: list[list[bool]] = []
    scene.clock.at(
        8, lambda: seen.append([(tmp_path / name).exists() for name in ("status.json", "other.json")])
    )

    scene.run(until=9)

    assert seen == [[False, True]]


def test_another_file_by_reload_is_begun_and_the_old_one_stays_whole(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.reload_at(8, FILE=str(tmp_path / "new" / "prices.txt"))

    scene.run(until=14)

    assert len(scene.rows) == 2
    assert (tmp_path / "new" / "prices.txt").read_text().splitlines()[-1] == (
        "2026-11-20T15:52:15Z BTC-USD 100 kraken"
    )


def test_another_file_by_reload_does_not_make_an_older_price_a_newer_one(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="coinbase")
    scene.net.coinbase.says("100", aged=0, times=1)
    scene.net.coinbase.says("101", aged=20)
    scene.reload_at(3, FILE=str(tmp_path / "new.txt"))

    scene.run(until=9)

    assert scene.rows == ["15:52:05 BTC-USD 100 coinbase"]
    assert (tmp_path / "new.txt").read_text().splitlines()[1:] == [
        "2026-11-20T15:52:05Z BTC-USD - coinbase:backward",
        "2026-11-20T15:52:10Z BTC-USD - coinbase:backward",
    ]


def test_a_source_that_was_taken_out_and_comes_back_was_not_lost_meanwhile(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="kraken,coinbase")
    scene.net.kraken.fails(Timeout("no answer"), times=1)
    scene.reload_at(3, SOURCES="coinbase")
    scene.reload_at(13, SOURCES="kraken,coinbase")

    scene.run(until=19)

    assert len(scene.said(Event.SOURCE_LOST)) == 1
    assert scene.said(Event.SOURCE_BACK) == []
    assert scene.rows[-1] == "15:52:20 BTC-USD 100 kraken,coinbase"


def test_a_file_that_was_refused_at_a_reload_may_be_named_again_once_it_is_mended(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    other = tmp_path / "other.txt"
    other.write_text("not a log\n")
    scene.reload_at(3, FILE=str(other))
    scene.clock.at(7.9, other.unlink)
    scene.reload_at(8, FILE=str(other))

    scene.run(until=14)

    assert len(scene.said(Event.RELOAD_REFUSED)) == 1
    assert "not a price log" in scene.said(Event.RELOAD_REFUSED)[0]
    assert other.read_text().endswith("2026-11-20T15:52:15Z BTC-USD 100 kraken\n")


def test_bad_settings_at_the_start_are_an_error_before_anything_is_written(tmp_path: Path) -> None:
    scene = Scene(tmp_path, INTERVAL="7")

    with pytest.raises(SettingsError):
        scene.run(until=4)

    assert not scene.file.exists()


def test_status_json_shows_the_last_slot_and_is_removed_at_the_end(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SOURCES="kraken,bitstamp")
    scene.net.bitstamp.fails(Unreachable("x"))
    seen = scene.json_at("status.json", 9)

    scene.run(until=10)

    (status,) = seen
    assert status["slot"] == "2026-11-20T15:52:10Z"
    assert status["held"] == 0
    assert status["pairs"] == {
        "BTC-USD": {
            "price": "100",
            "slot": "2026-11-20T15:52:10Z",
            "sources": ["kraken"],
            "recorded": 2,
            "missed": 0,
        }
    }
    assert not (tmp_path / "status.json").exists()


def test_a_status_that_cannot_be_written_or_removed_ends_nothing_badly(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    scene = Scene(tmp_path, STATUS=str(tmp_path / "a-file" / "status.json"))

    status = scene.run(until=14)

    assert status == 0
    assert len(scene.rows) == 3
    assert len(scene.said(Event.HANDLER_FAILED)) == 1


def test_the_counts_of_the_day_survive_a_restart(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    written(scene, "15:51:30 BTC-USD 100 kraken", "15:51:35 BTC-USD - kraken:timeout slots=4")
    seen = scene.json_at("status.json", 3)

    scene.run(until=4)

    pair = seen[0]["pairs"]["BTC-USD"]
    assert (pair["recorded"], pair["missed"]) == (2, 6)


def test_counts_begin_anew_at_midnight_and_a_row_over_it_counts_in_part(tmp_path: Path) -> None:
    midnight = (START + timedelta(days=1)).replace(hour=0, minute=0, second=0)
    scene = Scene(tmp_path, midnight - timedelta(seconds=9))
    scene.clock.at(5, lambda: scene.clock.freeze(20))
    seen = scene.json_at("status.json", 32)

    scene.run(until=33)

    pair = seen[0]["pairs"]["BTC-USD"]
    assert "23:59:55 BTC-USD 100 kraken" in scene.rows
    assert "00:00:00 BTC-USD - late slots=3" in scene.rows
    assert (pair["recorded"], pair["missed"]) == (2, 3)


def test_a_link_in_the_place_of_what_keeps_the_cut_is_not_followed_and_named(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    written(scene, "15:51:55 BTC-USD 100 kraken")
    with scene.file.open("a") as file:
        file.write("2026-11-20T15:52:00Z BTC")
    kept, victim = tmp_path / "prices.txt.cut", tmp_path / "victim"
    victim.write_text("mine\n")
    kept.symlink_to(victim)
    scene.clock.at(7, kept.unlink)

    scene.run(until=14)

    assert f"{kept}, which is to keep what is cut: Too many levels" in scene.said(Event.ROWS_HELD)[0]
    assert victim.read_text() == "mine\n"
    assert kept.read_text() == "2026-11-20T15:52:00Z BTC\n"
    assert scene.rows[-1] == "15:52:15 BTC-USD 100 kraken"
