"""Where a service has its files and settings, as its registry key `Parameters` says: ours, or one by NSSM."""

import sys

assert sys.platform == "win32"

import os
import winreg
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import win32serviceutil

from price.errors import PriceError
from price.service.place import environment, named


def keep_folder(name: str, folder: Path) -> None:
    """Notes where a service has its files."""
    win32serviceutil.SetServiceCustomOption(name, "Folder", str(folder))


def folder_of(name: str) -> Path:
    """Where a service has its files. Raises PriceError for one that was not installed by us."""
    try:
        return Path(_parameter(name, "Folder"))
    except OSError as error:
        text = f"the service {name} is not installed: price service install{named(name)}"
        raise PriceError(text) from error


def enter(name: str, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Changes to the folder of a service, in which lies what settings name without one.

    Returns the environment of its recorder. Raises PriceError as `folder_of`.
    """
    folder = folder_of(name)
    os.chdir(folder)
    return environment(folder, environ)


def enter_any(name: str, environ: Mapping[str, str]) -> Mapping[str, str]:
    """The same for a service by NSSM too; of any other nothing is known: our own environment counts."""
    with suppress(PriceError):
        return enter(name, environ)
    extra: list[str] = []
    with suppress(OSError):
        os.chdir(_parameter(name, "AppDirectory"))
        extra = _parameter(name, "AppEnvironmentExtra")
    return {**environ, **dict(one.split("=", 1) for one in extra if "=" in one)}


def _parameter(name: str, value: str) -> Any:
    """Raises OSError. pywin32 can read it too, and would make the key of a service that is not there."""
    key = rf"SYSTEM\CurrentControlSet\Services\{name}\Parameters"
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as parameters:
        return winreg.QueryValueEx(parameters, value)[0]
