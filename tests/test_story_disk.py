"""Stories of the log's file: what happens to it in flight, and a disk that refuses rows for a while."""

import json
import logging
import os
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from price import host, times
from price.cli import main
from price.errors import PriceError, Unavailable
from price.events import Event, quote_of
from price.model import Pair, Quote
from price.safely import Failures
from price.settings import Settings, load
from price.sinks.base import Sinks
from price.sinks.records import RecordsSink
from price.sinks.rows import RowsSink
from tests.fakes import START, FakeClock
from tests.proof import proven
from tests.scene import Scene

HEADER = "# price-log 1 every=5s\n"
BTC = Pair("BTC", "USD")


class Disk:
    """The folder of a scene's log, which can be lost and come back as it was."""

    def __init__(self, scene: Scene) -> None:
        self._folder, self._away = scene.file.parent, scene.folder / "away"

    def refuse(self) -> None:
        """From now on nothing can be made where the folder was."""
        self._folder.rename(self._away)
        self._folder.write_text("in the way")

    def mend(self) -> None:
        """The folder is as it was."""
        self._folder.unlink()
        self._away.rename(self._folder)


def scene_with_disk(tmp_path: Path, **settings: str) -> tuple[Scene, Disk]:
    scene = Scene(tmp_path)
    scene.set(FILE=str(tmp_path / "disk" / "prices.txt"), **settings)
    scene.file = tmp_path / "disk" / "prices.txt"
    return scene, Disk(scene)


def slots(scene: Scene) -> list[str]:
    return [row.split()[0] for row in scene.rows]


def append(file: Path, text: str) -> None:
    with file.open("a") as log:
        log.write(text)


def replace_by_copy(file: Path) -> None:
    copy = file.with_name("copy")
    copy.write_text(file.read_text() + "# mended by hand\n")
    copy.rename(file)


MISCHIEF: dict[str, Callable[[Path], object]] = {
    "renamed": lambda file: file.rename(file.with_name("prices.txt-20261120")),
    "folder renamed": lambda file: file.parent.rename(file.parent.with_name("elsewhere")),
    "folder removed": lambda file: shutil.rmtree(file.parent),
    "removed": Path.unlink,
    "emptied": lambda file: os.truncate(file, 0),
    "cut short": lambda file: os.truncate(file, len(HEADER) + 50),
    "copied": replace_by_copy,
    "a remark": lambda file: append(file, "# moved to another rack\n"),
    "half a line": lambda file: append(file, "half a li"),
}
"""What may be done to a log after its second row."""


@pytest.mark.parametrize(
    ("mischief", "seconds", "headers", "begun", "cut"),
    [
        ("renamed", "15 20", 1, 2, 0),
        ("folder renamed", "15 20", 1, 2, 0),
        ("folder removed", "15 20", 1, 2, 0),
        ("removed", "15 20", 1, 2, 0),
        ("emptied", "15 20", 1, 2, 0),
        ("cut short", "05 15 20", 2, 1, 1),
        ("copied", "05 10 15 20", 2, 1, 0),
        ("a remark", "05 10 15 20", 1, 1, 0),
        ("half a line", "05 10 15 20", 1, 1, 1),
    ],
)
def test_whatever_is_done_to_the_file_in_flight_no_later_row_is_lost(
    tmp_path: Path, mischief: str, seconds: str, headers: int, begun: int, cut: int
) -> None:
    scene, _ = scene_with_disk(tmp_path)
    left: list[str] = []
    scene.clock.at(8, lambda: MISCHIEF[mischief](scene.file))
    scene.clock.at(8, lambda: left.append(scene.text if scene.file.exists() else ""))

    scene.run(until=19)

    assert scene.text.startswith(left[0][: left[0].rfind("\n") + 1]), "whole lines stay as they are"
    assert slots(scene) == [f"15:52:{second}" for second in seconds.split()]
    assert scene.text.count("# price-log") == headers
    assert len(scene.said(Event.FILE_BEGUN)) == begun
    assert len(scene.said(Event.TAIL_CUT)) == cut
    assert scene.file.stat().st_mode & 0o777 == 0o644


