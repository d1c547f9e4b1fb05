"""A chunk: many rows in one piece of text, without comments, kept at one interval; and what cuts it."""

from collections.abc import Iterator, Sequence

from price.log.old import row


class Chunk:
    """Sorted rows with their line ends, and the seconds from slot to slot among them."""

    __slots__ = ("every", "rows")

    def __init__(self, rows: bytes, every: int) -> None:
        self.rows = rows
        self.every = every


def sums(block: bytes, every: int) -> list[Chunk]:
    """The rows of a block of lines, cut where `#` lines stand; the last chunk has the interval at its end."""
    if b"#" not in block:
        return [Chunk(block, every)]
    chunks: list[Chunk] = []
    at = 0
    while at < len(block):
        if block.startswith(b"#", at):
            end = block.find(b"\n", at) + 1 or len(block)
            every = row.every_of(block[at:end]) or every
        else:
            end = block.find(b"\n#", at) + 1 or len(block)
            chunks.append(Chunk(block[at:end], every))
        at = end
    return [*chunks, Chunk(b"", every)]


def only(rows: bytes, pairs: Sequence[bytes]) -> bytes:
    """The rows of some pairs. Counting first: mostly all rows are wanted, or none."""
    wanted = [b" %b " % pair for pair in pairs]
    count = sum(rows.count(pair) for pair in wanted)
    if count == rows.count(b"\n"):
        return rows
    if count == 0:
        return b""
    return b"".join(line for line in row.lines(rows) if any(pair in line for pair in wanted))


def long_rows(rows: bytes, at: int = 0, stop: int | None = None) -> Iterator[tuple[int, int]]:
    """Where, between two offsets, the rows with slots=N begin and end. Jumps to them, since they are few."""
    while (at := rows.find(b" slots=", at, stop)) >= 0:
        start = rows.rfind(b"\n", 0, at) + 1
        at = rows.index(b"\n", at) + 1
        yield start, at


def reaching(before: bytes, every: int, since: int, until: int | None) -> Chunk:
    """The missed rows that reach over `since`, clipped to it; `before` ends with the last row before it."""
    found = []
    for start, end in long_rows(before, before.rfind(b"\n# price-log 1 ") + 1):
        for line in row.lines(row.sound(before[start:end])):
            slot, slots = row.unix_of(line), row.slots_of(line)
            gone = -((slot - since) // every)  # slots before `since`, rounded up
            begin = slot + gone * every
            if slots > gone and (until is None or begin < until):
                found.append(row.cut(line, begin, slots - gone))
    return Chunk(b"".join(found), every)


def clipped(rows: bytes, every: int, until: int) -> bytes:
    """The rows, all before `until`, with those missed rows shortened that reach over it."""
    parts, done = [], 0
    for start, end in long_rows(rows):
        line = rows[start:end]
        if not row.is_sound(line):
            continue
        slot = row.unix_of(line)
        left = -((slot - until) // every)  # slots before `until`, rounded up
        if row.slots_of(line) > left:
            parts += [rows[done:start], row.cut(line, slot, left)]
            done = end
    return b"".join([*parts, rows[done:]]) if parts else rows


def priced(rows: bytes) -> bytes:
    """The rows without those that are missed. Jumps from dash to dash, since missed rows are few."""
    parts, done, at = [], 0, 0
    while (at := rows.find(b" - ", at)) >= 0:
        parts.append(rows[done : rows.rfind(b"\n", 0, at) + 1])
        done = at = rows.index(b"\n", at) + 1
    return b"".join([*parts, rows[done:]]) if parts else rows


def four_columns(rows: bytes) -> bytes:
    """The rows without what follows their fourth column: no `=` stands before that."""
    parts, done, at = [], 0, 0
    while (at := rows.find(b"=", at)) >= 0:
        parts.append(rows[done : rows.rfind(b" ", 0, at)])
        done = at = rows.index(b"\n", at)
    return b"".join([*parts, rows[done:]]) if parts else rows
