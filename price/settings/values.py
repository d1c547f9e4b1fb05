"""How the value of each setting is read from its text. Raises ValueError with what a valid one is."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from price import host
from price.sources import SOURCES
from price.text import one_line

T = TypeVar("T")
N = TypeVar("N", int, float, Decimal)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*\.?", re.ASCII)
_URL = re.compile(
    r"(?=[!-~]+\Z)https?://(?:[^/?#@\\:\[\]]+|\[[0-9a-f:.]+(?:%[^/?#@\\\]]+)?\])(?::[1-9]\d*)?(?:/[^?#\\]*)?",
    re.I | re.ASCII,  # without ASCII the long s is an s
)
_SYMBOL = re.compile(r"([A-Za-z]{1,20}):([A-Za-z0-9]{1,20})(?:=([A-Za-z0-9._-]{1,60}))?", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
_SERVER = re.compile(r"(?:nats|tls)://[^ ]+")
_USER = re.compile(r"^(.*?//)?.*@", re.DOTALL)
_QUERY = re.compile(r"([?#]).*", re.DOTALL)
_DAY_SECONDS = 86400
_INTERVAL = "whole seconds from {} to {} that divide a day, for example 5"


def number(kind: type[N], least: str, most: str, words: str) -> Callable[[str], N]:
    """What reads a number of a range, a whole one if `kind` is int; `words` name both bounds as {}."""

    def read(text: str) -> N:
        fits = _NUMBER.fullmatch(text) and Decimal(least) <= Decimal(text) <= Decimal(most)
        if not fits or (issubclass(kind, int) and not text.isdigit()):
            raise ValueError(f"must be {words.format(least, most)}")
        return kind(text)

    return read


_whole_seconds = number(int, "1", "3600", _INTERVAL)


def interval(text: str) -> int:
    """Seconds between two slots."""
    seconds = _whole_seconds(text)
    if _DAY_SECONDS % seconds:
        raise ValueError(f"must be {_INTERVAL.format(1, 3600)}")
    return seconds


def one_of(*words: str) -> Callable[[str], str]:
    """What reads one of some words, in upper or lower case."""

    def read(text: str) -> str:
        found = next((word for word in words if word.lower() == text.lower()), None)
        if found is None:
            raise ValueError(f"must be one of {', '.join(words)}")
        return found

    return read


def fitting(pattern: str, words: str) -> Callable[[str], str]:
    """What reads a text that fits a pattern; `words` say what such a text is."""

    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"must be {words}")
        return text

    return read


def each(read: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """What reads values with commas between them, each once."""

    def read_all(text: str) -> tuple[T, ...]:
        items = tuple(read(word.strip()) for word in text.split(","))
        once = dict.fromkeys(items)
        if len(once) < len(items):
            twice = [str(item) for item in once if items.count(item) > 1]
            raise ValueError(f"{', '.join(twice)} stands twice in it, for example {','.join(map(str, once))}")
        return items

    return read_all


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


def source(text: str) -> str:
    """The name of a source."""
    name = text.lower()
    if name not in SOURCES:
        known = ", ".join(SOURCES)
        raise ValueError(f"there is no source {name[:40]!r}{nearest(name, tuple(SOURCES))} (of {known})")
    return name


def symbols(text: str) -> Mapping[str, Mapping[str, str]]:
    """What sources call coins, by source and coin: `kraken:LUNA=LUNA2`, or `okx:ABC` for the same name."""
    found: dict[str, dict[str, str]] = {}
    for word in filter(None, map(str.strip, text.split(","))):
        match = _SYMBOL.fullmatch(word)
        if match is None:
            raise ValueError(f"{word[:40]!r} is not a coin at a source, for example kraken:LUNA=LUNA2")
        name, coin = source(match[1]), match[2].upper()
        ticker = match[3] or match[2]
        ticker = ticker.lower() if name == "coingecko" else ticker.upper()
        if name == "simulated":
            raise ValueError("simulated has no symbols, for example kraken:LUNA=LUNA2")
        if found.setdefault(name, {}).setdefault(coin, ticker) != ticker:
            raise ValueError(f"{name}:{coin} stands twice in it, for example kraken:LUNA=LUNA2")
    return found


def url(text: str) -> str:
    """Where an exchange is asked: an address that a path can be put behind, without a user or password."""
    parts = _parts(text)
    name = parts.hostname or "" if parts else ""
    if not _URL.fullmatch(text) or not (":" in name or _HOST.fullmatch(name)):
        raise ValueError("must be scheme://host[:port][/prefix], for example https://api.example.com:8443")
    return text.rstrip("/")


def servers(text: str) -> tuple[str, ...]:
    """Where the servers of a NATS cluster are."""
    return tuple(_server(word.strip()) for word in text.split(","))


def _server(text: str) -> str:
    parts = _parts(text)
    known = parts is not None and bool(parts.hostname) and parts.port != 0
    if not (known and _SERVER.fullmatch(text) and text.isprintable()):
        raise ValueError("must be addresses parted by commas, for example nats://127.0.0.1:4222")
    return text


def _parts(text: str) -> SplitResult | None:
    """A URL taken apart; None for one that cannot be."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - one that is no port raises
    except ValueError:
        return None
    return parts


def address(text: str) -> tuple[str, int]:
    """An address and a port to listen on."""
    name, _, port = text.rpartition(":")
    try:
        found = str(ip_address(name.removeprefix("[").removesuffix("]")))
        plain = port.isascii() and port.isdigit() and 0 < int(port) < 65_536
    except ValueError:
        plain = False
    if not plain:
        raise ValueError("must be ADDRESS:PORT, for example 127.0.0.1:8464 or [::1]:8464")
    return found, int(port)


def host_name(text: str) -> str:
    """The name of a host, without a port."""
    if not _HOST.fullmatch(text.lower()):
        raise ValueError("must be names of hosts, for example prices.example.org")
    return text.lower().rstrip(".")


def without_secrets(text: str) -> str:
    """A URL for a message: without its user, its password and its query."""
    return one_line(_QUERY.sub(r"\1…", _USER.sub(r"\1…@", text)))


def nearest(word: str, words: tuple[str, ...]) -> str:
    """A hint at the word that may be meant."""
    from difflib import get_close_matches  # only where something is wrong

    near = get_close_matches(word, words, 1)
    return f"; did you mean {near[0]}?" if near else "; see env.example"
