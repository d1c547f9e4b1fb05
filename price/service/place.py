"""Where a service has its settings, log and state, and how it is started: the same for all verbs."""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

SETTINGS = "price.env"
HANGS = "hang.txt"
"""Gets the traceback of a recorder that hangs."""
_FIRST_SETTINGS = "# One PRICE_NAME=value a line; README lists them. Then: price service reload\n"
_FOLDERS = ("LOGS_DIRECTORY", "STATE_DIRECTORY", "RUNTIME_DIRECTORY")
_START = Path(__file__).with_name("start.py")


class Place(NamedTuple):
    """One service."""

    name: str
    folder: Path

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment of its recorder: no PRICE_ name counts but those of its settings file."""
        others = {name: value for name, value in environ.items() if not name.upper().startswith("PRICE_")}
        settings = {"PRICE_ENV": str(self.folder / SETTINGS)}
        return others | settings | dict.fromkeys(_FOLDERS, str(self.folder))

    def make(self) -> bool:
        """Makes the folder and, where there is none, its settings file; whether the folder is new.

        Raises OSError.
        """
        new = not self.folder.exists()
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.folder / SETTINGS
        if not settings.exists():
            settings.write_text(_FIRST_SETTINGS, encoding="utf-8", newline="\n")
        return new


def named(name: str) -> str:
    """What is typed after a verb so that it is about this service: nothing for the usual name."""
    return "" if name == "price" else f" --name {name}"


def default_folder(name: str, environ: Mapping[str, str]) -> Path:
    """The folder of a service in %ProgramData%: each has its own."""
    return Path(environ.get("PROGRAMDATA") or r"C:\ProgramData") / name


def command_line(name: str, *, rows: bool) -> str:
    """What the service manager is to start.

    Of a virtual environment that is the Python below it: its own python.exe starts that one as a child, in
    which the service manager would not find its service. So `start.py` is told where the packages are.
    """
    if getattr(sys, "frozen", False):
        words = [sys.executable, "service", "host", "--name", name]
    else:
        python, script = programs()
        words = [python, "-u", script, sysconfig.get_path("purelib"), "service", "host", "--name", name]
    return subprocess.list2cmdline([*words, *(["--rows"] if rows else [])])


def unreadable(environ: Mapping[str, str], *paths: str) -> str:
    """The first of some paths that lies in a user's home, which LocalService cannot read; empty for none."""
    home = os.path.normcase(environ.get("USERPROFILE") or "?")
    inside = (path for path in paths if os.path.normcase(path).startswith(home + os.sep))
    return next(inside, "")


def programs() -> tuple[str, str]:
    """What the service runs: the interpreter, or the program that is its own, and where this program is."""
    return getattr(sys, "_base_executable", "") or sys.executable, str(_START)


def absolute(folder: str) -> Path:
    """A folder as typed, wherever the service is started."""
    return Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would name a network drive's server
