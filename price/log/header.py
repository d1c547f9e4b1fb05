"""The form of the header line that opens a file of the log: the only place that knows it."""

import re
from functools import cache
from typing import NamedTuple

HEADER_START = "# price-log "
_HEADER = r"# price-log 1 every=([1-9]\d{0,3})s((?: [!-~]+)*)"
_SIMULATED = "simulated"


@cache
def _pattern() -> re.Pattern[str]:
    """Made when it is first needed, as those of rows are."""
    return re.compile(_HEADER, re.ASCII)


class Header(NamedTuple):
    """What the first line of a file states; it stands again where the interval changes."""

    every: int
    """Seconds from slot to slot."""
    simulated: bool
    """Whether the prices are made up."""


def header_line(every: int, *, simulated: bool = False) -> str:
    """The line that opens a file of slots `every` seconds apart, without its line end."""
    return f"# price-log 1 every={every}s" + (f" {_SIMULATED}" if simulated else "")


def read_header(line: str) -> Header | None:
    """What a header line states; None for any other line. Words that a later version adds are ignored."""
    match = _pattern().fullmatch(line)
    return Header(int(match[1]), _SIMULATED in match[2].split(" ")) if match else None
