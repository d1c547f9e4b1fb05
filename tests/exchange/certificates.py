"""Certificates made in memory: a good one, and those that a client must refuse."""

import ssl
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import trustme


class Certificates:
    """One authority, and the TLS contexts of servers that it vouches for, or not."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._authority = trustme.CA()
        self.context = cache(self._make)

    def write(self, path: Path) -> None:
        """Write the authority's certificate, for clients to trust."""
        self._authority.cert_pem.write_to_path(path)

    def _make(self, kind: str) -> ssl.SSLContext:
        """A server's context; `kind` is empty for a good one, else the name of the fault."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if kind == "self_signed":
            itself = trustme.CA()
            with itself.cert_pem.tempfile() as certificate, itself.private_key_pem.tempfile() as key:
                context.load_cert_chain(certificate, key)
            return context
        authority = trustme.CA() if kind == "untrusted" else self._authority
        host = "other.example" if kind == "wrong_host" else self._host
        begins = datetime.now(UTC) - timedelta(days=-1 if kind == "not_yet_valid" else 365)
        ends = begins + timedelta(days=90) if kind == "expired" else None
        authority.issue_cert(host, not_before=begins, not_after=ends).configure_cert(context)
        return context
