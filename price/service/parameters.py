"""Where a service has its files and settings, as its registry key `Parameters` says: ours, or one by NSSM."""

import sys

assert sys.platform == "win32"

import os
import winreg
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from price.errors import PriceError
from price.service.place import Place, named


def keep_folder(name: str, folder: Path) -> None:
    """Notes where a service has its files. Raises OSError."""
    with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, _parameters(name)) as key:
        winreg.SetValueEx(key, "Folder", 0, winreg.REG_SZ, str(folder))


def folder_of(name: str) -> Path:
    """Where a service has its files. Raises PriceError for one that was not installed by us."""
    try:
        return Path(_value(name, "Folder"))
    except OSError as error:
        text = f"the service {name} is not installed: price service install{named(name)}"
        raise PriceError(text) from error


def enter(name: str, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Changes to the folder of a service; returns the environment of its recorder.

    Another one than these two kinds has nothing of it in the registry: our own environment counts.
    """
    with suppress(PriceError):
        place = Place(name, folder_of(name))
        os.chdir(place.folder)
        return place.environment(environ)
    extra: list[str] = []
    with suppress(OSError):
        os.chdir(_value(name, "AppDirectory"))
        extra = _value(name, "AppEnvironmentExtra")
    return {**environ, **dict(one.split("=", 1) for one in extra if "=" in one)}


def _value(name: str, value: str) -> Any:
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _parameters(name)) as key:
        return winreg.QueryValueEx(key, value)[0]


def _parameters(name: str) -> str:
    return rf"SYSTEM\CurrentControlSet\Services\{name}\Parameters"
