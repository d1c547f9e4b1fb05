"""The settings, one row each: type, name, default, how its text is read, and what it means.

A new setting is one row in `Settings`, and its lines in env.example, in README's table, whose words are those
of the row, and in deploy/price.1. Its name is PRICE_ and the attribute's name in upper case.
"""

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from price import host
from price.choose import Rules
from price.coins import typed_pair
from price.model import Pair
from price.settings import values
from price.sources import SOURCES, Source
from price.text import one_line

if TYPE_CHECKING:
    from price.alerts.rules import Rule

Default = Callable[[Mapping[str, str], Mapping[str, Any]], str]
"""What makes the text of a default from the environment and from the settings of the rows above."""
NETWORK_NAMES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
TRUST_NAMES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


class Row(NamedTuple):
    """All about a setting but its name."""

    default: str | Default
    parse: Callable[[str], Any]
    """Returns the value of a text without blanks around it; raises ValueError with what a valid one is."""
    help: str
    empty: Any = ""
    """The value where the default is empty: nothing is set."""
    shown: str = ""
    """The default as README has it, where that is not the text itself."""
    show: Callable[[str], str] = one_line
    """A bad value as a message may show it."""
    credential: str = ""
    """The file in $CREDENTIALS_DIRECTORY that holds it where nothing is set."""

    def default_text(self, environ: Mapping[str, str], known: Mapping[str, Any]) -> str:
        """The default, from the environment and from the settings of the rows above."""
        return self.default if isinstance(self.default, str) else self.default(environ, known)


row: Any = Row
"""A row as the default of an attribute, which has the type of the setting's values."""


def folder(variable: str, name: str) -> Default:
    """A default in the first folder that systemd names in a variable, else in `logs`."""
    return lambda environ, _: os.path.join(host.named_folder(environ, variable), name)  # noqa: PTH118


def _timeout(_environ: Mapping[str, str], known: Mapping[str, Any]) -> str:
    interval: int = known.get("interval", 5)
    return "2" if interval >= 3 else f"{Decimal(interval) * 4 / 5:f}"


_SECONDS = "seconds from {} to {}, for example 2"
_PERCENT = values.number(Decimal, "0.000000001", "1000", "a percentage above 0, at most {1}, for example 1.5")


