"""The log as one sorted sequence of rows: all its files, ranges of it, repairs merged.

    log = PriceLog("logs/prices.txt", ["BTC-USD"])
    for slot, pair, price, basis, extras in log.rows(since, until):     # Unix seconds; None: open
        ...
    sys.stderr.write(log.left.report())

`rows` yields each (slot, pair) once, in the order of slots; within a slot in the order of the file.
`blocks` yields the same in lists, each with the interval in force (a list holds about 1,200 rows), for
those who must be fast or need the interval. `row.py` reads what stands in a row.

- Files come from files.py, one is open at a time (two where their rows overlap). A range is found by
  binary search in plain files; packed ones are unpacked from their beginning, if they reach into it.
- Missed rows are clipped to the range. Repairs fill what the log lacks or missed, unless `live_only`.
- Of equal (slot, pair) the first counts. A row that is earlier than one before it in its file is left out,
  so that nothing that was said has to be taken back. What was left out is counted in `left`.
- Nothing that was appended after the log was opened is seen.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from operator import attrgetter, itemgetter

from price import times
from price.log import row
from price.log.file import File
from price.log.files import LogFile, find_again, log_files, repairs_file
from price.log.order import END, Block, LeftOut, in_order, once, sorted_blocks
from price.log.row import HEADER_START, Row, read_header

_slot = itemgetter(0)


class PriceLog:
    """A price log, as it is now: what is appended later is not seen. Files are open only while they are read.

    `pairs` (such as BTC-USD) limits it to these; none means all.
    Raises PriceError where there is no log, or where it cannot be read.
    """

    def __init__(self, path: str, pairs: Iterable[str] = (), *, live_only: bool = False) -> None:
        self.path = path
        self.pairs = frozenset(pairs)
        self.live_only = live_only
        self.left = LeftOut()
        self.unseen = set(self.pairs)
        """Those of `pairs` of which no row has come so far."""
        listed = log_files(path)
        self.repairs = None if live_only else repairs_file(path)
        if self.repairs and (self.repairs.fault or not self.repairs.first):
            listed.append(self.repairs)
            self.repairs = None
        self.left.files = {file.path: file.fault for file in listed if file.fault}
        self.files = [file for file in listed if file.first and not file.fault]

    def first(self) -> int | None:
        """The Unix time of the first row, repairs included; None for a log without rows."""
        slots = [file.first for file in filter(None, [*self.files, self.repairs])]
        return times.slot_unix(min(slots)) if slots else None

    def last(self) -> int | None:
        """The Unix time of the last row, repairs included; None for a log without rows."""
        slots = []
        for file in filter(None, [*self.files[-1:], self.repairs]):
            with file.opened() as opened:
                slots.append(opened.last())
        return times.slot_unix(max(slots)) if slots else None

    def behind_damage(self) -> int | None:
        """The Unix time of the first row after the damaged files that were needed; None without any."""
        damaged = [at for at, file in enumerate(self.files[:-1]) if file.path in self.left.damaged]
        return times.slot_unix(self.files[damaged[-1] + 1].first) if damaged else None

    def rows(self, since: int | None = None, until: int | None = None) -> Iterator[Row]:
        """The rows from the Unix time `since` up to, not including, `until`, in order."""
        return chain.from_iterable(rows for _, rows in self.blocks(since, until))

    def blocks(self, since: int | None = None, until: int | None = None) -> Iterator[Block]:
        """The same in lists of rows that have one interval."""
        files = [(file.first, self._of(file, since, until)) for file in self._reaching(since, until)]
        live = once(in_order(files), self.left)
        if self.repairs:
            from price.log.merge import merged  # most logs have no repairs

            live = merged(live, once(self._of(self.repairs, since, until), self.left))
        for every, found in live:
            rows = [one for one in found if one[1] in self.pairs] if self.pairs else found
            if self.unseen:
                self.unseen.difference_update(one[1] for one in rows)
            if rows:
                yield every, rows

    def pairs_between(self, since: int | None, until: int | None) -> set[str]:
        """The pairs that have rows in a range, and perhaps some near its edges.

        Rows of few pairs are counted rather than read: 0.5 s for a year.
        """
        found: set[str] = set()
        start, end = _edges(since, until)
        for file in filter(None, [*self._reaching(since, until), self.repairs]):
            with suppress(OSError), file.opened() as opened:
                for text in opened.since(start)[1]:
                    named = sum(text.count(f" {pair} ".encode()) for pair in found) if len(found) < 9 else 0
                    if named != text.count(b"\n"):
                        found.update(one[1] for one in row.find(text.decode("latin-1")) if one[0] < end)
                    if text[: row.SLOT_LENGTH].decode("latin-1") >= end:
                        break
        return found

    def _reaching(self, since: int | None, until: int | None) -> Iterator[LogFile]:
        """The files that may hold rows of a range."""
        start, end = _edges(since, until)
        for file in self.files:
            # a packed file ends where the next one begins that is no copy of it
            at = bisect_right(self.files, file.first, key=attrgetter("first"))
            ends = at < len(self.files) and self.files[at].first <= start
            if file.first < end and (not ends or (not file.packed and _last(file) >= start)):
                yield file

    def _of(self, file: LogFile, since: int | None, until: int | None) -> Iterator[Block]:
        """The rows of one file, in order; its doubles are still among them."""
        found: LogFile | None = file
        while found:
            try:
                with found.opened() as opened:
                    yield from file_blocks(opened, since, until, self.left)
                    if opened.damage:
                        self.left.damaged[found.path] = opened.damage
                    if opened.trailing:
                        self.left.files[found.path] = opened.trailing
                    found = None
            except FileNotFoundError:  # only ever before its first row
                found = find_again(self.path, file)
                if not found:
                    self.left.damaged[file.path] = "removed while the log was read"


def file_blocks(file: File, since: int | None, until: int | None, left: LeftOut) -> Iterator[Block]:
    """The rows of an open file from a Unix time up to, not including, another, in order."""
    start, end = _edges(since, until)
    every, texts = file.since(start)
    for interval, rows in sorted_blocks(_parsed(texts, every, left), end, left):
        found = rows
        if rows[0][0] < start or until is not None:
            begin, stop = (bisect_left(rows, edge, key=_slot) for edge in (start, end))
            # before the range only missed rows matter, which may reach into it
            parts = [_part(one, interval, since, until) for one in rows[:begin] if one[4]]
            parts += [_part(one, interval, since, until) if one[4] else one for one in rows[begin:stop]]
            found = sorted(filter(None, parts), key=_slot)
        if found:
            yield interval, found


def _part(one: Row, every: int, since: int | None, until: int | None) -> Row | None:
    """What of a row is in a range: of a missed one its slots there; None where nothing is."""
    unix, slots = times.slot_unix(one[0]), row.slots(one)
    before = 0 if since is None else max(0, -((unix - since) // every))  # rounded up, as below
    within = (slots if until is None else min(slots, -((unix - until) // every))) - before
    if within <= 0:
        return None
    return one if within == slots else row.cut(one, unix + before * every, within)


def _edges(since: int | None, until: int | None) -> tuple[str, str]:
    """A range as texts to compare slots with."""
    return (
        "" if since is None else times.slot_text(since),
        END if until is None else times.slot_text(until),
    )


def _parsed(texts: Iterable[bytes], every: int, left: LeftOut) -> Iterator[Block]:
    """The rows of blocks of text as they come."""
    for text in texts:
        for interval, rows in parsed(text.decode("latin-1"), every, left):
            every = interval
            if rows:
                yield every, rows


def parsed(text: str, every: int, left: LeftOut) -> Iterator[Block]:
    """The rows of some lines, parted where a header changes the interval; the last part may have none."""
    rows = row.find(text)
    missing = text.count("\n") - len(rows)
    if not missing:
        yield every, rows
    elif not text.startswith(HEADER_START) and f"\n{HEADER_START}" not in text:
        left.lines += missing - text.startswith("#") - text.count("\n#")
        yield every, rows
    else:
        yield from _by_header(text, every, left)


def _by_header(text: str, every: int, left: LeftOut) -> Iterator[Block]:
    lines: list[str] = []
    for line in text.split("\n")[:-1]:
        header = read_header(line)
        if header:
            yield from parsed("".join(lines), every, left)
            lines, every = [], header.every
        elif not line.startswith("#"):
            lines.append(f"{line}\n")
    yield from parsed("".join(lines), every, left)


def _last(file: LogFile) -> str:
    """The slot of a plain file's last row; one beyond all where it has another name by now."""
    try:
        with file.opened() as opened:
            return opened.last()
    except OSError:
        return END
