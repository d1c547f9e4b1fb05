"""How the value of each setting is read from its text. Raises ValueError with what a valid one is."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from price import host
from price.coins import COINS
from price.model import Pair
from price.sources import SOURCES
from price.text import one_line

T = TypeVar("T")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*\.?", re.ASCII)
_PAIR = re.compile(r"([A-Za-z0-9]{1,20})[-/]([A-Za-z0-9]{1,20})", re.ASCII)
_SYMBOL = re.compile(r"([A-Za-z]{1,20}):([A-Za-z0-9]{1,20})(?:=([A-Za-z0-9._-]{1,60}))?", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
_USER = re.compile(r"^(.*?//)?.*@", re.DOTALL)
_QUERY = re.compile(r"([?#]).*", re.DOTALL)
_RECORDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
_DAY_SECONDS = 86400


def interval(text: str) -> int:
    """Seconds between two slots."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not 1 <= number <= 3600 or _DAY_SECONDS % number:
        raise ValueError("must be whole seconds from 1 to 3600 that divide a day, for example 5")
    return number


def whole(least: int, most: int) -> Callable[[str], int]:
    """What reads a whole number of a range."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 9 and least <= int(text) <= most):
            raise ValueError(f"must be a whole number from {least} to {most}, for example {least}")
        return int(text)

    return read


def optional(read: Callable[[str], T]) -> Callable[[str], T | None]:
    """What reads an empty text as None."""
    return lambda text: read(text) if text else None


def optional_text(read: Callable[[str], str]) -> Callable[[str], str]:
    """What leaves an empty text as it is."""
    return lambda text: read(text) if text else ""


def seconds(least: str, most: str) -> Callable[[str], float]:
    """What reads a length of time of a range, in seconds."""

    def read(text: str) -> float:
        if not _NUMBER.fullmatch(text) or not Decimal(least) <= Decimal(text) <= Decimal(most):
            raise ValueError(f"must be seconds from {least} to {most}, for example 2")
        return float(text)

    return read


def percent(text: str) -> Decimal:
    """A percentage."""
    if not _NUMBER.fullmatch(text) or not 0 < Decimal(text) <= 1000:
        raise ValueError("must be a percentage above 0, at most 1000, for example 1.5")
    return Decimal(text)


def path(text: str) -> Path:
    """Where a file is; `~` is a home folder. What only a shell replaces would become a folder's name."""
    try:
        found = Path(text).expanduser()
    except RuntimeError:
        raise ValueError("there is no such home folder; for example /var/log/price/prices.txt") from None
    if "$" in text:
        raise ValueError("variables are not replaced in it; for example /var/log/price/prices.txt")
    if not found.name or found.name == ".." or text.endswith("/"):
        raise ValueError("must name a file, for example /var/log/price/prices.txt")
    if fault := host.path_fault(str(found)):
        raise ValueError(f"{fault}, for example logs/prices.txt")
    return found


def level(text: str) -> str:
    """The name of a log level."""
    if text.upper() not in LOG_LEVELS:
        raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}")
    return text.upper()


def log_format(text: str) -> str:
    """The form of log lines on stderr."""
    if text.lower() not in ("text", "json"):
        raise ValueError("must be text or json")
    return text.lower()


def pairs(text: str) -> tuple[Pair, ...]:
    """Pairs, each once."""
    return _each(text, _pair)


def _pair(text: str) -> Pair:
    if text.lower() in COINS:
        return Pair(COINS[text.lower()], "USD")
    match = _PAIR.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a pair such as BTC-USD")
    return Pair(match[1].upper(), match[2].upper())


def sources(text: str) -> tuple[str, ...]:
    """Names of sources, each once."""
    return _each(text.lower(), _source)


def _source(text: str) -> str:
    if text not in SOURCES:
        known = ", ".join(SOURCES)
        raise ValueError(f"there is no source {text[:40]!r}{nearest(text, tuple(SOURCES))} (of {known})")
    return text


