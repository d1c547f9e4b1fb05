"""The names that rows had before row.py and quotes.py; goes once nobody uses them."""

from price.log import row
from price.log.quotes import read, read_pair, write
from price.log.row import header, plain

__all__ = ["header", "plain", "read", "read_header", "read_pair", "write"]


def read_header(text: str) -> int | None:
    """The interval in seconds that a header line gives; None for any other line."""
    found = row.read_header(text)
    return found.every if found else None