def test_rows_are_held_while_the_disk_refuses_and_written_when_it_takes_them(tmp_path: Path) -> None:
    scene, disk = scene_with_disk(tmp_path)
    scene.clock.at(8, disk.refuse)
    scene.clock.at(63, disk.mend)
    seen = scene.json_at("status.json", 33)

    scene.run(until=74)

    assert len(scene.rows) == 15
    assert scene.text.count("# price-log") == 1
    assert seen[0]["held"] == 5
    assert len(scene.said(Event.ROWS_HELD)) == 1
    (written,) = scene.said(Event.ROWS_WRITTEN)
    assert "12 rows held" in written


@pytest.mark.parametrize(("is_removed", "first"), [(False, ["05", "10"]), (True, [])])
def test_rows_that_are_held_keep_the_interval_that_they_were_made_in(
    tmp_path: Path, is_removed: bool, first: list[str]
) -> None:
    scene, disk = scene_with_disk(tmp_path)
    scene.clock.at(8, disk.refuse)
    scene.reload_at(18, INTERVAL="20")
    scene.reload_at(57, INTERVAL="10", PAIRS="BTC-USD,ETH-USD")
    scene.clock.at(88, disk.mend)
    if is_removed:
        scene.clock.at(88, scene.file.unlink)

    scene.run(until=110)

    assert [one for one in scene.text.splitlines() if one.startswith("#")] == [
        "# price-log 1 every=5s",
        "# price-log 1 every=20s",
        "# price-log 1 every=10s",
    ]
    expected = [f"15:52:{second}" for second in [*first, "15", "20", "40"]]
    assert slots(scene)[: len(expected) + 1] == [*expected, "15:53:00"]


@pytest.mark.parametrize(
    ("pairs", "changes", "late"),
    [
        ("BTC-USD", [], "19:00 BTC 6"),
        ("BTC-USD", [{"SOURCES": "bitstamp"}], "19:00 BTC 6"),
        ("BTC-USD", [{"INTERVAL": "1800"}], "19:00 BTC 2, 20:30 BTC 8"),
        (
            "BTC-USD",
            [{"INTERVAL": "1800"}, {"INTERVAL": "600"}],
            "19:00 BTC 2, 20:30 BTC 4, 22:10 BTC 12",
        ),
        ("BTC-USD", [{"PAIRS": "BTC-USD,ETH-USD"}], "19:00 BTC 2, 21:00 BTC 4, 21:00 ETH 4"),
        ("BTC-USD,ETH-USD", [{"PAIRS": "BTC-USD"}], "19:00 BTC 2, 19:00 ETH 2, 21:00 BTC 4"),
    ],
)
def test_slots_given_up_are_late_in_the_settings_that_they_were_recorded_with(
    tmp_path: Path, pairs: str, changes: list[dict[str, str]], late: str
) -> None:
    scene, disk = scene_with_disk(tmp_path, INTERVAL="3600", PAIRS=pairs)
    scene.clock.lag = 50
    scene.clock.at(8000, disk.refuse)
    for number, change in enumerate(changes, start=1):
        scene.reload_at(8000 + number * 2 * 3600, **change)
    scene.clock.at(8000 + 30 * 3600, disk.mend)

    scene.run(until=8000 + 31 * 3600)

    rows = [row.replace("-USD - late slots=", " ") for row in scene.rows if " late" in row]
    assert ", ".join(f"{row[:5]}{row[8:]}" for row in rows) == late
    assert "given up" in scene.said(Event.ROWS_WRITTEN)[0]
    assert main(["verify", "--file", str(scene.file)], {}, START) == 0, "nor is a slot lost between two sums"


