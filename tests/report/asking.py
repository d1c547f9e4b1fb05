"""Asks the reading commands as the command line does."""

import contextlib
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from price.cli import parser

NOW = datetime(2026, 11, 20, 15, 52, 7, tzinfo=UTC)
HEADER = "# price-log 1 every=5s\n"


def answer(*words: str, environ: Mapping[str, str] | None = None) -> tuple[int, str]:
    """The exit status of a command and what it printed."""
    args = parser(words).parse_args(words)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = args.run(args, environ or {}, NOW)
    return status, printed.getvalue()


def lines(*words: str) -> list[str]:
    """The lines that a command printed."""
    return answer(*words)[1].splitlines()


def write(folder: Path, *rows: str, name: str = "prices.txt", header: str = HEADER) -> str:
    """A log with these rows; its path."""
    path = folder / name
    path.write_text(header + "".join(row + "\n" for row in rows), newline="")
    return str(path)
