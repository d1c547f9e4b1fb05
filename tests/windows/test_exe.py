"""price.exe, by the line of docs/windows.md: for machines without Python."""

import re
import signal
from pathlib import Path

import pytest

from tests.windows.prefix import PYTHON, Prefix
from tests.windows.recording import Recording

PAGE = Path(__file__).parents[2] / "docs" / "windows.md"


@pytest.mark.timeout(600)
def test_price_exe_is_built_asks_records_and_is_a_service(booted: Prefix, recording: Recording) -> None:
    typed = re.search(r"^    \.venv\\Scripts\\python -m PyInstaller (.*)$", PAGE.read_text(), re.MULTILINE)
    assert typed, "the line is gone from docs/windows.md"
    elsewhere = [r"--distpath", r"C:\test\dist", r"--workpath", r"C:\test\build", r"--specpath", r"C:\test"]

    built = booted.wine(
        *(PYTHON, "-m", "PyInstaller", *elsewhere, *typed[1].split()), cwd=booted.c / "src", seconds=500
    )
    assert built.code == 0, built.text[-3000:]
    exe = r"C:\test\dist\price\price.exe"
    once = booted.wine(exe, "once", cwd=recording.folder, PRICE_SOURCES="simulated")
    process = booted.start(exe, "run", cwd=recording.folder, PRICE_SOURCES="simulated", PRICE_INTERVAL="1")
    recording.until_rows(2)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    read = booted.wine(exe, "verify", cwd=recording.folder)
    service = booted.wine(exe, "service", "status", cwd=recording.folder)

    assert once.code == 0, once.text
    assert once.text.endswith(" simulated\n")
    assert (process.returncode, b"stopping" in said) == (0, True)
    assert read.code == 0, read.text
    assert service.text == "price: the service price is not installed: price service install\n"
