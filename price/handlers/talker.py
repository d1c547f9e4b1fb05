"""Where the program's log records go: the journal where systemd runs it, else the terminal; never both."""

import logging
from collections.abc import Callable, Mapping

from price.handlers import journal
from price.handlers.console import Console


def default_talker(
    environ: Mapping[str, str], monotonic: Callable[[], float], identifier: str = "price"
) -> logging.Handler:
    """The handler of all records; `identifier` is what `journalctl -t` finds."""
    if journal.wanted(environ):
        try:
            return journal.Journal(journal.SOCKET, journal.sender(), monotonic, Console(), identifier)
        except ImportError:
            return Console()  # systemd keeps what is written there, though without the fields
    return Console()
