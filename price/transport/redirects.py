"""URLs: in a form that can be sent, in parts, and where a redirect may lead."""

from urllib.parse import SplitResult, urljoin, urlsplit

import requests

from price.errors import Unreadable
from price.transport.proxies import DEFAULT_PORTS
from price.wire import excerpt


def normal(url: str) -> str:
    """A URL in ASCII, quoted where it has to be. Raises ValueError for one that cannot be."""
    return requests.Request("GET", url).prepare().url or ""


def redirected(url: str, target: str) -> str:
    """Where a redirect leads. Raises Unreadable unless it is the same server, or its host's usual https."""
    old = urlsplit(url)
    try:
        new = urlsplit(urljoin(url, target))
        place = _place(new)
    except ValueError:
        place = None
    if place == _place(old):
        host = old.netloc
    elif place == ("https", old.hostname, DEFAULT_PORTS["https"]) and old.scheme == "http":
        host = old.netloc.removesuffix(f":{old.port}")
    else:
        raise Unreadable(f"a redirect to {excerpt(target)}, which is not followed")
    return normal(new._replace(netloc=host, fragment="").geturl())


def _place(parts: SplitResult) -> tuple[str, str | None, int | None]:
    """The server that a URL names. Raises ValueError for a port that is none."""
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)
