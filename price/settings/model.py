"""What the settings are: their names, and what they come to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from price.choose import Rules
from price.model import Pair
from price.sources import SOURCES

NETWORK_NAMES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
TRUST_NAMES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
URL_NAMES = {f"PRICE_{name.upper()}_URL": name for name in SOURCES if name != "simulated"}
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
    *URL_NAMES,
    "PRICE_COINGECKO_KEY",
    "PRICE_ENV",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator wants. Times are in seconds, spread and jump in percent."""

    pairs: tuple[Pair, ...]
    sources: tuple[str, ...]
    quorum: int | None
    """As set; None: as many as the number of sources of a pair asks for."""
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

    def sources_of(self, pair: Pair) -> int:
        """How many of the configured sources are asked for a pair."""
        return sum(SOURCES[name].offers(pair) for name in self.sources)

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
