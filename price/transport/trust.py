"""The certificates to trust, read and parsed once."""

import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH

BUNDLE_NAMES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")


def trust(network: Mapping[str, str]) -> ssl.SSLContext:
    """The certificates to trust: those that the usual variables name, else the system's, else certifi's.

    SSL_CERT_FILE and SSL_CERT_DIR add up, as in OpenSSL; either of the other two, which may name a file or a
    folder, stands alone, as in requests. Raises OSError for what is named and cannot be read.
    """
    bundle = network.get("REQUESTS_CA_BUNDLE") or network.get("CURL_CA_BUNDLE")
    named = [bundle] if bundle else [network.get("SSL_CERT_FILE"), network.get("SSL_CERT_DIR")]
    found = [name for name in named if name]
    system = ssl.get_default_verify_paths()
    if found:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for name in found:
            _load(context, name)
        return context
    known = system.cafile or (system.capath and any(Path(system.capath).iterdir()))
    return ssl.create_default_context(cafile=None if known else DEFAULT_CA_BUNDLE_PATH)


def _load(context: ssl.SSLContext, name: str) -> None:
    """Trusts a file of certificates, or folders of them, named as `openssl rehash` does. Raises OSError."""
    if Path(name).is_file():
        context.load_verify_locations(cafile=name)
        return
    for folder in name.split(os.pathsep):
        if not any(_HASHED.fullmatch(entry.name) for entry in Path(folder).iterdir()):
            raise FileNotFoundError(f"{folder} holds no certificates named as by `openssl rehash`")
    context.load_verify_locations(capath=name)
