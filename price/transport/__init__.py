"""The only HTTP: kept connections to one host, a deadline for the whole request, a cap on the answer."""

from price.transport.answers import MAX_BODY_BYTES
from price.transport.client import Transport
from price.transport.trust import BUNDLE_NAMES, trust

__all__ = ["BUNDLE_NAMES", "MAX_BODY_BYTES", "Transport", "trust"]
