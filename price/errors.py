"""Everything that can go wrong, as one small tree.

A `SourceError` is both raised (by transport and sources) and kept as a value (by the poller, as a
reading's reason); its `why` is the word that stands in a missed row.
"""

from datetime import datetime


class PriceError(Exception):
    """A failure said in one line; the program then exits with 1."""


class SettingsError(PriceError):
    """Settings that cannot be used; `faults` has a line for each of them. The program exits with 78."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class SourceError(PriceError):
    """A source gave no usable answer; the message is the detail for the operator."""

    why = "unreadable"
    retry_after: str = ""
    """The answer's Retry-After header as sent: seconds or an HTTP date."""
    server_time: datetime | None = None
    """What the server's clock showed, where its answer said so: aware UTC."""


class Timeout(SourceError):
    """No complete answer before the deadline."""

    why = "timeout"


class Unreachable(SourceError):
    """No connection, TLS refused, or a connection closed before a complete answer."""

    why = "unreachable"


class NoSuchName(Unreachable):
    """The host's name does not resolve."""


class RateLimited(SourceError):
    """The source asked for fewer requests."""

    why = "rate-limited"


class Refused(SourceError):
    """The source will not answer this request."""

    why = "refused"


class Forbidden(Refused):
    """The source will not answer us at all (401, 403, 410, 451)."""


class UnknownPair(Refused):
    """The source says that it does not know a pair of the request."""


class Unavailable(SourceError):
    """The source is up but cannot answer now."""

    why = "unavailable"


class Unreadable(SourceError):
    """A complete answer that is not what it should be."""
