"""The texts of the settings, from the environment, else from the settings file. The only reader of both."""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from price.settings import values
from price.settings.table import NAMES, NETWORK_NAMES, TRUST_NAMES
from price.smallfile import is_none, read_small
from price.text import one_line

USUAL_FILE = ".env"
_OTHERS = (*NETWORK_NAMES, *TRUST_NAMES)
_KUBERNETES = re.compile(
    r"PRICE_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_KUBERNETES_PORT = re.compile(r"PRICE_(?:\w+_)?PORT")
_KUBERNETES_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://")


class Texts:
    """The texts of all settings, and what is wrong with the file that they come from."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.faults: list[str] = []
        """Of the file: it is not there, cannot be read, or has lines that are not understood."""
        self.file = file_path(environ)
        """The settings file; None where there is to be none."""
        self._found = self._read(self.file) if self.file else {}

    def get(self, name: str) -> str:
        """A text as set; one in the environment, even an empty one, hides the file's."""
        return (self.environ[name] if name in self.environ else self._found.get(name, "")).strip()

    def network(self, name: str) -> str:
        """The text of one of the usual variables, which may be in lower case."""
        return self.get(name) or self.get(name.lower())

    def unknown(self) -> Iterator[str]:
        """A fault for each name that looks like a setting and is none."""
        for name in sorted({*self.environ, *self._found}):
            if name.upper() in NAMES and name not in NAMES:
                yield f"{one_line(name)}: names of settings are in upper case: {name.upper()}"
            elif name.startswith("PRICE_") and name not in NAMES and not self._is_of_kubernetes(name):
                yield f"{one_line(name)}: there is no such setting{values.nearest(name[:40], NAMES)}"

    def nulls(self) -> Iterator[str]:
        """The names of settings whose text holds a null character: whoever uses it would fail much later."""
        return (name for name in (*NAMES, *_OTHERS) if "\0" in self.network(name))

    def credential(self, name: str) -> str:
        """What systemd hands over as a file; "-" and an absent file mean none. Raises OSError, ValueError."""
        folder = self.environ.get("CREDENTIALS_DIRECTORY")
        try:
            text = read_small(Path(folder) / name).strip() if folder else ""
        except FileNotFoundError:
            return ""
        return "" if text == "-" else text

    def _is_of_kubernetes(self, name: str) -> bool:
        """Whether a pod has a variable since a service is called `price` or `price-…`, not by our user.

        https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
        """
        if name not in self.environ:
            return False
        port = _KUBERNETES_PORT.fullmatch(name) and _KUBERNETES_ADDRESS.match(self.environ[name])
        return bool(port or _KUBERNETES.fullmatch(name))

    def _read(self, path: Path) -> dict[str, str]:
        named = self.environ.get("PRICE_ENV", "").strip()
        shown = one_line(str(path))
        try:
            text = read_small(path)
        except FileNotFoundError:
            if named:
                self.faults.append(f"PRICE_ENV={one_line(named)}: there is no such file; see env.example")
            return {}
        except (OSError, ValueError) as error:
            reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
            reason = (isinstance(error, OSError) and error.strerror) or reason
            self.faults.append(f"{shown}: cannot be read: {reason}")
            return {}
        bindings = list(parse_stream(io.StringIO(text)))
        self.faults += [f"{shown}:{fault}" for fault in _faults(bindings)]
        return {binding.key: binding.value or "" for binding in bindings if binding.key}


def file_path(environ: Mapping[str, str]) -> Path | None:
    """The file that PRICE_ENV names, else `.env`; None where it names /dev/null."""
    named = environ.get("PRICE_ENV", "").strip()
    try:
        path = Path(named or USUAL_FILE).expanduser()
    except RuntimeError:
        path = Path(named)
    return None if "\0" not in named and is_none(path) else path


def _faults(bindings: Iterable[Binding]) -> Iterator[str]:
    for binding in bindings:
        if binding.error:
            yield f'{binding.original.line}: not understood; a line is NAME=value or NAME="value"'
        elif binding.key and binding.value is None and binding.key.upper() in (*NAMES, *_OTHERS):
            yield f"{binding.original.line}: {binding.key.upper()}: a value is missing; a line is NAME=value"
