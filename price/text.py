"""Text from outside: as one line that does nothing to a terminal or a journal; what odd values may raise."""

import sys

MALFORMED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""What code may raise that takes values apart which are not of the shape it expects."""
MOST = 15_000
"""Characters of a line: the longest excerpt and the longest path have room in it."""


def one_line(text: str) -> str:
    """The text escaped and, where it is longer than MOST, cut off."""
    shown = escaped(text[: MOST + 1])
    return shown if len(shown) <= MOST else f"{shown[: MOST - 1]}…"


def escaped(text: str) -> str:
    """The text with its line breaks, control, bidi and invisible characters as in a Python text."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def counted(number: int, one: str, several: str = "") -> str:
    """A number of things in words: `1 row`, `3 rows`, and with `several` what else differs."""
    return f"{number} {one if number == 1 else several or f'{one}s'}"


def print_line(text: str) -> None:
    """Prints a line to stdout, escaped; also who reads it through a pipe has it now."""
    sys.stdout.write(f"{escaped(text)}\n")
    sys.stdout.flush()
