"""Stories of the log's file: what happens to it in flight, and a disk that refuses rows for a while."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
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


def test_a_file_renamed_in_flight_is_begun_anew_and_none_of_its_rows_is_lost(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    old = tmp_path / "prices.txt-20261120"
    scene.clock.at(8, lambda: scene.file.rename(old))

    scene.run(until=14)

    assert [row[11:19] for row in proven(old.read_text())] == ["15:52:05", "15:52:10"]
    assert slots(scene) == ["15:52:15"]
    assert scene.text.startswith(HEADER)


def test_a_file_removed_in_flight_is_begun_anew(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.clock.at(8, lambda: scene.file.unlink())

    scene.run(until=19)

    assert slots(scene) == ["15:52:15", "15:52:20"]


def test_a_file_emptied_in_flight_is_begun_anew(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.clock.at(8, lambda: os.truncate(scene.file, 0))

    scene.run(until=19)

    assert slots(scene) == ["15:52:15", "15:52:20"]
    assert len(scene.said(Event.FILE_BEGUN)) == 2


def test_a_file_cut_short_in_flight_goes_on_in_a_new_sum(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.clock.at(13, lambda: os.truncate(scene.file, len(HEADER) + 50))

    scene.run(until=24)

    assert slots(scene) == ["15:52:05", "15:52:20", "15:52:25"]


def test_a_file_replaced_by_its_copy_goes_on_in_a_new_sum(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    def edit() -> None:
        copy = tmp_path / "copy"
        copy.write_text(scene.text + "# mended by hand\n")
        copy.rename(scene.file)

    scene.clock.at(8, edit)

    scene.run(until=19)

    assert slots(scene) == ["15:52:05", "15:52:10", "15:52:15", "15:52:20"]
    assert "# mended by hand\n# price-log" in scene.text


def test_a_remark_added_in_flight_stays_where_it_is(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    def remark() -> None:
        with scene.file.open("a") as file:
            file.write("# moved to another rack\n")

    scene.clock.at(8, remark)

    scene.run(until=14)

    assert slots(scene) == ["15:52:05", "15:52:10", "15:52:15"]
    assert scene.text.splitlines()[3] == "# moved to another rack"
    assert scene.text.count("# price-log") == 1


def test_half_a_line_that_another_program_left_is_cut_and_said(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    def scribble() -> None:
        with scene.file.open("a") as file:
            file.write("half a li")

    scene.clock.at(8, scribble)

    scene.run(until=14)

    assert slots(scene) == ["15:52:05", "15:52:10", "15:52:15"]
    assert "half a li" in scene.said(Event.TAIL_CUT)[0]


def test_a_folder_that_vanished_is_made_again(tmp_path: Path) -> None:
    scene, _ = scene_with_disk(tmp_path)
    scene.clock.at(8, lambda: scene.file.parent.rename(tmp_path / "elsewhere"))

    scene.run(until=19)

    assert slots(scene) == ["15:52:15", "15:52:20"]
    assert scene.file.stat().st_mode & 0o777 == 0o644


def test_rows_are_held_while_the_disk_refuses_and_written_when_it_takes_them(tmp_path: Path) -> None:
    scene, disk = scene_with_disk(tmp_path)
    scene.clock.at(8, disk.refuse)
    scene.clock.at(63, disk.mend)
    held: list[int] = []
    scene.clock.at(33, lambda: held.append(scene.json("status.json")["held"]))

    scene.run(until=74)

    assert len(scene.rows) == 15
    assert scene.text.count("# price-log") == 1
    assert held == [5]
    assert len(scene.said(Event.ROWS_HELD)) == 1
    (written,) = scene.said(Event.ROWS_WRITTEN)
    assert "12 rows held" in written


def test_rows_that_are_held_keep_the_interval_that_they_were_made_in(tmp_path: Path) -> None:
    scene, disk = scene_with_disk(tmp_path)
    scene.clock.at(8, disk.refuse)
    scene.reload_at(18, INTERVAL="20")
    scene.reload_at(57, INTERVAL="10", PAIRS="BTC-USD,ETH-USD")
    scene.clock.at(88, disk.mend)

    scene.run(until=110)

    assert [one for one in scene.text.splitlines() if one.startswith("#")] == [
        "# price-log 1 every=5s",
        "# price-log 1 every=20s",
        "# price-log 1 every=10s",
    ]
    assert [row.split()[0] for row in scene.rows[:6]] == [
        "15:52:05",
        "15:52:10",
        "15:52:15",
        "15:52:20",
        "15:52:40",
        "15:53:00",
    ]


def test_rows_that_are_held_begin_a_new_file_with_their_own_interval(tmp_path: Path) -> None:
    scene, disk = scene_with_disk(tmp_path)

    def mend() -> None:
        disk.mend()
        scene.file.unlink()

    scene.clock.at(8, disk.refuse)
    scene.reload_at(18, INTERVAL="20")
    scene.clock.at(60, mend)

    scene.run(until=80)

    assert [one for one in scene.text.splitlines() if one.startswith("#")] == [
        "# price-log 1 every=5s",
        "# price-log 1 every=20s",
    ]
    assert slots(scene)[0] == "15:52:15"


@pytest.mark.parametrize(
    ("change", "first"),
    [
        ({"INTERVAL": "1800"}, "BTC-USD - late slots=3"),
        ({"PAIRS": "BTC-USD,ETH-USD"}, "BTC-USD - late slots=3"),
        ({"SOURCES": "bitstamp"}, "BTC-USD - late slots=6"),
    ],
)
def test_slots_given_up_over_a_change_of_the_settings_leave_a_sound_log(
    tmp_path: Path, change: dict[str, str], first: str
) -> None:
    scene, disk = scene_with_disk(tmp_path, INTERVAL="3600")
    scene.clock.lag = 50
    scene.clock.at(8000, disk.refuse)
    scene.reload_at(8000 + 3 * 3600, **change)
    scene.clock.at(8000 + 30 * 3600, disk.mend)

    scene.run(until=8000 + 31 * 3600)

    assert scene.rows[4].partition(" ")[2] == first
    assert scene.text.count("# price-log") == (1 if "SOURCES" in change else 2)
    assert "given up" in scene.said(Event.ROWS_WRITTEN)[0]
    assert main(["verify", "--file", str(scene.file)], {}, START) == 0, "nor is a slot lost between two sums"


@pytest.mark.parametrize(
    ("before", "after", "late"),
    [
        ("BTC-USD,ETH-USD", "BTC-USD", "17:00:00 ETH-USD - late slots=3"),
        ("BTC-USD", "BTC-USD,ETH-USD", "20:00:00 ETH-USD - late slots=2"),
    ],
)
def test_slots_given_up_of_a_pair_that_was_removed_or_added_meanwhile_are_late(
    tmp_path: Path, before: str, after: str, late: str
) -> None:
    scene, disk = scene_with_disk(tmp_path, INTERVAL="3600", PAIRS=before)
    scene.clock.lag = 50
    scene.clock.at(4000, disk.refuse)
    scene.reload_at(4000 + 3 * 3600, PAIRS=after)
    scene.clock.at(30 * 3600, disk.mend)

    scene.run(until=32 * 3600)

    assert [row for row in scene.rows if "late" in row and "ETH" in row] == [late]
    assert main(["verify", "--file", str(scene.file)], {}, START) == 0


def test_slots_given_up_before_the_disk_ever_took_a_row_are_late(tmp_path: Path) -> None:
    scene, _ = scene_with_disk(tmp_path, INTERVAL="3600")
    scene.clock.lag = 50
    refusing = tmp_path / "disk"
    refusing.symlink_to("/proc")  # where nobody can make a file
    scene.clock.at(30 * 3600, refusing.unlink)

    scene.run(until=32 * 3600)

    assert scene.rows[0] == "15:00:00 BTC-USD - late slots=7"


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


def test_slots_given_up_over_two_changes_of_the_interval_begin_after_the_last_row(tmp_path: Path) -> None:
    scene, disk = scene_with_disk(tmp_path, INTERVAL="1800")
    scene.clock.lag = 50
    scene.clock.at(4000, disk.refuse)
    scene.reload_at(4200, INTERVAL="3600")
    scene.reload_at(9000, INTERVAL="600")
    scene.clock.at(9000 + 30 * 3600, disk.mend)

    scene.run(until=9000 + 31 * 3600)

    assert [row.partition(" ")[0] for row in scene.rows[:4]] == [
        "15:30:00",
        "16:00:00",
        "16:30:00",
        "17:00:00",
    ]
    assert "late" in scene.rows[3]
    assert main(["verify", "--file", str(scene.file)], {}, START) == 0


def test_a_stop_while_rows_are_held_says_so_and_fails(tmp_path: Path) -> None:
    scene, disk = scene_with_disk(tmp_path)
    scene.clock.at(8, disk.refuse)

    status = scene.run(until=24)

    assert status == 1
    assert "3 rows could not be written" in scene.said(Event.ROWS_HELD)[-1]


def test_a_stop_writes_held_rows_where_the_disk_takes_them_again(tmp_path: Path) -> None:
    scene, disk = scene_with_disk(tmp_path)
    scene.clock.at(8, disk.refuse)
    scene.clock.at(23, disk.mend)

    status = scene.run(until=24)

    assert status == 0
    assert len(slots(scene)) == 5


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


@pytest.mark.parametrize("kind", ["directory", "fifo", "device"])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, kind: str) -> None:
    scene = Scene(tmp_path)
    if kind == "directory":
        scene.file.mkdir()
    elif kind == "fifo":
        os.mkfifo(scene.file)
    else:
        scene.set(FILE="/dev/full")

    with pytest.raises(PriceError, match="not a regular file"):
        scene.run(until=4)


def test_a_log_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    scene = Scene(tmp_path, FILE=str(tmp_path / "a-file" / "prices.txt"))

    with pytest.raises(PriceError, match=r"PRICE_FILE=.*a-file/prices\.txt: .*a-file is not a folder"):
        scene.run(until=4)


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


def test_a_lock_that_was_removed_in_flight_is_taken_again_with_the_folder(tmp_path: Path) -> None:
    scene, _ = scene_with_disk(tmp_path)
    scene.clock.at(8, lambda: scene.file.parent.rename(tmp_path / "elsewhere"))
    refused: list[str] = []

    def try_second() -> None:
        with pytest.raises(PriceError) as caught:
            recording(scene.file)
        refused.append(str(caught.value))

    scene.clock.at(13, try_second)

    scene.run(until=14)

    assert f"process {os.getpid()}" in refused[0]


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


def test_the_oldest_of_more_than_a_day_of_held_rows_are_given_up_and_counted_and_late(tmp_path: Path) -> None:
    scene, disk = scene_with_disk(tmp_path, INTERVAL="3600")
    scene.clock.lag = 50
    scene.clock.at(4000, disk.refuse)
    scene.clock.at(30 * 3600, disk.mend)

    scene.run(until=32 * 3600)

    (written,) = scene.said(Event.ROWS_WRITTEN)
    assert "24 rows held" in written
    assert "5 older ones were given up" in written
    assert scene.rows[2] == "17:00:00 BTC-USD - late slots=5"
    assert scene.text.count("# price-log") == 1


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


SMALL = """
import resource, signal, sys
from pathlib import Path
from price.smallfile import AtomicFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
file = AtomicFile(Path(sys.argv[1]), 0o644, durable=False)
file.write("old")
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    file.write("new " * 1000)
except OSError as error:
    print(error.strerror)
