"""One host, asked over HTTP: kept-alive connections, a deadline for the whole request, a few redirects."""

import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import cast
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from requests.utils import should_bypass_proxies
from urllib3.exceptions import HTTPError

from price import __version__
from price.errors import SourceError, Unreachable, Unreadable
from price.transport.bodies import content
from price.transport.failures import TROUBLES, found, reason
from price.transport.pools import Adapter, Pool
from price.transport.sockets import begin, current, seconds_left
from price.wire import REDIRECTS, Answer, Request, excerpt

MAX_REDIRECTS = 2
_HIDDEN = "***"
_LEAST_LETTERS = 8
"""Of a secret: shorter texts stand in honest answers, too."""
_TELLING_LETTERS = 6
"""So many of a secret's first letters are not told either."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Transport:
    """One host: where it is, by which proxy, and its kept-alive session."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        trust: ssl.SSLContext,
        network: Mapping[str, str],
        monotonic: Callable[[], float],
    ) -> None:
        self._url = url.rstrip("/")
        self._secrets = tuple(value for value in headers.values() if len(value) >= _LEAST_LETTERS)
        self._monotonic = monotonic
        self._session = requests.Session()
        self._session.trust_env = False  # else the proxies are looked up again for each request
        self._session.proxies = _proxies(url, network)
        self._adapter = Adapter(trust)
        self._session.mount("https://", self._adapter)
        self._session.mount("http://", self._adapter)
        named = {
            "User-Agent": f"price/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",  # else all that urllib3 could unpack
            **headers,
        }
        self._request = self._session.prepare_request(requests.Request("GET", self._url, headers=named))
        self._headers = {name: str(value) for name, value in self._request.headers.items()}
        self._pools: dict[str, Pool] = {}

    def get(self, request: Request, deadline: float) -> Answer:
        """The answer to a request, complete before `deadline` (in monotonic seconds). Raises SourceError."""
        current.left = lambda: deadline - self._monotonic()
        try:
            return self._follow(self._url + request.path)
        except SourceError as error:
            error.args = (_hidden(str(error), self._secrets),)
            raise

    def hang_up(self) -> None:
        """Closes the connections that are kept, and those in use once they are not."""
        for pool in list(self._pools.values()):
            pool.close()

    def _follow(self, url: str) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._fetch(url)
            target = answer.headers.get("location", "") if answer.status in REDIRECTS else ""
            if not target:
                return answer
            url = _redirected(url, target)
        raise Unreadable(f"more than {MAX_REDIRECTS} redirects")

    def _fetch(self, url: str) -> Answer:
        try:
            return self._exchange(url)
        except TROUBLES as error:
            raise reason(error) from error

    def _exchange(self, url: str) -> Answer:
        begin()
        try:
            answer = self._send(url)
        except (HTTPError, OSError) as error:
            # a server may close a connection that was kept just as the next request leaves
            if current.connected or not found(error, ConnectionError):
                raise
            answer = self._send(url)
        return answer

    def _send(self, url: str) -> Answer:
        """One exchange on the session's connections.

        Session.send is left out: what it does for cookies, hooks and history costs 125 of 350 µs a request.
        """
        origin, path = _split(url)
        pool = self._pools.get(origin) or self._pool(origin)
        forwarded = origin.startswith("http:") and "http" in self._session.proxies
        raw = pool.urlopen(
            "GET",
            url if forwarded else path,
            headers=self._headers,
            timeout=seconds_left(),
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            return Answer(raw.status, raw.headers, self._readable(content(raw)))
        except BaseException:
            raw.close()
            raise

    def _readable(self, body: bytes) -> bytes:
        """A body without our secrets: a server may say which key it refuses, and its words are told."""
        for secret in self._secrets:
            body = body.replace(secret.encode(), _HIDDEN.encode())
        return body

    def _pool(self, origin: str) -> Pool:
        prepared = self._request.copy()
        prepared.url = origin
        proxies = self._session.proxies
        try:
            pool = cast(
                Pool,
                self._adapter.get_connection_with_tls_context(prepared, verify=True, proxies=proxies),
            )
        except (requests.RequestException, HTTPError, ValueError):
            if not proxies:
                raise
            # the libraries' words may hold its password
            usable = "HTTPS_PROXY and its like must be http://[user:password@]host:port"
            raise Unreachable(f"the proxy cannot be used: {usable}") from None
        return self._pools.setdefault(origin, pool)


def _hidden(text: str, secrets: Iterable[str]) -> str:
    """A text without secrets, of which an excerpt may hold but the beginning."""
    for secret in secrets:
        for length in range(len(secret), _TELLING_LETTERS - 1, -1):
            text = text.replace(secret[:length], _HIDDEN)
    return text


def _split(url: str) -> tuple[str, str]:
    """A URL's scheme://host:port, and the rest of it."""
    scheme, _, host, *path = url.split("/", 3)
    return f"{scheme}//{host}", "/" + "".join(path)


def _redirected(url: str, target: str) -> str:
    """Where a redirect leads. Raises Unreadable unless it is the same server, or its host's usual https."""
    old = urlsplit(url)
    try:
        new = urlsplit(urljoin(url, target))
        place = _place(new)
    except ValueError:
        place = None
    if place == _place(old):
        host = old.netloc
    elif place == ("https", old.hostname, _DEFAULT_PORTS["https"]) and old.scheme == "http":
        host = old.netloc.removesuffix(f":{old.port}")
    else:
        raise Unreadable(f"a redirect to {excerpt(target)}, which is not followed")
    return new._replace(netloc=host, path=new.path or "/", fragment="").geturl()


def _place(parts: SplitResult) -> tuple[str, str | None, int | None]:
    """The server that a URL names. Raises ValueError for a port that is none."""
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)


def _proxies(url: str, network: Mapping[str, str]) -> dict[str, str]:
    """The proxy for each scheme by the usual variables, whose values `network` holds by upper-case name."""
    no_proxy = network.get("NO_PROXY", "")
    if no_proxy and should_bypass_proxies(url, no_proxy):
        return {}
    named = {
        scheme: network.get(f"{scheme.upper()}_PROXY") or network.get("ALL_PROXY")
        for scheme in _DEFAULT_PORTS
    }
    return {scheme: proxy for scheme, proxy in named.items() if proxy}
