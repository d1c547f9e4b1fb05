"""What is wrong in a line of a file."""

from price.log.old import row
from price.report.tables import Value
from price.text import one_line


class Fault:
    """A fault; `slot` and `pair` are those of its line, empty where it is no row."""

    __slots__ = ("line", "pair", "path", "slot", "what")

    def __init__(self, path: str, line: int, what: str, text: bytes = b"") -> None:
        self.path, self.line, self.what = one_line(path), line, what
        known = row.is_sound(text + b"\n")
        self.slot = text[: row.SLOT_BYTES] if known else b""
        self.pair = row.pair_of(text) if known else b""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"

    def values(self) -> tuple[Value, ...]:
        """The columns of the table."""
        return self.path, self.line, self.what
