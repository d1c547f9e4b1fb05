"""The settings: from the environment and the settings file, checked all at once. The only reader of both."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from dotenv.parser import parse_stream

from price.choose import Rules
from price.coins import COINS
from price.errors import SettingsError
from price.oneline import one_line
from price.plan import Plan, plan
from price.quote import Pair
from price.sources import SOURCES

T = TypeVar("T")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
NETWORK_NAMES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
TRUST_NAMES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_URL_NAMES = {f"PRICE_{name.upper()}_URL": name for name in SOURCES if name != "simulated"}
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*\.?", re.ASCII)
_PAIR = re.compile(r"([A-Za-z0-9]{1,20})[-/]([A-Za-z0-9]{1,20})", re.ASCII)
_USER = re.compile(r"^(.*?//)?.*@", re.DOTALL)
_QUERY = re.compile(r"([?#]).*", re.DOTALL)
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
_DAY_SECONDS = 86400


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator wants. Times are in seconds, spread and jump in percent."""

    pairs: tuple[Pair, ...]
    sources: tuple[str, ...]
    quorum: int
    interval: int
    timeout: float
    max_age: float
    max_spread: Decimal
    max_jump: Decimal
    file: Path
    state: Path
    status: Path
    log_level: str
    urls: Mapping[str, str]
    coingecko_key: str = field(repr=False)
    network: Mapping[str, str]
    """Proxies and certificate files, by the usual variables' upper-case names."""

    def pairs_of(self, source: str) -> list[Pair]:
        """The configured pairs that a source is asked for."""
        return [pair for pair in self.pairs if SOURCES[source].offers(pair)]

    @property
    def rules(self) -> Rules:
        """The settings of the choice."""
        return Rules(
            quorum=self.quorum,
            interval=timedelta(seconds=self.interval),
            max_age=timedelta(seconds=self.max_age),
            max_spread=self.max_spread,
            max_jump=self.max_jump,
        )


NAMES = (
    "PRICE_PAIRS",
    "PRICE_SOURCES",
    "PRICE_QUORUM",
    "PRICE_INTERVAL",
    "PRICE_TIMEOUT",
    "PRICE_MAX_AGE",
    "PRICE_MAX_SPREAD",
    "PRICE_MAX_JUMP",
    "PRICE_FILE",
    "PRICE_STATE",
    "PRICE_STATUS",
    "PRICE_LOG_LEVEL",
    *_URL_NAMES,
    "PRICE_COINGECKO_KEY",
    "PRICE_ENV",
)


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
        interval = self._value("PRICE_INTERVAL", "5", _interval)
        default_timeout = "2" if interval is None or interval >= 3 else f"{Decimal(interval) * 4 / 5:f}"
        pairs = self._value("PRICE_PAIRS", "BTC-USD", _pairs) or ()
        sources = self._value("PRICE_SOURCES", "coinbase,kraken,bitstamp", _sources) or ()
        settings = Settings(
            pairs=pairs,
            sources=sources,
            quorum=self._value("PRICE_QUORUM", "1", _whole(1, 99)) or 1,
            interval=interval or 5,
            timeout=self._value("PRICE_TIMEOUT", default_timeout, _seconds("0.05", "3599")) or 2,
            max_age=self._value("PRICE_MAX_AGE", "60", _seconds("1", "86400")) or 60,
            max_spread=self.max_spread(),
            max_jump=self._value("PRICE_MAX_JUMP", "5", _percent) or Decimal(5),
            file=self.log_path(),
            state=self.path("PRICE_STATE", "STATE_DIRECTORY", "state.json"),
            status=self.path("PRICE_STATUS", "RUNTIME_DIRECTORY", "status.json"),
            log_level=self._value("PRICE_LOG_LEVEL", "INFO", _level) or "INFO",
            urls={
                source: self._value(name, SOURCES[source].url, _url) or ""
                for name, source in _URL_NAMES.items()
            },
            coingecko_key=self._value("PRICE_COINGECKO_KEY", "", _key) or self._credential("coingecko_key"),
            network={name: self._network(name) for name in (*NETWORK_NAMES, *TRUST_NAMES)},
        )
        self._faults += [fault for names, fault in _together(settings) if self._bad.isdisjoint(names)]
        if self._faults:
            raise SettingsError(self._faults)
        return settings

    def log_path(self) -> Path:
        return self.path("PRICE_FILE", "LOGS_DIRECTORY", "prices.txt")

    def max_spread(self) -> Decimal:
        return self._value("PRICE_MAX_SPREAD", "1", _percent) or Decimal(1)

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
            return "" if text == "-" else _key(text)
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
                self._faults.append(f"{one_line(name)}: there is no such setting{_nearest(name[:40], NAMES)}")


