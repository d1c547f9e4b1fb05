"""Nothing that comes from outside puts more than one clean line into the log, the terminal or the journal."""

import contextlib
import fcntl
import io
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from price import events, settings
from price.cli import main
from price.errors import PriceError, SettingsError
from price.events import Event
from price.handlers.console import Console
from price.handlers.fields import fields
from price.text import MOST, one_line
from tests.exchange.parrot import parrot
from tests.fakes import START
from tests.listening import listening
from tests.nasty import NASTY, NASTY_NAME
from tests.scene import Scene


def said(arguments: list[str], environ: Mapping[str, str]) -> tuple[int, list[str]]:
    """The exit status of a command, and the lines that it prints to a strict terminal."""
    pipe = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n")
    with contextlib.redirect_stdout(pipe), contextlib.redirect_stderr(pipe):
        try:
            status = main(arguments, environ, START)
        except SystemExit as wrong:
            status = int(str(wrong.code))
    pipe.seek(0)
    return status, pipe.read().split("\n")


def clean(lines: list[str]) -> bool:
    return all(one.isprintable() and len(one) < 2 * MOST for one in lines)


@given(st.text(max_size=40))
def test_any_text_is_shown_as_one_clean_line(text: str) -> None:
    shown = one_line(text)

    assert shown.isprintable()
    assert shown == text or not text.isprintable()


def test_what_is_not_printable_is_shown_by_its_number_and_the_rest_as_it_is() -> None:
    assert one_line("Zürich\n\x1b[31m\x9b\u202e\ud800") == r"Zürich\n\x1b[31m\x9b\u202e\ud800"


@pytest.mark.parametrize(
    "text", ["x" * 10**6, "\n" * 10**6, "\U000e0001" * 10**6], ids=["plain", "lines", "tags"]
)
def test_a_long_text_is_cut_off_and_says_so(text: str) -> None:
    shown = one_line(text)

    assert len(shown) == MOST
    assert shown.endswith("…")


@pytest.mark.parametrize("text", [NASTY, "x" * 10**6], ids=["nasty", "long"])
def test_whatever_the_program_says_is_one_clean_line_for_the_terminal_and_the_journal(text: str) -> None:
    records: list[logging.LogRecord] = []
    with listening(records):
        events.log_event(Event.STARTED, logging.WARNING, text)
        events.log_source_event(Event.SOURCE_LOST, logging.WARNING, "kraken", text)

    assert len(records) == 2
    assert clean([Console().format(one) for one in records])
    assert clean([fields(one)["MESSAGE"] for one in records])


@pytest.mark.parametrize("name", [name for name in settings.NAMES if name != "PRICE_COINGECKO_KEY"])
@pytest.mark.parametrize(
    "value", [NASTY_NAME, f"{NASTY_NAME}/..", "\x1b" * 100_000], ids=["name", "path", "long"]
)
def test_a_bad_setting_is_shown_escaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {name: value, "PRICE_QUORUM": "0"} if name != "PRICE_QUORUM" else {name: value}

    with pytest.raises(SettingsError) as caught:
        settings.load(environ)

    assert clean(caught.value.faults)
    assert clean(said(["check"], environ)[1])


@pytest.mark.parametrize("name", ["NO_PROXY", "SSL_CERT_FILE", "PRICE_FILE", "PRICE_PAIRS"])
def test_a_null_character_in_the_settings_file_is_a_fault(tmp_path: Path, name: str) -> None:
    (tmp_path / "env").write_text(f"{name}=10.0.0.0/8\0x\n")

    with pytest.raises(SettingsError) as caught:
        settings.load({"PRICE_ENV": str(tmp_path / "env")})

    assert caught.value.faults == [f"{tmp_path}/env: cannot be read: it holds a null character"]


def test_a_settings_file_of_a_nasty_name_is_named_escaped(tmp_path: Path) -> None:
    file = tmp_path / NASTY_NAME.replace("/", "")
    file.write_bytes(b"'x\n")

    with pytest.raises(SettingsError) as caught:
        settings.load({"PRICE_ENV": str(file)})

    assert clean(caught.value.faults)


@pytest.mark.parametrize("command", ["history", "candles", "gaps", "verify", "status", "check"])
def test_a_file_of_a_nasty_name_is_named_escaped(tmp_path: Path, command: str) -> None:
    path = str(tmp_path / NASTY_NAME)
    environ = {"PRICE_FILE": path, "PRICE_STATUS": f"{path}/s", "PRICE_SOURCES": "simulated"}
    Path(path).mkdir()

    _, lines = said([command], environ)

    assert clean(lines)
    assert any("\\n" in one for one in lines)


@pytest.mark.parametrize("kind", ["folder", "locked"])
def test_a_recorder_that_cannot_start_says_so_in_one_clean_line(tmp_path: Path, kind: str) -> None:
    file = tmp_path / NASTY_NAME
    lock = tmp_path / f".{file.name}.lock"
    with contextlib.ExitStack() as stack:
        if kind == "folder":
            file.mkdir()
        else:
            lock.write_bytes(b"\x1b[31m\nx")
            fcntl.flock(stack.enter_context(lock.open("rb")), fcntl.LOCK_EX)
        done = subprocess.run(
            [sys.executable, "main.py", "run"],
            cwd=Path(__file__).parent.parent,
            env={**os.environ, "PRICE_FILE": str(file), "PRICE_SOURCES": "simulated"},
            capture_output=True,
            check=False,
        )

    assert done.returncode == 1
    assert done.stderr.decode().endswith("\n")
    assert done.stderr.decode()[:-1].isprintable()


