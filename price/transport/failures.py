"""What a request that failed means: the libraries' errors as ours."""

import http.client
import socket
import ssl
from typing import Any

import requests
from urllib3.exceptions import HTTPError, ProxyError

from price.errors import NoSuchName, SourceError, Timeout, Unreachable, Unreadable
from price.wire import excerpt

TROUBLES = (requests.RequestException, HTTPError, OSError, http.client.HTTPException, ValueError)
_CUT_OFF = (http.client.IncompleteRead, EOFError)
_NOT_HTTP = (http.client.HTTPException, HTTPError)


def found(error: BaseException, kind: type[BaseException] | tuple[type[BaseException], ...]) -> Any:
    """The first error of a kind among an error and those that led to it; None where there is none."""
    seen: set[int] = set()
    queue: list[object] = [error]
    while queue:
        item = queue.pop(0)
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        if isinstance(item, kind):
            return item
        seen.add(id(item))
        queue += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]
    return None


def reason(error: Exception) -> SourceError:
    """What a failed request means."""
    if isinstance(error, SourceError):
        return error
    if found(error, (TimeoutError, requests.Timeout)):
        return Timeout("no complete answer in time")
    if isinstance(error, requests.RequestException):
        return Unreachable(f"connection failed: {excerpt(str(error))}")
    if proxied := found(error, ProxyError):
        return Unreachable(f"the proxy failed: {excerpt(str(proxied.original_error))}")
    if unnamed := found(error, socket.gaierror):
        # a resolver that does not answer is our network's trouble, not the end of the name
        kind = Unreachable if unnamed.errno == socket.EAI_AGAIN else NoSuchName
        return kind(f"its name does not resolve: {unnamed.strerror}")
    if refused := found(error, ssl.SSLCertVerificationError):
        return Unreachable(f"its certificate is not accepted: {refused.verify_message}")
    if refused := found(error, ssl.SSLError):
        return Unreachable(f"TLS failed: {refused.reason or refused}")
    if broken := found(error, OSError):
        return Unreachable(f"connection failed: {excerpt(broken.strerror or str(broken))}")
    if found(error, _CUT_OFF) or "ended prematurely" in str(error):  # urllib3 has no kind for the latter
        return Unreachable("connection closed before a complete answer")
    if odd := found(error, _NOT_HTTP):
        return Unreadable(f"not HTTP: {excerpt(repr(odd))}")
    return Unreachable(f"connection failed: {excerpt(str(error))}")