def test_slots_given_up_before_the_disk_ever_took_a_row_are_late(tmp_path: Path) -> None:
    scene, _ = scene_with_disk(tmp_path, INTERVAL="3600")
    scene.clock.lag = 50
    refusing = tmp_path / "disk"
    refusing.symlink_to("/proc")  # where nobody can make a file
    scene.clock.at(30 * 3600, refusing.unlink)

    scene.run(until=32 * 3600)

    assert scene.rows[0] == "15:00:00 BTC-USD - late slots=7"


def test_rows_that_are_held_outlast_the_sleep_of_a_machine(tmp_path: Path) -> None:
    scene, disk = scene_with_disk(tmp_path)
    scene.clock.at(10, disk.refuse)
    scene.clock.at(30, lambda: scene.clock.suspend(2 * times.DAY))
    scene.clock.at(50, disk.mend)

    scene.run(until=60)

    assert slots(scene)[2:6] == ["15:52:15", "15:52:20", "15:52:25", "15:52:30"]
    assert "given up" not in "".join(scene.said(Event.ROWS_WRITTEN))


@pytest.mark.parametrize("frozen_seconds", [0, 12])
@pytest.mark.parametrize("mended", [20, 82.5, 83, 150])
def test_a_log_that_opens_late_and_ends_in_the_future_is_gone_on_with(
    tmp_path: Path, mended: float, frozen_seconds: float
) -> None:
    scene, _ = scene_with_disk(tmp_path)
    scene.run(until=100)
    restarted, _ = scene_with_disk(tmp_path)
    restarted.clock.step(20)  # 80 s back
    disk, away = tmp_path / "disk", tmp_path / "away"
    disk.rename(away)
    disk.symlink_to("/proc")  # where nobody can make a file

    def mend() -> None:
        disk.unlink()
        away.rename(disk)

    restarted.clock.at(mended, mend)
    # for so long that slots on both sides of the log's end are late in one row
    restarted.clock.at(70.5, lambda: restarted.clock.freeze(frozen_seconds))
    restarted.run(until=200)

    assert all(" 100 " in row or " late" in row for row in restarted.rows), (
        "no slot twice, none without a row"
    )
    assert not [text for text in restarted.said(Event.ROWS_WRITTEN) if " 0 rows" in text]


def test_made_up_prices_do_not_follow_real_ones_that_are_still_held(tmp_path: Path) -> None:
    scene, _ = scene_with_disk(tmp_path)
    refusing = tmp_path / "disk"
    refusing.symlink_to("/proc")  # where nobody can make a file
    scene.reload_at(18, SOURCES="simulated")
    scene.clock.at(40, refusing.unlink)

    scene.run(until=60)

    (refusal,) = scene.said(Event.RELOAD_REFUSED)
    assert "a file of their own" in refusal
    assert "simulated" not in scene.text


def test_rows_held_are_counted_in_words_and_no_journal_is_promised(tmp_path: Path) -> None:
    scene, disk = scene_with_disk(tmp_path)
    scene.clock.at(8, disk.refuse)
    scene.clock.at(13, disk.mend)
    scene.clock.at(18, disk.refuse)

    scene.run(until=24)

    held = scene.said(Event.ROWS_HELD, Event.ROWS_WRITTEN)
    assert not any("journal" in text for text in held), "there is none"
    assert "2 rows held" in held[1]
    assert "1 row could not be written" in held[-1]


def test_the_log_is_not_changed_to_another_while_rows_wait_for_it(tmp_path: Path) -> None:
    scene, disk = scene_with_disk(tmp_path)
    scene.clock.at(8, disk.refuse)
    scene.reload_at(18, FILE=str(tmp_path / "other.txt"))
    scene.clock.at(23, disk.mend)

    scene.run(until=30)

    (refusal,) = scene.said(Event.RELOAD_REFUSED)
    assert "still wait" in refusal
    assert len(slots(scene)) == 6
    assert not (tmp_path / "other.txt").exists()