class Settings(NamedTuple):
    """What the operator wants. Times are in seconds, spread and jump in percent."""

    pairs: tuple[Pair, ...] = row(
        "BTC-USD", values.each(typed_pair), "comma-separated; `btc/usd` and `bitcoin` are understood"
    )
    sources: tuple[str, ...] = row(
        "coinbase,kraken,bitstamp", values.each(values.source), "in the order in which rows name them"
    )
    quorum: int | None = row(
        "",
        values.number(int, "1", "99", "a whole number from {} to {}, for example 1"),
        "fewest agreeing sources",
        empty=None,
        shown="`2` where three or more sources quote the pair, else `1`",
    )
    """None: as many as the number of sources asks for."""
    symbols: Mapping[str, Mapping[str, str]] = row(
        "",
        values.symbols,
        "what an exchange calls a coin, where you know better: `kraken:LUNA=LUNA2`",
        empty={},
    )
    """By source and coin; docs/choosing.md says which coins are known."""
    interval: int = row("5", values.interval, "seconds between slots: 1 to 3600, a divisor of 86400")
    timeout: float = row(
        _timeout,
        values.number(float, "0.05", "3599", _SECONDS),
        "seconds that a slot waits for its sources; 0.8 of an interval below 3 s",
    )
    max_age: float = row(
        "60", values.number(float, "1", "86400", _SECONDS), "seconds: an older price is stale"
    )
    max_spread: Decimal = row("1", _PERCENT, "percent that sources may differ")
    max_jump: Decimal = row("5", _PERCENT, "percent that a lone source may jump unconfirmed")
    file: Path = row(folder("LOGS_DIRECTORY", "prices.txt"), values.path, "the log")
    state: Path = row(
        folder("STATE_DIRECTORY", "state.json"),
        values.path,
        "which sources rest, until when: it survives a restart; `/dev/null`: none",
    )
    status: Path = row(
        folder("RUNTIME_DIRECTORY", "status.json"),
        values.path,
        "replaced each slot, for `status` and other programs; `/dev/null`: none",
    )
    alerts: str = row("", str, "rules parted by `;`, such as `BTC-USD above 70000`: docs/alerts.md")
    web_listen: tuple[tuple[str, int], ...] = row(
        "127.0.0.1:8464,[::1]:8464", values.each(values.address), "where `price web` listens: docs/web.md"
    )
    web_hosts: tuple[str, ...] = row(
        "", values.each(values.host_name), "names by which the page may be asked, with a proxy", empty=()
    )
    log_level: str = row("INFO", values.one_of(*LOG_LEVELS), "of the journal or the terminal")
    log_format: str = row(
        "text",
        values.one_of("text", "json"),
        "of what goes to stderr: `text`, or `json` with the journal's field names",
    )
    coingecko_key: str = row(
        "",
        values.fitting("[!-~]+", "one word of printable ASCII, as CoinGecko gives it out"),
        "CoinGecko's API key",
        show=lambda _: "…",
        credential="coingecko_key",
    )
    follow_postgres: str = row(
        "",
        values.fitting(
            r"postgres(ql)?://[^\x00-\x20\x7f-\xa0]*",
            "a URL of PostgreSQL, for example postgresql://price_follow@localhost/price",
        ),
        "where `follow postgres` sends rows: docs/clusters.md",
        show=values.without_secrets,
    )
    follow_nats: tuple[str, ...] = row(
        "",
        values.servers,
        "where `follow nats` does: servers, comma-separated",
        empty=(),
        show=values.without_secrets,
    )
    recorder: str = row(
        "",
        values.fitting(
            "[A-Za-z0-9][A-Za-z0-9._-]{0,62}",
            "a name of letters, digits, dots, dashes and underscores, for example box-a",
        ),
        "this recorder's name in followed rows; it must stay the same",
        shown="the host's name",
    )
    urls: Mapping[str, str] = {}
    """Where each source is asked: PRICE_KRAKEN_URL and its like."""
    network: Mapping[str, str] = {}
    """Proxies and certificate files, by the usual variables' upper-case names."""

    def __repr__(self) -> str:
        """Without the values: a key may be among them."""
        return f"Settings({', '.join(self._fields)})"

    def source(self, name: str) -> Source:
        """A source, with the symbols that the operator has set for it."""
        tickers = self.symbols.get(name)
        return type(SOURCES[name])(tickers) if tickers else SOURCES[name]

    def asked_for(self, pair: Pair) -> list[str]:
        """The configured sources that are asked for a pair, in their order.

        Those that are known to mean the same coins by it. For coins that nobody has heard of only one source
        is asked, the first: its coin may be another than that of the next.
        """
        offering = [name for name in self.sources if self.source(name).offers(pair)]
        known = [name for name in offering if self.source(name).knows(pair)]
        return known or offering[:1]

    def pairs_of(self, source: str) -> list[Pair]:
        """The configured pairs that a source is asked for."""
        return [pair for pair in self.pairs if source in self.asked_for(pair)]

    def sources_of(self, pair: Pair) -> int:
        """How many of the configured sources are asked for a pair."""
        return len(self.asked_for(pair))

    @property
    def simulated(self) -> bool:
        """Whether prices are made up: the simulated source is never mixed with real ones."""
        return "simulated" in self.sources

    @property
    def alert_rules(self) -> tuple["Rule", ...]:
        """The rules of `alerts`."""
        return self.parsed_alerts()[0]

    def parsed_alerts(self) -> tuple[tuple["Rule", ...], tuple[str, ...]]:
        """The rules of `alerts`, and what is wrong with them."""
        if not self.alerts:
            return (), ()  # most have none, and should not pay for what reads them
        from price.alerts.parse import parse

        return parse(self.alerts, self.pairs, self.interval)

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


FIELDS: Mapping[str, str] = {
    f"PRICE_{name.upper()}": name for name, known in Settings._field_defaults.items() if known
}
"""The attribute of each setting that is one row."""
URLS: Mapping[str, str] = {f"PRICE_{name.upper()}_URL": name for name in SOURCES if name != "simulated"}
"""The source of each setting that is a source's address."""
ROWS: Mapping[str, Row] = {
    **{name: Settings._field_defaults[field] for name, field in FIELDS.items()},
    **{
        name: Row(
            SOURCES[source].url,
            values.url,
            "one per source: mirrors, paid hosts, proxies",
            shown="the public host",
            show=values.without_secrets,
        )
        for name, source in URLS.items()
    },
}
NAMES = (*ROWS, "PRICE_ENV")
