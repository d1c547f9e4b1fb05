"""The only HTTP: one kept-alive session per host, a deadline for the whole request, a cap on the body."""

from price.transport.bodies import MAX_BODY_BYTES
from price.transport.pools import BUNDLE_NAMES, trust
from price.transport.transport import Transport

__all__ = ["BUNDLE_NAMES", "MAX_BODY_BYTES", "Transport", "trust"]