class Looks(logging.Handler):
    """Notes what stands on the disk whenever a record comes."""

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self._scene = scene
        self.seen: list[tuple[str, int, object]] = []

    def emit(self, record: logging.LogRecord) -> None:
        quote = quote_of(record)
        if quote is None:
            return
        status = self._scene.folder / "status.json"
        shown = json.loads(status.read_text())["slot"]
        self.seen.append((times.iso(quote.slot)[11:19], len(self._scene.rows), shown and shown[11:19]))


def test_rows_are_on_the_disk_before_they_are_logged_and_status_json_names_them_after(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path)
    looks = Looks(scene)

    scene.run(9, looks)

    assert looks.seen == [("15:52:05", 1, None), ("15:52:10", 2, "15:52:05")]


def recording(path: Path) -> RowsSink:
    """A recorder's rows, begun in a log."""
    rows = RowsSink(lambda *_: None, FakeClock())
    rows.configure(settings_for(path))
    return rows


def settings_for(path: Path) -> Settings:
    return load({"PRICE_FILE": str(path), "PRICE_SOURCES": "kraken"})


def test_a_second_recorder_on_the_same_file_is_refused_naming_the_first(tmp_path: Path) -> None:
    first = recording(tmp_path / "prices.txt")
    second = Scene(tmp_path)

    with pytest.raises(PriceError, match=f"process {os.getpid()} is recording into it"):
        second.run(until=4)

    first.close()
    assert second.run(until=10) == 0


def test_a_lock_whose_holder_is_not_told_yet_is_a_lock_all_the_same(tmp_path: Path) -> None:
    lock = tmp_path / ".prices.txt.lock"
    held = host.lock(lock)
    assert held is not None
    os.truncate(lock, 0)

    with pytest.raises(PriceError, match="process unknown is recording"):
        Scene(tmp_path).run(until=4)

    os.close(held)


def test_a_file_that_another_recorder_took_over_is_left_to_it(tmp_path: Path) -> None:
    scene, _ = scene_with_disk(tmp_path)
    others: list[RowsSink] = []

    def take_over() -> None:
        scene.file.parent.rename(tmp_path / "elsewhere")
        others.append(recording(scene.file))

    scene.clock.at(8, take_over)
    scene.clock.at(23, lambda: others[0].close())

    scene.run(until=29)

    assert len(scene.said(Event.ROWS_HELD)) == 1
    assert slots(scene) == ["15:52:15", "15:52:20", "15:52:25", "15:52:30"]


def test_a_quote_that_no_row_can_hold_does_not_keep_later_ones_from_the_disk(tmp_path: Path) -> None:
    rows = recording(tmp_path / "prices.txt")
    first, second = START + timedelta(seconds=1), START + timedelta(seconds=6)

    with pytest.raises(ValueError, match="not key=value"):
        rows.slot(first, [Quote(first, BTC, reason="no reason at all")])
    rows.slot(second, [Quote(second, BTC, reason="late")])
    rows.close()

    assert (tmp_path / "prices.txt").read_text() == HEADER + "2026-11-20T15:52:10Z BTC-USD - late\n"


class Broken:
    """A sink and a handler that fail at what they are told to fail at."""

    def __init__(self, at: str) -> None:
        self.at = at
        self.handler = _BrokenHandler(self)

    def fail(self, at: str) -> None:
        if self.at == at:
            raise RuntimeError("broken")

    def configure(self, settings: Settings) -> None:
        self.fail("configure")

    def slot(self, slot: datetime, quotes: Sequence[Quote]) -> None:
        self.fail("slot")

    def idle(self) -> None:
        self.fail("idle")

    def close(self) -> None:
        self.fail("close")


class _BrokenHandler(logging.Handler):
    def __init__(self, broken: Broken) -> None:
        super().__init__()
        self._broken = broken

    def emit(self, record: logging.LogRecord) -> None:
        self._broken.fail("quotes" if quote_of(record) else "others")


