"""The recorder and the readers: what each does on Linux it does here."""

import subprocess

import pytest

from tests.exchange import Market
from tests.windows.prefix import PYTHON, Prefix
from tests.windows.recording import Recording

HELD = r"""
import time
with open(r'{path}') as file:
    print('open', flush=True)
    time.sleep({seconds})
"""


def held_open(recording: Recording, path: str, seconds: float) -> "subprocess.Popen[bytes]":
    """Another program of Windows that has a file open to read, as an editor has."""
    code = HELD.format(path=path, seconds=seconds)
    reader = recording.prefix.start(PYTHON, "-u", "-c", code, cwd=recording.folder)
    assert reader.stdout is not None
    assert reader.stdout.readline().strip() == b"open"
    return reader


def test_three_exchanges_are_recorded_and_read(recording: Recording) -> None:
    with Market() as market:
        recording.settings = {"INTERVAL": "5", "TIMEOUT": "4"}
        urls = {name.removeprefix("PRICE_"): url for name, url in market.environment.items()}

        checked = recording.price("check", **urls)
        once = recording.price("once", **urls)
        assert (checked.code, once.code) == (0, 0), checked.text + once.text
        recording.start(settings=urls)
        status = recording.price("status")
        said = recording.stop()

    assert status.code == 0, status.text
    assert once.text.endswith(" coinbase,kraken,bitstamp\n")
    assert "selected" in status.text
    assert recording.proven()[-1].endswith(" coinbase,kraken,bitstamp")
    assert "stopping after the slot" in said


def test_each_command_reads_the_default_log_and_no_file_has_a_carriage_return(recording: Recording) -> None:
    recording.start(slots=3)

    while_it_runs = recording.price("history --last 2")
    recording.stop()

    asked = {
        line: recording.price(line)
        for line in (
            "history",
            r"history --file logs\prices.txt",
            "history --file LOGS/PRICES.TXT",
            "candles --every 1m",
            "gaps",
            "verify",
        )
    }
    rows = recording.proven()
    assert while_it_runs.text.count("\n") == 2
    assert {line: ran.code for line, ran in asked.items()} == dict.fromkeys(asked, 0), asked
    assert asked["history"].text.splitlines() == rows
    assert asked[r"history --file logs\prices.txt"].text == asked["history"].text
    assert asked["history --file LOGS/PRICES.TXT"].text == asked["history"].text
    assert [ran.text for ran in asked.values() if b"\r" in ran.raw] == []
    assert [path.name for path in recording.logs.iterdir() if b"\r" in path.read_bytes()] == []


def test_a_second_recorder_is_refused_by_each_name_of_the_log(recording: Recording) -> None:
    recording.start()
    pid = recording.status["pid"]
    recording.python(r"import os; os.mkdir('other'); os.link(r'logs\prices.txt', r'other\prices.txt')")

    second = recording.price("run")
    by_another_name = recording.price("run", FILE=r"other\prices.txt")

    assert (second.code, by_another_name.code) == (1, 1)
    assert f"process {pid} is recording into it; stop that one first" in second.text
    assert "another program has it open: close it there first" in by_another_name.text


def test_a_lock_that_a_power_cut_left_refuses_nobody(recording: Recording) -> None:
    recording.logs.mkdir()
    (recording.logs / ".prices.txt.lock").write_text("4711\n")

    recording.start()

    assert recording.status["pid"] != 4711


def test_the_log_is_rotated_by_renaming_it_while_it_records_and_is_read(recording: Recording) -> None:
    recording.start()
    reader = (
        "import os, time\n"
        "from price import host\n"
        r"descriptor = host.open_to_read(r'logs\prices.txt')"
        "\n"
        r"os.rename(r'logs\prices.txt', r'logs\prices.txt.1')"
        "\nprint(len(os.read(descriptor, 100)))"
    )

    read = recording.python(reader)
    recording.until_rows(3)
    recording.stop()

    assert int(read) > 60
    assert recording.proven()
    assert recording.price("verify").code == 0
    rotated, whole = (
        recording.price(f"history --file logs/{name}") for name in ("prices.txt.1", "prices.txt")
    )
    assert 0 < rotated.text.count("\n") < whole.text.count("\n")


def test_a_status_that_somebody_reads_is_replaced_later_without_a_word(recording: Recording) -> None:
    recording.start()

    reader = held_open(recording, r"logs\status.json", 3)
    before = recording.status["slot"]
    recording.until_rows(recording.rows + 2)
    assert recording.status["slot"] == before
    reader.communicate(timeout=60)
    recording.prefix.until(lambda: recording.status["slot"] != before)
    said = recording.stop()

    assert "error" not in said
    assert "StatusSink" not in said
    assert not (recording.logs / "status.json").exists()


