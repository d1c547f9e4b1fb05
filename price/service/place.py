"""Where a service has its settings, log and state, and how it is started: the same for all verbs."""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

SETTINGS = "price.env"
_FIRST_SETTINGS = "# One PRICE_NAME=value a line; README lists them. Then: price service reload\n"
_FOLDERS = ("LOGS_DIRECTORY", "STATE_DIRECTORY", "RUNTIME_DIRECTORY")
_START = str(Path(__file__).with_name("start.py"))


def named(name: str) -> str:
    """What is typed after a verb so that it is about this service: nothing for the usual name."""
    return "" if name == "price" else f" --name {name}"


def make_folder(folder: Path) -> None:
    """Makes the folder of a service and, where there is none, its settings file. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / SETTINGS
    if not settings.exists():
        settings.write_text(_FIRST_SETTINGS, encoding="utf-8", newline="\n")


def environment(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of its recorder: no PRICE_ name counts but those of its settings file."""
    others = {name: value for name, value in environ.items() if not name.upper().startswith("PRICE_")}
    settings = {"PRICE_ENV": str(folder / SETTINGS)}
    return others | settings | dict.fromkeys(_FOLDERS, str(folder))


def command_line(name: str, *, rows: bool) -> str:
    """What the service manager is to start.

    Of a virtual environment that is the Python below it: its own python.exe starts that one as a child, in
    which the service manager would not find its service. So `start.py` is told where the packages are.
    """
    words = ["service", "host", "--name", name, *(["--rows"] if rows else [])]
    if getattr(sys, "frozen", False):
        return subprocess.list2cmdline([sys.executable, *words])
    return subprocess.list2cmdline([_python(), "-u", _START, sysconfig.get_path("purelib"), *words])


def unreadable(environ: Mapping[str, str]) -> str:
    """What of the program lies in a user's home, which LocalService cannot read; empty for nothing."""
    home = os.path.normcase(environ.get("USERPROFILE") or "?")
    inside = (path for path in (_python(), _START) if os.path.normcase(path).startswith(home + os.sep))
    return next(inside, "")


def _python() -> str:
    return getattr(sys, "_base_executable", "") or sys.executable
