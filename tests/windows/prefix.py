"""A Windows under Wine: how its programs are run, and where its files are.

Four traps. Output to a regular file ends Python at once: streams are pipes or /dev/null. With a closed stream
Wine hangs. The first program boots the prefix, and what that starts keeps its streams: so `up` comes first.
And a prefix ends with its last program, services too, unless the server is told to stay.
"""

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

WINE, WINESERVER = "/usr/lib/wine/wine64", "/usr/lib/wine/wineserver64"
PYTHON = r"C:\python\python.exe"
MAIN = r"C:\src\main.py"
NSSM = r"C:\nssm.exe"
SECONDS = 60
_QUIET = "-all"
_EVENTS = "-all,+eventlog,fixme+advapi"


class Ran(NamedTuple):
    """What came of a program."""

    code: int
    text: str
    """All that it wrote, without carriage returns."""
    raw: bytes


class Prefix:
    """One Windows. Its C: is the folder `prefix/drive_c`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.c = self.folder / "prefix" / "drive_c"
        self.python_folder = self.c / "python"
        self.trace = self.folder / "events.txt"
        """What services wrote to the Event Log, which keeps nothing under Wine."""

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """What Wine needs of ours, and no more: certificates, proxies and a display would be Linux's."""
        ours = {name: os.environ[name] for name in ("HOME", "PATH", "USER", "LANG") if name in os.environ}
        return {
            **ours,
            "WINEPREFIX": str(self.folder / "prefix"),
            "WINEARCH": "win64",
            "WINEDEBUG": _QUIET,
            "WINEDLLOVERRIDES": "winemenubuilder.exe,mscoree,mshtml=",  # else dialogs ask for Mono and Gecko
            "PYTHONPYCACHEPREFIX": r"C:\compiled",
            **(extra or {}),
        }

    def up(self) -> None:
        """Boots it: services start, and their entries of the Event Log are traced into a file."""
        null, environ = subprocess.DEVNULL, self.environment()
        subprocess.run([WINESERVER, "-p"], env=environ, stdin=null, stdout=null, stderr=null, check=True)
        self.boot("cmd", "/c", "exit", debug=_EVENTS)
        self.until(lambda: "RUNNING" in self.wine("sc", "query", "Eventlog").text)

    def boot(self, *words: str, debug: str = _QUIET) -> None:
        """Runs a program that may be the first one: no pipe, which what it boots would keep open."""
        null = subprocess.DEVNULL
        environ = self.environment({"WINEDEBUG": debug})
        with self.trace.open("ab") as trace:
            command = [WINE, *words]
            subprocess.run(
                command, env=environ, stdin=null, stdout=null, stderr=trace, timeout=180, check=True
            )

    def down(self) -> None:
        """Ends all of this prefix, and nothing else."""
        for words in ("-k", "-w"):
            subprocess.run([WINESERVER, words], env=self.environment(), timeout=SECONDS, check=False)

    def wine(self, *words: str, seconds: float = SECONDS, cwd: Path | None = None, **extra: str) -> Ran:
        """Runs a program to its end. Raises TimeoutExpired."""
        started = self.start(*words, cwd=cwd, **extra)
        try:
            raw, _ = started.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            started.kill()
            raise
        return Ran(started.returncode, raw.replace(b"\r", b"").decode("utf-8", "replace"), raw)

    def start(self, *words: str, cwd: Path | None = None, **extra: str) -> "subprocess.Popen[bytes]":
        """Starts a program; its process is the Windows process as well."""
        return subprocess.Popen(
            [WINE, *words],
            cwd=cwd or self.c,
            env=self.environment(extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def price(self, line: str, seconds: float = SECONDS, cwd: Path | None = None, /, **settings: str) -> Ran:
        """Runs `price` to its end, with settings named without their PRICE_."""
        return self.wine(PYTHON, MAIN, *line.split(), seconds=seconds, cwd=cwd, **named(settings))

    def python(self, code: str, cwd: Path | None = None) -> str:
        """What a piece of Python that can import the program prints."""
        ran = self.wine(PYTHON, "-c", f"import sys; sys.path.insert(0, r'C:\\src')\n{code}", cwd=cwd)
        assert ran.code == 0, ran.text
        return ran.text.strip()

    def until(self, seen: Callable[[], object], seconds: float = SECONDS) -> None:
        """Waits until something is seen."""
        deadline = time.monotonic() + seconds
        while not seen():
            assert time.monotonic() < deadline, "not seen in time"
            time.sleep(0.05)

    def pids(self, command: str) -> list[int]:
        """Its processes with such a command line, by the numbers that Linux knows them by.

        There may be another Windows here, with the same paths and with processes of the same names.
        """
        found = subprocess.run(["pgrep", "-f", command], capture_output=True, text=True, check=False)
        return [pid for pid in map(int, found.stdout.split()) if self._has(pid)]

    def _has(self, pid: int) -> bool:
        """Whether a process is one of this prefix."""
        with suppress(OSError):  # it has ended
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            return f"WINEPREFIX={self.folder / 'prefix'}".encode() in variables
        return False

    @property
    def entries(self) -> list[str]:
        """The texts that services wrote to the Event Log since it was booted."""
        return self.trace.read_text(errors="replace").splitlines()


def named(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings as variables: those of PRICE_, and others that have their own case."""
    return {name if "_DIRECTORY" in name else f"PRICE_{name}": text for name, text in settings.items()}