"""

SHORT = """
import resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from price.sinks.rows import RowsSink
from price.model import Pair, Quote
from price.clock import SystemClock
from price.settings import load
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
rows = RowsSink(lambda *_: None, SystemClock())
rows.configure(load({"PRICE_FILE": sys.argv[1]}))
for second, limit in ((0, -1), (5, 80), (10, 80), (15, -1)):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, -1))
    slot = datetime(2026, 11, 20, 15, 52, second, tzinfo=UTC)
    rows.slot(slot, [Quote(slot, Pair("BTC", "USD"), reason="late")])
    print(rows.held, path.read_text().endswith("\\n"), path.read_text().count("\\n"))
"""


def run(program: str, path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True, timeout=20
    )
    return done.stdout


def test_a_small_file_is_not_replaced_by_half_of_a_new_one_where_the_disk_is_full(tmp_path: Path) -> None:
    said = run(SMALL, tmp_path / "status.json")

    assert "bytes could be written" in said
    assert (tmp_path / "status.json").read_text() == "old"


def test_a_disk_that_takes_half_a_row_keeps_none_of_it(tmp_path: Path) -> None:
    said = run(SHORT, tmp_path / "prices.txt")

    assert said == "0 True 2\n1 True 2\n2 True 2\n0 True 5\n"
    assert len(proven((tmp_path / "prices.txt").read_text())) == 4


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