@pytest.mark.parametrize("command", ["once", "check"])
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\n\x1b[31m\n\x9b",
        b"HTTP/1.1 302 Found\r\nLocation: http://\x1b[31m\x9b/\r\n\r\n",
        b'HTTP/1.1 400 No\r\n\r\n{"error": ["EQuery:Unknown \\n\\u001b[31m\\u202e\\ud800"]}',
        b"\x1b[31m\r\n\r\n",
    ],
    ids=["body", "redirect", "error", "no HTTP"],
)
def test_what_an_exchange_said_is_printed_escaped(command: str, answer: bytes) -> None:
    parrot().says(answer)

    status, lines = said([command], {"PRICE_SOURCES": "kraken", "PRICE_KRAKEN_URL": parrot().url})

    assert status == 1
    assert any("kraken" in one for one in lines)
    assert clean(lines)


@pytest.mark.parametrize("form", ["text", "csv", "json"])
def test_verify_names_a_file_of_a_nasty_name_in_one_line_a_fault(tmp_path: Path, form: str) -> None:
    path = tmp_path / NASTY_NAME
    path.write_bytes(b"# price-log 1 every=5s\n\x1b[31m\n\x9b\xff\x00\n")

    status, lines = said(["verify", "--file", str(path), "--format", form], {})

    assert status == 1
    assert len(lines) == (4 if form == "csv" else 3)
    assert clean(lines)


@pytest.mark.parametrize(
    "arguments",
    [
        ["history", NASTY_NAME],
        [NASTY_NAME],
        ["history", "--since", NASTY_NAME],
        ["candles", "--every", NASTY_NAME],
    ],
)
def test_a_nasty_word_on_the_command_line_is_shown_escaped(arguments: list[str]) -> None:
    status, lines = said(arguments, {})

    assert status == 2
    assert clean(lines)


@pytest.mark.parametrize("command", ["history", "candles", "gaps", "verify"])
@pytest.mark.parametrize(
    "line",
    [
        b"2026-11-20T15:52:05Z \x1b[31m 1 a",
        b"2026-11-20T15:5\x1b[31m BTC-USD 1 a",
        b"2026-11-20T15:52:05Z BTC-USD 1 \x9b",
        b"2026-11-20T15:52:05Z BTC-\x85 1 a",
    ],
)
def test_a_damaged_line_of_the_log_does_nothing_to_a_terminal(
    tmp_path: Path, command: str, line: bytes
) -> None:
    path = tmp_path / "prices.txt"
    path.write_bytes(b"# price-log 1 every=5s\n2026-11-20T15:52:00Z BTC-USD 1 kraken\n" + line + b"\n")

    _, lines = said([command, "--file", str(path)], {})

    assert clean(lines)


@pytest.mark.parametrize("repairs", [False, True], ids=["live", "repaired"])
@pytest.mark.parametrize(
    "question",
    [
        ["history"],
        ["history", "--until", "2026-11-20T15:52:20Z", "--last", "2"],
        ["candles"],
        ["candles", "--until", "2026-11-20T15:52:20Z"],
        ["gaps"],
        ["gaps", "--until", "2026-11-20T15:52:20Z"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize(
    "damaged", ["BTC-\xa2x", "BTC-USD - down slots=", "BTC-USD - down slots=x", "", "- - slots=0"]
)
def test_a_damaged_line_of_the_log_is_left_out_of_every_answer(
    tmp_path: Path, question: list[str], damaged: str, repairs: bool
) -> None:
    before, after = (f"2026-11-20T15:52:{second}Z BTC-USD 1 kraken\n" for second in ("05", "15"))
    path, header = tmp_path / "prices.txt", "# price-log 1 every=5s\n"
    if repairs:
        (tmp_path / "repairs.txt").write_text(f"{header}2026-11-20T15:52:10Z BTC-USD 5 kraken by=candle\n")
    path.write_text(header + before + after)
    _, expected = said([*question, "--file", str(path)], {})
    path.write_bytes((header + before + f"2026-11-20T15:52:10Z {damaged}\n" + after).encode("latin-1"))

    status, lines = said([*question, "--file", str(path)], {})

    assert status == 0
    assert [one for one in lines if "left out" not in one] == expected


@pytest.mark.parametrize("text", [
    "0001-01-01T00:00:00Z BTC-USD 1 kraken",
    "9999-12-31T23:59:55Z BTC-USD 1 kraken",
    "9999-12-31T23:59:55Z BTC-USD - down slots=2",
    "2026-11-20T15:52:00Z BTC-USD - down slots=9999999999",
    "2026-11-20T15:52:00Z ETH-USD - down slots=9999999999",
])  # fmt: skip
@pytest.mark.parametrize("interval", [5, 9999])
def test_rows_at_the_ends_of_the_calendar_are_recorded_behind_or_refused_in_one_line(
    tmp_path: Path, text: str, interval: int
) -> None:
    scene = Scene(tmp_path)
    before = f"# price-log 1 every={interval}s\n{text}\n"
    scene.file.write_text(before)

    refusal = ""
    try:
        scene.run(11)
    except PriceError as error:
        refusal = str(error)

    assert scene.text.startswith(before)
    assert not refusal or scene.text == before
    assert not refusal or refusal.startswith(f"PRICE_FILE={scene.file}: its row of {text[:28]} is damaged: ")
    assert clean([refusal])
