"""One host, asked over HTTP: kept connections, a deadline for the whole request, a few redirects."""

import ssl
from collections.abc import Callable, Mapping
from functools import partial

from price import __version__
from price.errors import SourceError, Unreadable
from price.model import Answer, Request
from price.transport.answers import Limits
from price.transport.connections import Pools
from price.transport.exchange import Exchange
from price.transport.failures import TROUBLES, reason
from price.transport.secrets import Secrets
from price.transport.urls import normal, proxies_for, redirected
from price.wire import REDIRECTS, Begun

MAX_REDIRECTS = 2


class Transport:
    """One host: where it is, by which proxy, and its kept connections."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        trust: ssl.SSLContext,
        network: Mapping[str, str],
        monotonic: Callable[[], float],
    ) -> None:
        self._url = normal(url).rstrip("/")
        self._headers = {
            "User-Agent": f"price/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            **headers,
        }
        self._secrets = Secrets(headers.values())
        self._monotonic = monotonic
        self._pools = Pools(trust, proxies_for(self._url, network))

    def get(self, request: Request, deadline: float) -> Answer:
        """The answer to a request, complete before `deadline` (in monotonic seconds). Raises SourceError."""
        return self._finished(None, request, deadline)

    def begin(self, request: Request) -> Begun | None:
        """Sends a request if that needs no waiting; None where it does, or fails: `get` finds out why."""
        try:
            exchange = self._exchange(self._url + request.path)
        except (SourceError, *TROUBLES):
            return None
        if not exchange.send_now():
            return None
        arrived, get = partial(self._arrived, exchange), partial(self._finished, exchange)
        return Begun(exchange.fileno, arrived, get)

    def hang_up(self) -> None:
        """Closes the connections that are kept, and those in use once they are not."""
        self._pools.close()

    def _arrived(self, exchange: Exchange) -> Answer | None:
        answer = exchange.arrived()
        return answer and self._secrets.hidden_in(answer)

    def _finished(self, begun: Exchange | None, request: Request, deadline: float) -> Answer:
        limits = Limits(lambda: deadline - self._monotonic())
        try:
            return self._secrets.hidden_in(self._follow(begun, self._url + request.path, limits))
        except SourceError as error:
            error.args = (self._secrets.hidden_in_excerpt(str(error)),)
            raise

    def _follow(self, exchange: Exchange | None, url: str, limits: Limits) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            try:
                answer = (exchange or self._exchange(url)).answer(limits)
            except TROUBLES as error:
                raise reason(error) from error
            target = answer.headers.get("location", "") if answer.status in REDIRECTS else ""
            if not target:
                return answer
            exchange, url = None, redirected(url, target)
        raise Unreadable(f"more than {MAX_REDIRECTS} redirects")

    def _exchange(self, url: str) -> Exchange:
        scheme, _, host, *path = url.split("/", 3)
        origin = f"{scheme}//{host}"
        return Exchange(self._pools.at(origin), origin, "/" + "".join(path), self._headers)
