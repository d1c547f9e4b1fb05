"""Several exchanges at once, and the settings of a recorder that shall ask them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Self

from price.model import Pair
from tests.exchange.faults import Fault
from tests.exchange.prices import Prices
from tests.exchange.server import HOST, Exchange, real_time


class Market:
    """Local copies of exchanges, started and stopped together: a context manager.

    With `ca`, a path, they speak HTTPS and the certificate to trust is written there.
    """

    def __init__(
        self,
        names: Iterable[str] = ("coinbase", "kraken", "bitstamp"),
        *,
        prices: Prices | None = None,
        clock: Callable[[], datetime] = real_time,
        pairs: Iterable[Pair] | None = None,
        ca: Path | None = None,
        host: str = HOST,
    ) -> None:
        certificates = None
        if ca:
            # only here, so that plain HTTP needs no trustme
            from tests.exchange.certificates import Certificates

            certificates = Certificates(host)
            certificates.write(ca)
        self._ca = ca
        listed = None if pairs is None else list(pairs)
        self._exchanges = {
            name: Exchange(
                name, prices=prices, clock=clock, pairs=listed, certificates=certificates, host=host
            )
            for name in names
        }
        self._running = ExitStack()

    def __getitem__(self, name: str) -> Exchange:
        return self._exchanges[name]

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._exchanges.values())

    def __enter__(self) -> Self:
        for exchange in self:
            self._running.enter_context(exchange)
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a recorder that asks these exchanges, for its environment or its file."""
        settings = {"PRICE_SOURCES": ",".join(self._exchanges)}
        settings |= {f"PRICE_{exchange.name.upper()}_URL": exchange.url for exchange in self}
        if self._ca:
            settings |= dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(self._ca))
        return settings

    def fail(self, fault: Fault) -> None:
        """The same fault at every exchange."""
        for exchange in self:
            exchange.fail(fault)

    def recover(self) -> None:
        """Every exchange is well again."""
        for exchange in self:
            exchange.fault = None