def symbols(text: str) -> Mapping[str, Mapping[str, str]]:
    """What sources call coins, by source and coin: `kraken:LUNA=LUNA2`, or `okx:ABC` for the same name."""
    found: dict[str, dict[str, str]] = {}
    for word in filter(None, map(str.strip, text.split(","))):
        match = _SYMBOL.fullmatch(word)
        if match is None:
            raise ValueError(f"{word[:40]!r} is not a coin at a source, for example kraken:LUNA=LUNA2")
        name, coin = _source(match[1].lower()), match[2].upper()
        ticker = match[3] or match[2]
        ticker = ticker.lower() if name == "coingecko" else ticker.upper()
        if name == "simulated":
            raise ValueError("simulated has no symbols, for example kraken:LUNA=LUNA2")
        if found.setdefault(name, {}).setdefault(coin, ticker) != ticker:
            raise ValueError(f"{name}:{coin} stands twice in it, for example kraken:LUNA=LUNA2")
    return found


def _each(text: str, read: Callable[[str], T]) -> tuple[T, ...]:
    items = tuple(read(word.strip()) for word in text.split(","))
    twice = [str(item) for item in dict.fromkeys(items) if items.count(item) > 1]
    if twice:
        raise ValueError(
            f"{', '.join(twice)} stands twice in it, for example {','.join(map(str, dict.fromkeys(items)))}"
        )
    return items


def url(text: str) -> str:
    """Where an exchange is asked."""
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


def without_secrets(text: str) -> str:
    """A URL for a message: without its user, its password and its query."""
    return one_line(_QUERY.sub(r"\1…", _USER.sub(r"\1…@", text)))


def recorder(text: str) -> str:
    """The name of a recorder."""
    if not _RECORDER.fullmatch(text):
        raise ValueError("must be a name of letters, digits, dots, dashes and underscores, for example box-a")
    return text


def database(text: str) -> str:
    """Where a PostgreSQL is."""
    if not text.startswith(("postgresql://", "postgres://")) or not text.isprintable() or " " in text:
        raise ValueError("must be a URL of PostgreSQL, for example postgresql://price_follow@localhost/price")
    return text


def servers(text: str) -> tuple[str, ...]:
    """Where the servers of a NATS cluster are."""
    found = tuple(one.strip() for one in text.split(",")) if text else ()
    for one in found:
        if not one.startswith(("nats://", "tls://")) or not one.isprintable() or " " in one:
            raise ValueError("must be addresses parted by commas, for example nats://127.0.0.1:4222")
        try:
            known = bool(urlsplit(one).hostname) and urlsplit(one).port != 0
        except ValueError:
            known = False
        if not known:
            raise ValueError("must be addresses parted by commas, for example nats://127.0.0.1:4222")
    return found


def key(text: str) -> str:
    """An API key."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be one word of printable ASCII, as CoinGecko gives it out")
    return text


def nearest(word: str, words: tuple[str, ...]) -> str:
    """A hint at the word that may be meant."""
    from difflib import get_close_matches  # only where something is wrong

    near = get_close_matches(word, words, 1)
    return f"; did you mean {near[0]}?" if near else "; see env.example"


def addresses(text: str) -> tuple[tuple[str, int], ...]:
    """Addresses and ports to listen on."""
    return _each(text, _address)


def _address(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    try:
        found = str(ip_address(address.removeprefix("[").removesuffix("]")))
        plain = port.isascii() and port.isdigit() and 0 < int(port) < 65_536
    except ValueError:
        plain = False
    if not plain:
        raise ValueError("must be ADDRESS:PORT, for example 127.0.0.1:8464 or [::1]:8464")
    return found, int(port)


def hosts(text: str) -> tuple[str, ...]:
    """Names of hosts, without a port."""
    return _each(text.lower(), _host) if text else ()


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError("must be names of hosts, for example prices.example.org")
    return text.rstrip(".")
