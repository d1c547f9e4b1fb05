"""What followers say of themselves in their small files, as lines of `price status`."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from price import times
from price.smallfile import read_small
from price.text import MALFORMED, counted

SILENT_SECONDS = 120
"""A follower that has not written for so long is not at work."""


def file_name(target: str) -> str:
    """The name of a follower's file."""
    return f"follow-{target}.json"


def lines(status: Path, now: datetime) -> list[str]:
    """A line for each follower whose file is in the folder of status.json, or in its own under systemd."""
    found = []
    for path in _files(status):
        try:
            found.append(line(json.loads(read_small(path)), now))
        except (OSError, *MALFORMED) as error:
            found.append(f"{path}: cannot be read: {error}")
    return found


def _files(status: Path) -> Iterator[Path]:
    yield from sorted(status.parent.glob(file_name("*")))
    yield from sorted(status.parent.parent.glob(f"price-follow-*/{file_name('*')}"))


def line(known: Mapping[str, Any], now: datetime) -> str:
    """How a follower is, in a line. Raises one of MALFORMED."""
    words = [f"{known['target']:<9} {known['state']}"]
    if known["slot"]:
        behind = max(0.0, (now - times.parse_iso(known["slot"])).total_seconds())
        words.append(f"{times.span(behind)} behind")
    words += [counted(known["rows"], "row"), f"{known['refused']} refused"]
    if known["conflicts"]:
        words.append(f"conflicts today {known['conflicts']} (max {known['worst_bp']} bp)")
    if known["last_error"]:
        words.append(str(known["last_error"]))
    silent = (now - times.parse_iso(known["at"])).total_seconds()
    return "  ".join([*words, *([f"silent for {times.span(silent)}"] if silent > SILENT_SECONDS else [])])
