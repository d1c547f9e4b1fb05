"""URLs: in a form that can be sent, where a redirect may lead, and which proxy leads to them."""

import re
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, urljoin, urlsplit

import requests

from price.errors import Unreadable
from price.wire import excerpt

DEFAULT_PORTS = {"http": 80, "https": 443}
_BETWEEN = re.compile(r"[\s,]+")


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


def proxies_for(url: str, network: Mapping[str, str]) -> dict[str, str]:
    """The proxy for each scheme; `network` holds the variables' values by upper-case name."""
    if bypasses(network.get("NO_PROXY", ""), url):
        return {}
    named = {
        scheme: network.get(f"{scheme.upper()}_PROXY") or network.get("ALL_PROXY") for scheme in DEFAULT_PORTS
    }
    return {scheme: proxy for scheme, proxy in named.items() if proxy}


def bypasses(no_proxy: str, url: str) -> bool:
    """Whether NO_PROXY names the host of a URL, in any form that curl knows, and the stars that others do.

    Entries are separated by commas or blanks: `*` is each host; `x.org`, `.x.org` and `*.x.org` are that host
    and all below it; an address, or a network such as `10.0.0.0/8`. Each may have a `:port`.
    """
    parts = urlsplit(url)
    host, port = (parts.hostname or "").rstrip("."), parts.port or DEFAULT_PORTS.get(parts.scheme)
    entries = _BETWEEN.split(no_proxy.lower())
    return any(_names(entry, host, str(port)) for entry in entries if entry)


def _names(entry: str, host: str, port: str) -> bool:
    if entry.startswith("["):
        name, _, only = entry[1:].partition("]")
        only = only.removeprefix(":")
    else:  # several colons are an address of IPv6
        name, _, only = entry.partition(":") if entry.count(":") == 1 else (entry, "", "")
    if only and only != port:
        return False
    try:
        return ip_address(host) in ip_network(name, strict=False)
    except ValueError:
        if name == "*":
            return True
        name = name.removeprefix("*").strip(".")
        return bool(name) and f".{host}".endswith(f".{name}")
