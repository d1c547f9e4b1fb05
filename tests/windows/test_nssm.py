"""The recorder under NSSM, by the lines of docs/windows.md."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proof import proven
from tests.windows.prefix import NSSM, Prefix
from tests.windows.recording import Recording

PAGE = Path(__file__).parents[2] / "docs" / "windows.md"
PROCESS = r"^C:.python.python.exe -u C:.src.main.py run"


def lines() -> list[list[str]]:
    """What the page has typed to NSSM, for the folders of this test."""
    text = PAGE.read_text()
    typed = re.findall(r"^    nssm (.*)$", text, re.MULTILINE)
    assert len(typed) > 8, "the recipe is gone from docs/windows.md"
    here = [
        line.replace(r"C:\price\.venv\Scripts\python.exe", r"C:\python\python.exe")
        .replace(r"C:\price\main.py", r"C:\src\main.py")
        .replace(r"C:\ProgramData\price", r"C:\test")
        for line in typed
    ]
    return [[quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', line)] for line in here]


@pytest.fixture
def installed(booted: Prefix, recording: Recording) -> Iterator[Recording]:
    """The recipe, done up to its start."""
    (recording.folder / "price.env").write_text("PRICE_SOURCES=simulated\nPRICE_INTERVAL=1\n")
    for words in lines():
        if words[0] in ("install", "set"):
            ran = booted.wine(NSSM, *words)
            assert ran.code == 0, (words, plain(ran.raw))
    yield recording
    booted.wine(NSSM, "stop", "price-nssm")
    booted.wine(NSSM, "remove", "price-nssm", "confirm")


def plain(raw: bytes) -> str:
    """NSSM writes UTF-16."""
    return raw.replace(b"\0", b"").replace(b"\r", b"").decode("ascii", "replace")


def pid() -> int:
    """The recorder's process as Linux counts them; 0 where there is none."""
    found = subprocess.run(["pgrep", "-f", PROCESS], capture_output=True, text=True, check=False)
    return int((found.stdout.split() or ["0"])[0])


def test_it_is_restarted_after_a_kill_and_stopped_in_order(booted: Prefix, installed: Recording) -> None:
    installed.file = installed.folder / "prices.txt"
    booted.wine(NSSM, "start", "price-nssm")
    installed.until_rows(3)

    killed = pid()
    os.kill(killed, signal.SIGKILL)
    before = installed.rows
    installed.until_rows(before + 3)
    back = pid()
    stopped = booted.wine(NSSM, "stop", "price-nssm")

    assert back not in (0, killed)
    assert "STOP" in plain(stopped.raw)
    assert "stopping after the slot" in (installed.folder / "recorder.log").read_text()
    assert proven(installed.file.read_text())
    assert not (installed.folder / "status.json").exists()


def test_bad_settings_are_no_reason_to_start_it_again(booted: Prefix, installed: Recording) -> None:
    (installed.folder / "price.env").write_text("PRICE_SOURCES=nobody\n")

    booted.wine(NSSM, "start", "price-nssm")
    booted.until(lambda: "STOPPED" in plain(booted.wine(NSSM, "status", "price-nssm").raw))

    said = (installed.folder / "recorder.log").read_text()
    assert said.count("there is no source 'nobody'") == 1
