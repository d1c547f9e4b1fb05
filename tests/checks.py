"""What must hold of every prices.txt, whatever happened while it was written."""

from datetime import datetime, timedelta
from pathlib import Path

from price import line, times
from price.quote import Pair, Quote


def sound(path: Path) -> list[Quote]:
    """The rows of a log, after proving its form, its order, and the arithmetic of its slots."""
    text = path.read_text("ascii")
    assert text.endswith("\n")
    lines = text.splitlines()
    assert line.read_header(lines[0]) is not None, "the first line is a header"
    rows: list[Quote] = []
    interval = 0
    last: dict[Pair, datetime] = {}
    for one in lines:
        if one.startswith("#"):
            header = line.read_header(one)
            if header is not None:
                if header == interval:
                    last = {}  # a new sum after a pair's absence, or in a replaced file
                interval = header
            continue
        row = line.read(one)
        assert times.slot_of(row.slot, interval) == row.slot, f"{one}: not on the grid"
        assert not rows or row.slot >= rows[-1].slot, f"{one}: not sorted"
        if row.pair in last:
            assert row.slot == times.next_slot(last[row.pair], interval), (
                f"{one}: slots before it unaccounted"
            )
        last[row.pair] = row.slot + timedelta(seconds=interval) * (row.slots - 1)
        rows.append(row)
    assert len({(row.slot, row.pair) for row in rows}) == len(rows), "a row stands twice"
    return rows
