"""The settings from the environment and the settings file, checked all at once. The only reader of both."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from dotenv.parser import parse_stream

from price.errors import SettingsError
from price.settings import values
from price.settings.checks import together
from price.settings.model import NAMES, NETWORK_NAMES, TRUST_NAMES, URL_NAMES, Settings
from price.sources import SOURCES
from price.text import one_line

T = TypeVar("T")
_USER = re.compile(r"^(.*?//)?.*@", re.DOTALL)
_QUERY = re.compile(r"([?#]).*", re.DOTALL)


def load(environ: Mapping[str, str]) -> Settings:
    """The settings of an environment and of the file that it names (`.env` by default).

    Raises SettingsError with every fault at once, each naming the variable, its value and a valid one.
    """
    return _Reader(environ).settings()


def status_path(environ: Mapping[str, str]) -> Path:
    """Where the running recorder says how it is. Needs no valid settings, nor a readable settings file."""
    reader = _Reader(environ)
    return reader.path("PRICE_STATUS", "RUNTIME_DIRECTORY", "status.json")


def log_path(environ: Mapping[str, str]) -> Path:
    """Where the log is. Needs no valid settings, nor a readable settings file."""
    return _Reader(environ).log_path()


def max_spread(environ: Mapping[str, str]) -> Decimal:
    """The percentage that prices may differ; the default where that is not well set."""
    return _Reader(environ).max_spread()


class _Reader:
    """Collects the values and the faults in them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._faults: list[str] = []
        self._bad: set[str] = set()
        """Settings that have no value because of their fault."""
        self._environ = environ
        self._file = self._read_file()

    def settings(self) -> Settings:
        self._check_nulls()
        self._check_names()
        interval = self._value("PRICE_INTERVAL", "5", values.interval)
        default_timeout = "2" if interval is None or interval >= 3 else f"{Decimal(interval) * 4 / 5:f}"
        pairs = self._value("PRICE_PAIRS", "BTC-USD", values.pairs) or ()
        sources = self._value("PRICE_SOURCES", "coinbase,kraken,bitstamp", values.sources) or ()
        settings = Settings(
            pairs=pairs,
            sources=sources,
            quorum=self._quorum(),
            interval=interval or 5,
            timeout=self._value("PRICE_TIMEOUT", default_timeout, values.seconds("0.05", "3599")) or 2,
            max_age=self._value("PRICE_MAX_AGE", "60", values.seconds("1", "86400")) or 60,
            max_spread=self.max_spread(),
            max_jump=self._value("PRICE_MAX_JUMP", "5", values.percent) or Decimal(5),
            file=self.log_path(),
            state=self.path("PRICE_STATE", "STATE_DIRECTORY", "state.json"),
            status=self.path("PRICE_STATUS", "RUNTIME_DIRECTORY", "status.json"),
            log_level=self._value("PRICE_LOG_LEVEL", "INFO", values.level) or "INFO",
            urls={
                source: self._value(name, SOURCES[source].url, values.url) or ""
                for name, source in URL_NAMES.items()
            },
            coingecko_key=self._value("PRICE_COINGECKO_KEY", "", values.key)
            or self._credential("coingecko_key"),
            network={name: self._network(name) for name in (*NETWORK_NAMES, *TRUST_NAMES)},
        )
        self._faults += [fault for names, fault in together(settings) if self._bad.isdisjoint(names)]
        if self._faults:
            raise SettingsError(self._faults)
        return settings

    def _quorum(self) -> int | None:
        return self._value("PRICE_QUORUM", "", values.whole(1, 99)) if self._text("PRICE_QUORUM") else None

    def log_path(self) -> Path:
        return self.path("PRICE_FILE", "LOGS_DIRECTORY", "prices.txt")

    def max_spread(self) -> Decimal:
        return self._value("PRICE_MAX_SPREAD", "1", values.percent) or Decimal(1)

    def path(self, name: str, folder_name: str, base: str) -> Path:
        """A file's path: as set, else in the folder that systemd gives, else in `logs`."""
        folder = self._environ.get(folder_name, "").split(":")[0] or "logs"
        path = Path(self._text(name) or Path(folder) / base)
        if not path.name or path.name == "..":
            self._faults.append(
                f"{name}={_shown(name, self._text(name))}: must name a file, for example logs/{base}"
            )
        return path

    def _text(self, name: str) -> str:
        """A value as set; a value in the environment, even an empty one, hides the file's."""
        return self._environ[name].strip() if name in self._environ else self._file.get(name, "").strip()

    def _value(self, name: str, default: str, read: Callable[[str], T]) -> T | None:
        """The value of a setting, or None and a fault."""
        text = self._text(name)
        try:
            return read(text or default)
        except ValueError as error:
            self._bad.add(name)
            self._faults.append(f"{name}={_shown(name, text)}: {error}")
            return None

    def _network(self, name: str) -> str:
        return self._text(name) or self._text(name.lower())

    def _credential(self, name: str) -> str:
        """A secret that systemd hands over as a file; "-" and an absent file mean none."""
        folder = self._environ.get("CREDENTIALS_DIRECTORY")
        try:
            text = (Path(folder) / name).read_text("ascii").strip() if folder else ""
            return "" if text == "-" else values.key(text)
        except FileNotFoundError:
            return ""
        except (OSError, ValueError):
            self._faults.append(
                f"the credential {name} cannot be used: it must be one word of printable ASCII"
            )
            return ""

    def _read_file(self) -> dict[str, str]:
        named = self._environ.get("PRICE_ENV", "").strip()
        path = Path(named or ".env")
        try:
            with path.open(encoding="utf-8") as file:
                bindings = list(parse_stream(file))
        except FileNotFoundError:
            if named:
                self._faults.append(f"PRICE_ENV={one_line(named)}: there is no such file; see env.example")
            return {}
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            self._faults.append(f"{one_line(str(path))}: cannot be read: {reason}")
            return {}
        shown = one_line(str(path))
        self._faults += [
            f'{shown}:{binding.original.line}: not understood; a line is NAME=value or NAME="value"'
            for binding in bindings
            if binding.error
        ]
        return {binding.key: binding.value or "" for binding in bindings if binding.key}

    def _check_nulls(self) -> None:
        """A null character in a name of a file or a host would be an error of whoever uses it, much later."""
        for name in (*NAMES, *NETWORK_NAMES, *TRUST_NAMES):
            if "\0" in (text := self._network(name)):
                self._faults.append(f"{name}={_shown(name, text)}: must not hold a null character")

    def _check_names(self) -> None:
        for name in sorted({*self._environ, *self._file}):
            if name.startswith("PRICE_") and name not in NAMES:
                self._faults.append(
                    f"{one_line(name)}: there is no such setting{values.nearest(name[:40], NAMES)}"
                )


def _shown(name: str, text: str) -> str:
    """A value for a message, without what may be secret: a key, a proxy, a password or query in a URL."""
    if name == "PRICE_COINGECKO_KEY" or name in NETWORK_NAMES:
        return "…"
    if name in URL_NAMES:
        text = _QUERY.sub(r"\1…", _USER.sub(r"\1…@", text))
    return one_line(text)
