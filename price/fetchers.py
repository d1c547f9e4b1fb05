"""What gets the answers of each configured source: HTTP, or the simulated exchange."""

import sys
import warnings
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import NamedTuple

from price.errors import SettingsError
from price.model import Answer, Request
from price.settings import TRUST_NAMES, Settings
from price.sources import SOURCES, simulated
from price.wire import Begun, Fetch

Now = Callable[[], datetime]


class Fetcher(NamedTuple):
    """The way to ask a source."""

    get: Fetch
    begin: Callable[[Request], Begun | None] = lambda _: None
    """Sends a request if that needs no waiting; None where it does."""
    hang_up: Callable[[], None] = lambda: None
    """Closes what is kept open."""


def make_fetchers(wanted: Settings, now: Now, monotonic: Callable[[], float]) -> dict[str, Fetcher]:
    """A way to each configured source. Raises SettingsError for certificates that cannot be read."""
    if wanted.simulated:
        return {"simulated": Fetcher(partial(_simulate, now))}
    _leave_out_guessing()
    from price.transport import Transport, trust  # the simulated source needs no HTTP

    try:
        trusted = trust(wanted.network)
    except OSError as error:
        named = ", ".join(f"{name}={wanted.network[name]}" for name in TRUST_NAMES if wanted.network[name])
        raise SettingsError([f"{named}: these certificates cannot be read: {error}"]) from error
    found = {}
    for name in wanted.sources:
        url = wanted.urls[name]
        headers = SOURCES[name].headers(wanted.coingecko_key, url)
        transport = Transport(url, headers, trusted, wanted.network, monotonic)
        found[name] = Fetcher(transport.get, transport.begin, transport.hang_up)
    return found


def _leave_out_guessing() -> None:
    """Keeps requests from loading what guesses encodings: 3 of 33 MB; answers are UTF-8 or no use."""
    sys.modules.setdefault("charset_normalizer", None)  # type: ignore[arg-type] # None means: do not import
    warnings.filterwarnings("ignore", message="Unable to find acceptable character detection")


def _simulate(now: Now, request: Request, _deadline: float) -> Answer:
    return simulated.answer(request, now())
