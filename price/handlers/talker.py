"""Where the program's log records go: the journal where systemd runs it, else the terminal; never both."""

import logging
from collections.abc import Callable, Mapping

from price.handlers import journal
from price.handlers.console import Console


def default_talker(
    environ: Mapping[str, str],
    monotonic: Callable[[], float],
    log_format: Callable[[], str],
    identifier: str = "price",
) -> logging.Handler:
    """The handler of all records.

    `log_format` returns the form of lines on stderr, `text` or `json`; `identifier` is what `journalctl -t`
    finds.
    """
    console = Console(log_format=log_format, identifier=identifier)
    if journal.wanted(environ):
        try:
            return journal.Journal(journal.SOCKET, journal.sender(), monotonic, console, identifier)
        except ImportError:
            return console  # systemd keeps what is written there, though without the fields
    return console