def _together(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """What is wrong with settings that are right one by one, and the settings that it depends on."""
    if settings.timeout >= settings.interval:
        yield (
            ("PRICE_TIMEOUT", "PRICE_INTERVAL"),
            (
                f"PRICE_TIMEOUT={settings.timeout:g}: must be less than the interval, {settings.interval} s,"
                f" for example {settings.interval * 0.8:g}"
            ),
        )
    if "simulated" in settings.sources and len(settings.sources) > 1:
        yield (
            ("PRICE_SOURCES",),
            (
                f"PRICE_SOURCES={','.join(settings.sources)}: simulated may not be mixed with real sources;"
                " for example PRICE_SOURCES=simulated"
            ),
        )
    if settings.quorum > len(settings.sources):
        yield (
            ("PRICE_QUORUM", "PRICE_SOURCES"),
            (
                f"PRICE_QUORUM={settings.quorum}: above the number of sources, {len(settings.sources)};"
                f" for example {len(settings.sources)}"
            ),
        )
    for planned in plans(settings):
        if planned.fault:
            yield ("PRICE_PAIRS", "PRICE_SOURCES", "PRICE_INTERVAL"), planned.fault
    for pair in settings.pairs:
        yield from _of_pair(settings, pair)
    yield from _of_files(settings)


def _of_pair(settings: Settings, pair: Pair) -> Iterator[tuple[tuple[str, ...], str]]:
    asked = [name for name in settings.sources if SOURCES[name].offers(pair)]
    able = [name for name, source in SOURCES.items() if source.offers(pair) and name != "simulated"]
    if not asked:
        yield (
            ("PRICE_PAIRS", "PRICE_SOURCES"),
            (
                f"PRICE_PAIRS={pair}: none of {','.join(settings.sources)} quotes it;"
                + (f" {', '.join(able)} may: add one to PRICE_SOURCES" if able else " no source does")
            ),
        )
    elif len(asked) < settings.quorum <= len(settings.sources):
        yield (
            ("PRICE_PAIRS", "PRICE_SOURCES", "PRICE_QUORUM"),
            (
                f"PRICE_QUORUM={settings.quorum}: {pair} is quoted by {','.join(asked)} alone;"
                f" for example {len(asked)}"
            ),
        )


def _of_files(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """The small files are replaced whole: one that is the log would be its end."""
    seen: dict[Path, str] = {}
    files = {"PRICE_FILE": settings.file, "PRICE_STATE": settings.state, "PRICE_STATUS": settings.status}
    for name, path in files.items():
        other = seen.setdefault(path.absolute(), name)
        if other != name:
            yield (name, other), f"{name}={one_line(str(path))}: {other} is the same file; name another one"


def plans(settings: Settings) -> list[Plan]:
    """How often each configured source is asked."""
    return [
        plan(SOURCES[name], settings.urls.get(name, ""), settings.pairs_of(name), settings.interval)
        for name in settings.sources
    ]


def _shown(name: str, text: str) -> str:
    """A value for a message, without what may be secret: a key, a proxy, a password or query in a URL."""
    if name == "PRICE_COINGECKO_KEY" or name in NETWORK_NAMES:
        return "…"
    if name in _URL_NAMES:
        text = _QUERY.sub(r"\1…", _USER.sub(r"\1…@", text))
    return one_line(text)


def _nearest(word: str, words: tuple[str, ...]) -> str:
    from difflib import get_close_matches  # only where something is wrong

    near = get_close_matches(word, words, 1)
    return f"; did you mean {near[0]}?" if near else "; see env.example"


def _interval(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not 1 <= number <= 3600 or _DAY_SECONDS % number:
        raise ValueError("must be whole seconds from 1 to 3600 that divide a day, for example 5")
    return number


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 9 and least <= int(text) <= most):
            raise ValueError(f"must be a whole number from {least} to {most}, for example {least}")
        return int(text)

    return read


def _seconds(least: str, most: str) -> Callable[[str], float]:
    def read(text: str) -> float:
        if not _NUMBER.fullmatch(text) or not Decimal(least) <= Decimal(text) <= Decimal(most):
            raise ValueError(f"must be seconds from {least} to {most}, for example 2")
        return float(text)

    return read


def _percent(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text) or not 0 < Decimal(text) <= 1000:
        raise ValueError("must be a percentage above 0, at most 1000, for example 1.5")
    return Decimal(text)


def _level(text: str) -> str:
    if text.upper() not in LOG_LEVELS:
        raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}")
    return text.upper()


def _pairs(text: str) -> tuple[Pair, ...]:
    return _each(text, _pair)


def _pair(text: str) -> Pair:
    if text.lower() in COINS:
        return Pair(COINS[text.lower()], "USD")
    match = _PAIR.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a pair such as BTC-USD")
    return Pair(match[1].upper(), match[2].upper())


def _sources(text: str) -> tuple[str, ...]:
    return _each(text.lower(), _source)


def _source(text: str) -> str:
    if text not in SOURCES:
        known = ", ".join(SOURCES)
        raise ValueError(f"there is no source {text[:40]!r}{_nearest(text, tuple(SOURCES))} (of {known})")
    return text


def _each(text: str, read: Callable[[str], T]) -> tuple[T, ...]:
    items = tuple(read(word.strip()) for word in text.split(","))
    twice = [str(item) for item in dict.fromkeys(items) if items.count(item) > 1]
    if twice:
        raise ValueError(
            f"{', '.join(twice)} stands twice in it, for example {','.join(map(str, dict.fromkeys(items)))}"
        )
    return items


def _url(text: str) -> str:
    if not _is_url(text):
        raise ValueError("must be scheme://host[:port][/prefix], for example https://api.example.com:8443")
    return text.rstrip("/")


def _is_url(text: str) -> bool:
    """Whether a text is an address that a path can be put behind, without a user or password in it."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    plain = text.isascii() and text.isprintable() and " " not in text and "\\" not in text
    whole = parts.netloc.lower() in (_written(host), f"{_written(host)}:{port}")
    return (
        plain
        and whole
        and parts.scheme in ("http", "https")
        and not (parts.query or parts.fragment or port == 0)
        and (":" in host or _HOST.fullmatch(host) is not None)
    )


def _written(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _key(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be one word of printable ASCII, as CoinGecko gives it out")
    return text
