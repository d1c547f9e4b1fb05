"""From the texts of the settings to values that are right together, or a list of all faults."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from price.errors import SettingsError
from price.settings.checks import together
from price.settings.table import FIELDS, NETWORK_NAMES, ROWS, TRUST_NAMES, URLS, Row, Settings
from price.settings.texts import Texts
from price.text import one_line


def load(environ: Mapping[str, str]) -> Settings:
    """The settings of an environment and of the file that it names (`.env` by default).

    Raises SettingsError with all faults, each naming the variable, its value and a valid one.
    """
    return _Reader(Texts(environ)).settings()


def value_of(environ: Mapping[str, str], name: str, *, lenient: bool = False) -> Any:
    """One setting, for commands that need no other to be right, nor a readable settings file.

    Raises SettingsError for a text that it cannot be; with `lenient` the default then holds.
    """
    reader = _Reader(Texts(environ))
    value = reader.value(name)
    if reader.bad and not lenient:
        raise SettingsError(reader.faults)
    return value


def file_faults(environ: Mapping[str, str]) -> list[str]:
    """What is wrong with the settings file itself."""
    return Texts(environ).faults


def status_path(environ: Mapping[str, str]) -> Path:
    """Where the running recorder keeps its status.json. Raises SettingsError."""
    path: Path = value_of(environ, "PRICE_STATUS")
    return path


def log_path(environ: Mapping[str, str]) -> Path:
    """Where the log is. Raises SettingsError."""
    path: Path = value_of(environ, "PRICE_FILE")
    return path


class _Reader:
    """Collects the values and the faults in them."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self.faults: list[str] = []
        self.bad: set[str] = set()
        """Settings whose own text is at fault: they have their default."""
        self._known: dict[str, Any] = {}

    def settings(self) -> Settings:
        self.faults += self._texts.faults
        for name in self._texts.nulls():
            self._report(name, "must not hold a null character")
        self.faults += self._texts.unknown()
        found = {field: self.value(name) for name, field in FIELDS.items()}
        found["urls"] = {source: self.value(name) for name, source in URLS.items()}
        found["network"] = {name: self._texts.network(name) for name in NETWORK_NAMES}
        for name in TRUST_NAMES:  # what it cannot expand stays as it is, and is then not found
            found["network"][name] = os.path.expanduser(self._texts.network(name))  # noqa: PTH111
        settings = Settings(**found)
        named = {name for name in ROWS if self._texts.get(name)}
        wrong = together(settings, self._texts.file, named)
        self.faults += [fault for names, fault in wrong if self.bad.isdisjoint(names.split())]
        if self.faults:
            raise SettingsError(self.faults)
        return settings

    def value(self, name: str) -> Any:
        """The value of a setting; its default, and a fault, where its text cannot be read."""
        row = ROWS[name]
        value = None
        try:
            text = "" if name in self.bad else self._texts.get(name)
            value = row.parse(text) if text else self._credential(row)
        except ValueError as error:
            self._report(name, str(error))
        if value is None:
            default = row.default_text(self._texts.environ, self._known)
            value = row.parse(default) if default else row.empty
        self._known[FIELDS.get(name, name)] = value
        return value

    def _credential(self, row: Row) -> Any:
        """The value that systemd hands over; None where there is none, or a bad one."""
        try:
            text = self._texts.credential(row.credential) if row.credential else ""
            return row.parse(text) if text else None
        except (OSError, ValueError) as error:
            words = error.strerror if isinstance(error, OSError) else "it must be one word of printable ASCII"
            self.faults.append(f"the credential {row.credential} cannot be used: {words}")
            return None

    def _report(self, name: str, words: str) -> None:
        self.bad.add(name)
        show = ROWS[name].show if name in ROWS else one_line
        shown = "…" if name in NETWORK_NAMES else show(self._texts.network(name))  # a proxy with its password
        self.faults.append(f"{name}={shown}: {words}")
