"""How many slots of each pair a log has had since midnight, read in small steps from its end."""

import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from price import host, times
from price.log.end import blocks_backwards
from price.log.older import Text, older_texts

_ROW = re.compile(rb"^(\S{20}) (\S+) (\S+) \S+(?: slots=(\d{1,10}))?", re.MULTILINE)


class Count:
    """Slots of a pair: with a price, and without."""

    def __init__(self) -> None:
        self.recorded = 0
        self.missed = 0


def count_day(
    path: Path, size: int, midnight: datetime, interval: int, counts: dict[str, Count]
) -> Iterator[None]:
    """Adds the slots from `midnight` on to `counts`, a block (64 KiB) at each step, the last rows first.

    The log is read up to `size`, what it was when it was opened. Raises OSError.
    """
    since = times.iso(midnight).encode()
    # of files that overlap the newer one counts: rows from `oldest` on are counted already
    oldest = b"~"
    for text in _files(path, size):
        if not text.is_end:
            return
        within = b"~"
        for block in blocks_backwards(text):
            first = b""
            for slot, pair, price, slots in _ROW.findall(block):
                first = first or slot
                if slot >= oldest or (slot < since and price != b"-"):
                    continue
                count = counts.setdefault(pair.decode("ascii", "replace"), Count())
                if price != b"-":
                    count.recorded += 1
                else:
                    count.missed += _missed_since(slot, int(slots or 1), midnight, interval)
            within = first or within
            yield
            if within < since:
                return
        oldest = min(oldest, within)


def _files(path: Path, size: int) -> Iterator[Text]:
    """The log's own file and those rotated away, the newest first."""
    descriptor = host.open_to_read(path)
    try:
        yield Text(lambda at, most: host.read_at(descriptor, most, at), size)
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    yield from older_texts(path, (status.st_dev, status.st_ino), [], lambda: False)


def _missed_since(slot: bytes, slots: int, midnight: datetime, interval: int) -> int:
    """How many of a missed row's slots come after midnight."""
    try:
        first = times.parse_iso(slot.decode("ascii"))
    except ValueError:
        return 0
    return slots - min(slots, times.slots_between(first, midnight, interval))
