"""A recorder under NSSM, by the lines of docs/windows.md."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.windows.prefix import NSSM, Prefix
from tests.windows.recording import Recording

NAME = "price-nssm"
PAGE = Path(__file__).parents[2] / "docs" / "windows.md"
PROCESS = r"^C:.python.python.exe -u C:.src.main.py run"


def lines() -> list[str]:
    """What the page has typed to NSSM, for the folders of this test."""
    text = PAGE.read_text()
    typed = re.findall(r"^    nssm (.*)$", text, re.MULTILINE)
    assert len(typed) > 8, "the recipe is gone from docs/windows.md"
    return [
        line.replace(r"C:\price\.venv\Scripts\python.exe", r"C:\python\python.exe")
        .replace(r"C:\price\main.py", r"C:\src\main.py")
        .replace(r"C:\ProgramData\price", r"C:\test")
        for line in typed
    ]


@contextmanager
def by_nssm(prefix: Prefix, recording: Recording) -> Iterator[Recording]:
    """The recipe, done up to its start."""
    recording.file = recording.folder / "prices.txt"
    (recording.folder / "price.env").write_text("PRICE_SOURCES=simulated\nPRICE_INTERVAL=1\n")
    # the || of Wine's cmd is another one
    typed = [f"{NSSM} {line}\r\nif errorlevel 1 exit /b 1" for line in lines() if line[:6] != "start "]
    (recording.folder / "recipe.cmd").write_text("\r\n".join(["@echo off", *typed, ""]))
    try:
        ran = prefix.wine("cmd", "/c", r"C:\test\recipe.cmd")
        assert ran.code == 0, plain(ran.raw)
        yield recording
    finally:
        prefix.wine(NSSM, "stop", NAME)
        prefix.wine(NSSM, "remove", NAME, "confirm")


def plain(raw: bytes) -> str:
    """NSSM writes UTF-16."""
    return raw.replace(b"\0", b"").replace(b"\r", b"").decode("ascii", "replace")


def pid(prefix: Prefix) -> int:
    """The recorder's process as Linux counts them; 0 where there is none."""
    return next(iter(prefix.pids(PROCESS)), 0)
