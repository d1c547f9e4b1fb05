"""How many slots of each pair a log has had since midnight, read in small steps from its end."""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from price import host, times
from price.log import row
from price.log.end import MOST_UNPACKED_BYTES, files_backwards


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
    since, start = times.unix(midnight), times.iso(midnight)
    # of files that overlap the newer one counts: rows from `oldest` on are counted already
    oldest = within = "~"
    descriptor = host.open_to_read(path)
    try:
        for file in files_backwards(path, descriptor, size, []):
            file.most = MOST_UNPACKED_BYTES
            blocks = file.backwards()
            if not file.whole:
                return
            for block in blocks:
                rows = row.find(block.decode("latin-1"))
                for one in rows:
                    if one[0] >= oldest:  # not the end of what counts: one may be out of order
                        continue
                    if one[2] == row.MISSED:
                        before = max(0, (since - times.slot_unix(one[0])) // interval)
                        counts.setdefault(one[1], Count()).missed += max(0, row.slots(one) - before)
                    elif one[0] >= start:
                        counts.setdefault(one[1], Count()).recorded += 1
                within = rows[0][0] if rows else within
                yield
                if within < start:
                    return
            oldest = min(oldest, within)
    finally:
        os.close(descriptor)
