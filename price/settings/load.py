"""From the environment and the settings file to values that are right together, or a list of all faults.

The only reader of both. What the environment names, even with an empty text, hides what the file says of it.
"""

import io
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from price.errors import SettingsError
from price.settings.checks import together
from price.settings.table import FIELDS, NAMES, NETWORK_NAMES, ROWS, TRUST_NAMES, URLS, Row, Settings
from price.settings.values import nearest
from price.smallfile import is_none, read_small
from price.text import one_line

if TYPE_CHECKING:
    from dotenv.parser import Binding

USUAL_FILE = ".env"
_KUBERNETES = re.compile(
    r"PRICE_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_KUBERNETES_PORT = re.compile(r"PRICE_(?:\w+_)?PORT")
_KUBERNETES_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://")


def load(environ: Mapping[str, str]) -> Settings:
    """The settings of an environment and of the file that it names (`.env` by default).

    Raises SettingsError with all faults, each naming the variable, its value and a valid one.
    """
    return _Reader(environ).settings()


def value_of(environ: Mapping[str, str], name: str, *, lenient: bool = False) -> Any:
    """One setting, for commands that need no other to be right, nor a readable settings file.

    Raises SettingsError for a text that it cannot be; with `lenient` the default then holds.
    """
    reader = _Reader(environ)
    value = reader.value(name)
    if reader.bad and not lenient:
        raise SettingsError(reader.faults)
    return value


def file_faults(environ: Mapping[str, str]) -> list[str]:
    """What is wrong with the settings file itself."""
    return _Reader(environ).file_faults


def status_path(environ: Mapping[str, str]) -> Path:
    """Where the running recorder keeps its status.json. Raises SettingsError."""
    path: Path = value_of(environ, "PRICE_STATUS")
    return path


def log_path(environ: Mapping[str, str]) -> Path:
    """Where the log is. Raises SettingsError."""
    path: Path = value_of(environ, "PRICE_FILE")
    return path


class _Reader:
    """The texts of all settings; collects their values, and the faults in them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.file_faults: list[str] = []
        """It is not there, cannot be read, or has lines that are not understood."""
        self.faults: list[str] = []
        self.bad: set[str] = set()
        """Settings whose own text is at fault: they have their default."""
        self._known: dict[str, Any] = {}
        self._file = _file_path(environ)
        self._in_file = self._read(self._file) if self._file else {}

    def settings(self) -> Settings:
        self.faults = [*self.file_faults, *self._unknown()]
        found = {field: self.value(name) for name, field in FIELDS.items()}
        found["urls"] = {source: self.value(name) for name, source in URLS.items()}
        found["network"] = {name: self._network(name) for name in NETWORK_NAMES}
        for name in TRUST_NAMES:  # what it cannot expand stays as it is, and is then not found
            found["network"][name] = os.path.expanduser(self._network(name))  # noqa: PTH111
        settings = Settings(**found)
        wrong = together(settings, self._file, {name for name in ROWS if self._text(name)})
        self.faults += [fault for names, fault in wrong if self.bad.isdisjoint(names.split())]
        if self.faults:
            raise SettingsError(self.faults)
        return settings

    def value(self, name: str) -> Any:
        """The value of a setting; its default, and a fault, where its text cannot be read."""
        row, text, value = ROWS[name], self._text(name), None
        try:
            value = row.parse(text) if text else self._credential(row)
        except ValueError as error:
            self.bad.add(name)
            self.faults.append(f"{name}={row.show(text)}: {error}")
        if value is None:
            default = row.default_text(self._environ, self._known)
            value = row.parse(default) if default else row.empty
        self._known[FIELDS.get(name, name)] = value
        return value

    def _text(self, name: str) -> str:
        """A text as set."""
        return (self._environ[name] if name in self._environ else self._in_file.get(name, "")).strip()

    def _network(self, name: str) -> str:
        """The text of one of the usual variables, which may be in lower case."""
        return self._text(name) or self._text(name.lower())

    def _credential(self, row: Row) -> Any:
        """The value that systemd hands over as a file; None where there is none ("-"), or a bad one."""
        folder = self._environ.get("CREDENTIALS_DIRECTORY")
        if not row.credential or not folder:
            return None
        try:
            text = read_small(Path(folder) / row.credential).strip()
            return None if text in ("", "-") else row.parse(text)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            words = error.strerror if isinstance(error, OSError) else "it must be one word of printable ASCII"
            self.faults.append(f"the credential {row.credential} cannot be used: {words}")
            return None

    def _unknown(self) -> Iterator[str]:
        """A fault for each name that looks like a setting and is none."""
        for name in sorted({*self._environ, *self._in_file}):
            if name.upper() in NAMES and name not in NAMES:
                yield f"{one_line(name)}: names of settings are in upper case: {name.upper()}"
            elif name.startswith("PRICE_") and name not in NAMES and not self._is_of_kubernetes(name):
                yield f"{one_line(name)}: there is no such setting{nearest(name[:40], NAMES)}"

    def _is_of_kubernetes(self, name: str) -> bool:
        """Whether a pod has a variable since a service is called `price` or `price-…`, not by our user.

        https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
        """
        if name not in self._environ:
            return False
        port = _KUBERNETES_PORT.fullmatch(name) and _KUBERNETES_ADDRESS.match(self._environ[name])
        return bool(port or _KUBERNETES.fullmatch(name))

    def _read(self, path: Path) -> dict[str, str]:
        named, shown = self._environ.get("PRICE_ENV", "").strip(), one_line(str(path))
        try:
            text = read_small(path)
        except FileNotFoundError:
            if named:
                self.file_faults.append(
                    f"PRICE_ENV={one_line(named)}: there is no such file; see env.example"
                )
            return {}
        except (OSError, ValueError) as error:
            reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
            reason = (isinstance(error, OSError) and error.strerror) or reason
            self.file_faults.append(f"{shown}: cannot be read: {reason}")
            return {}
        if "\0" in text:  # what uses such a value would fail much later
            self.file_faults.append(f"{shown}: cannot be read: it holds a null character")
            return {}
        from dotenv.parser import parse_stream  # it takes 7 ms, and many have no such file

        bindings = list(parse_stream(io.StringIO(text)))
        self.file_faults += [f"{shown}:{fault}" for one in bindings if (fault := _fault(one))]
        return {binding.key: binding.value or "" for binding in bindings if binding.key}


def _file_path(environ: Mapping[str, str]) -> Path | None:
    """The file that PRICE_ENV names, else `.env`; None where it names /dev/null."""
    named = environ.get("PRICE_ENV", "").strip()
    try:
        path = Path(named or USUAL_FILE).expanduser()
    except RuntimeError:
        path = Path(named)
    return None if "\0" not in named and is_none(path) else path


def _fault(binding: "Binding") -> str:
    """What is wrong with a line of the settings file."""
    line, name = binding.original.line, (binding.key or "").upper()
    if binding.error:
        return f'{line}: not understood; a line is NAME=value or NAME="value"'
    if name in (*NAMES, *NETWORK_NAMES, *TRUST_NAMES) and binding.value is None:
        return f"{line}: {name}: a value is missing; a line is NAME=value"
    return ""
