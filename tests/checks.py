"""The rows of a prices.txt as quotes, after proof that it is whole."""

from pathlib import Path

from price.log.row import quote_of, read
from price.model import Quote
from tests.proof import proven


def sound(path: Path) -> list[Quote]:
    """The rows of a log, once its form, its order, and the arithmetic of its slots are proven."""
    return [quote_of(read(row)) for row in proven(path.read_text("ascii"))]