def test_readers_have_the_log_while_it_writes(recording: Recording) -> None:
    recording.start()

    reader = held_open(recording, r"logs\prices.txt", 3)
    recording.until_rows(recording.rows + 3)
    reader.communicate(timeout=60)

    assert "held" not in recording.stop()
    assert " - " not in "\n".join(recording.proven()[1:])


def test_status_tells_a_recorder_that_was_killed_and_never_looks_ahead(recording: Recording) -> None:
    recording.start()
    running = recording.price("status")

    recording.kill()
    after = recording.price("status")

    assert running.code == 0
    assert " ago" in running.text
    assert "-" not in running.text.partition("last slot on disk: ")[2].partition(", ")[2].partition(" ago")[0]
    assert after.code == 1
    assert "no recorder runs here any more" in after.text


def test_ten_kills_leave_a_log_that_is_whole(recording: Recording) -> None:
    for _ in range(10):
        recording.start(slots=1)
        recording.kill()

    verified = recording.price("verify")

    assert verified.code == 0, verified.text
    assert len(recording.proven()) >= 10


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        ({"FILE": r"C:\a:b\prices.txt"}, "Windows has no file names with any of"),
        ({"FILE": r"logs\prices?.txt"}, "Windows has no file names with any of"),
        ({"FILE": r"logs\prices.txt."}, "end with a blank or a dot"),
        ({"STATUS": r"logs \status.json"}, "end with a blank or a dot"),
    ],
)
def test_a_name_that_windows_cannot_have_is_a_bad_setting(
    recording: Recording, setting: dict[str, str], fault: str
) -> None:
    ran = recording.price("run", **setting)

    assert ran.code == 78
    assert fault in ran.text


def test_a_drive_that_is_not_there_is_no_reason_to_end(booted: Prefix, recording: Recording) -> None:
    process = recording.prefix.start(
        *(PYTHON, "-u", r"C:\src\main.py", "run"),
        cwd=recording.folder,
        PRICE_FILE=r"Q:\logs\prices.txt",
        PRICE_SOURCES="simulated",
        PRICE_INTERVAL="1",
    )
    assert process.stdout is not None
    said = process.stdout.readline().decode()
    process.kill()
    process.communicate()

    assert r"Q:\logs\prices.txt" in said
    assert "rows are held in memory" in said


def test_folders_of_a_variable_are_parted_as_windows_does(recording: Recording) -> None:
    folders = {
        "LOGS_DIRECTORY": r"C:\test\data;C:\test\more",
        "STATE_DIRECTORY": r"C:\test\data",
        "RUNTIME_DIRECTORY": r"C:\test\data",
    }
    recording.file = recording.folder / "data" / "prices.txt"

    recording.start(settings=folders)
    read = recording.price("history", **folders)
    recording.stop()

    assert read.text
    assert not (recording.folder / "C").exists()
    assert sorted(path.name for path in recording.folder.iterdir()) == ["data"]


def test_nothing_is_kept_where_the_null_device_is_named(recording: Recording) -> None:
    recording.start(settings={"STATUS": "/dev/null", "STATE": "NUL"})
    recording.stop()

    assert sorted(path.name for path in recording.logs.iterdir()) == [".prices.txt.lock", "prices.txt"]


def test_repair_from_the_journal_says_that_it_needs_linux(recording: Recording) -> None:
    recording.start()
    recording.stop()

    ran = recording.price("repair --from journal")

    assert ran.code == 1
    assert "Traceback" not in ran.text
    assert "journal" in ran.text


def test_a_repair_from_another_log_is_merged(recording: Recording) -> None:
    recording.start(slots=3)
    recording.stop()
    content = recording.file.read_bytes()
    header, first, second, *others = content.splitlines(keepends=True)
    missed = second.partition(b" ")[0] + b" BTC-USD - simulated:timeout\n"
    recording.file.write_bytes(b"".join((header, first, missed, *others)))
    (recording.folder / "peer.txt").write_bytes(content)

    ran = recording.price("repair --from peer.txt")
    again = recording.price("repair --from peer.txt")

    assert (ran.code, again.code) == (0, 0), ran.text + again.text
    assert "Traceback" not in ran.text
    assert b"\r" not in b"".join(path.read_bytes() for path in recording.logs.iterdir())