class Hears(logging.Handler):
    """Keeps what is said, without quotes."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if quote_of(record) is None:
            self.heard.append(record.getMessage())


class Recorder:
    """Rows, records and others, fed by hand, slot after slot."""

    def __init__(self, folder: Path, broken: Broken) -> None:
        self.hears = Hears()
        self.file = folder / "prices.txt"
        failures = Failures()
        rows = RowsSink(lambda *_: None, FakeClock())
        records = RecordsSink([broken.handler, self.hears], failures)
        self.sinks = Sinks([rows, records, broken], failures)
        self.sinks.configure(settings_for(self.file))
        self._slot = times.slot_of(START, 5)

    def slots(self, count: int) -> None:
        for _ in range(count):
            self.sinks.slot(self._slot, [Quote(self._slot, BTC, reason="late")])
            self._slot += timedelta(seconds=5)

    @property
    def heard(self) -> list[str]:
        return [text for text in self.hears.heard if "a new file" not in text]


@pytest.mark.parametrize(
    ("at", "what"),
    [("quotes", "_BrokenHandler cannot take a record"), ("slot", "Broken cannot end a slot")],
)
def test_a_failing_sink_or_handler_never_disturbs_rows_and_is_reported_once(
    tmp_path: Path, at: str, what: str
) -> None:
    broken = Broken(at)
    recorder = Recorder(tmp_path, broken)

    recorder.slots(20)
    broken.at = ""
    recorder.slots(20)
    recorder.sinks.close()

    assert len(proven(recorder.file.read_text())) == 40
    assert recorder.heard == [
        f"{what}: RuntimeError('broken'); recording goes on",
        f"{what.replace('cannot', 'can')} again after 20 failures",
    ]


@pytest.mark.parametrize(("at", "reports"), [("others", 3), ("idle", 1), ("close", 0), ("configure", 1)])
def test_a_sink_or_handler_that_fails_in_between_disturbs_nobody(
    tmp_path: Path, at: str, reports: int
) -> None:
    recorder = Recorder(tmp_path, Broken(at))

    for _ in range(3):
        recorder.sinks.idle()
        recorder.slots(1)
    recorder.sinks.close()

    assert len(proven(recorder.file.read_text())) == 3
    assert len(recorder.heard) == reports


def test_a_handler_that_fails_now_and_then_within_a_slot_is_not_said_to_work_in_between(
    tmp_path: Path,
) -> None:
    recorder = Recorder(tmp_path, Broken("quotes"))

    recorder.slots(100)
    recorder.sinks.close()

    assert len(recorder.heard) == 1


def test_a_source_that_fails_and_a_disk_that_refuses_at_once_still_account_for_each_slot(
    tmp_path: Path,
) -> None:
    scene, disk = scene_with_disk(tmp_path, SOURCES="kraken,bitstamp")
    for begin in range(7, 300, 40):
        scene.clock.at(begin, disk.refuse)
        scene.clock.at(begin + 3, lambda: scene.net.kraken.fails(Unavailable("x"), times=3))
        scene.clock.at(begin + 11, lambda: scene.net.bitstamp.hangs(times=1))
        scene.clock.at(begin + 21, disk.mend)

    scene.run(until=330)

    assert len(scene.rows) == 66


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (OSError(20, "Not a directory", "logs/status.json"), "logs/status.json: Not a directory"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (ValueError("nobody foresaw it"), "ValueError('nobody foresaw it')"),
    ],
)
def test_a_sink_that_fails_is_reported_in_words(
    failure: Exception, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    class StatusSink:
        def fail(self) -> None:
            raise failure

    failures = Failures()
    sink = StatusSink()
    with caplog.at_level("INFO", "price"):
        failures.call(sink, "end a slot", sink.fail)
        failures.report(slot_ended=False)

    assert caplog.messages == [f"Status cannot end a slot: {words}; recording goes on"]
