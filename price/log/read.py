"""The log as one sorted sequence of rows: all its files, ranges of it, repairs merged.

    log = PriceLog("logs/prices.txt", ["BTC-USD"])
    for slot, pair, price, basis, extras in log.rows(since, until):     # Unix seconds; None: open
        ...
    sys.stderr.write(log.left.report())

`rows` yields each (slot, pair) once, in the order of slots; within a slot in the order of the file.
`blocks` yields the same in lists, each with the interval in force (a list holds about 1,200 rows), for
those who must be fast or need the interval. `row.py` reads what stands in a row; `quotes.py` makes a Quote.

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
        slots = [file.first for file in self._all()]
        return times.slot_unix(min(slots)) if slots else None

    def last(self) -> int | None:
        """The Unix time of the last row, repairs included; None for a log without rows."""
        slots = []
        for file in [*self.files[-1:], *([self.repairs] if self.repairs else [])]:
            with file.opened() as opened:
                slots.append(opened.last())
        return times.slot_unix(max(slots)) if slots else None

    def behind_damage(self) -> int | None:
        """The Unix time of the first row after the damaged files that were needed; None without any."""
        damaged = [at for at, file in enumerate(self.files[:-1]) if file.path in self.left.damaged]
        return times.slot_unix(self.files[damaged[-1] + 1].first) if damaged else None

    def _all(self) -> list[LogFile]:
        return [*self.files, *([self.repairs] if self.repairs else [])]

    def rows(self, since: int | None = None, until: int | None = None) -> Iterator[Row]:
        """The rows from the Unix time `since` up to, not including, `until`, in order."""
        return chain.from_iterable(rows for _, rows in self.blocks(since, until))

    def blocks(self, since: int | None = None, until: int | None = None) -> Iterator[Block]:
        """The same in lists of rows that have one interval."""
        live = self._live(since, until)
        if self.repairs:
            from price.log.merge import merged  # most logs have no repairs

            end = times.slot_text(until) if until is not None else END
            live = merged(live, once(self._of(self.repairs, since, end), self.left))
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
        end = times.slot_text(until) if until is not None else END
        for file in [*self._reaching(since), *([self.repairs] if self.repairs else [])]:
            with suppress(OSError), file.opened() as opened:
                for text in opened.since("" if since is None else times.slot_text(since))[2]:
                    named = sum(text.count(f" {pair} ".encode()) for pair in found) if len(found) < 9 else 0
                    if named != text.count(b"\n"):
                        found.update(one[1] for one in row.find(text.decode("latin-1")) if one[0] < end)
                    if text[: row.SLOT_LENGTH].decode("latin-1") >= end:
                        break
        return found

    def _live(self, since: int | None, until: int | None) -> Iterator[Block]:
        """The rows of prices.txt and its siblings alone, each slot and pair once."""
        end = times.slot_text(until) if until is not None else END
        files = [file for file in self._reaching(since) if file.first < end]
        blocks = in_order([(file.first, self._of(file, since, end)) for file in files])
        for every, rows in once(blocks, self.left):
            yield every, rows if until is None else [_clipped(one, every, until) for one in rows]

    def _reaching(self, since: int | None) -> Iterator[LogFile]:
        """The files that may hold rows from a time on."""
        start = times.slot_text(since) if since is not None else ""
        for file in self.files:
            # a packed file ends where the next one begins that is no copy of it
            at = bisect_right(self.files, file.first, key=attrgetter("first"))
            ends = at < len(self.files) and self.files[at].first <= start
            if not ends or (not file.packed and _last(file) >= start):
                yield file

    def _of(self, file: LogFile, since: int | None, end: str) -> Iterator[Block]:
        """The rows of one file, in order; its doubles are still among them."""
        found: LogFile | None = file
        while found:
            try:
                with found.opened() as opened:
                    yield from file_blocks(opened, since, end, self.left)
                    if opened.damage:
                        self.left.damaged[found.path] = opened.damage
                    if opened.trailing:
                        self.left.files[found.path] = opened.trailing
                    found = None
            except FileNotFoundError:  # only ever before its first row
                found = find_again(self.path, file)
                if not found:
                    self.left.damaged[file.path] = "removed while the log was read"


def file_blocks(file: File, since: int | None, end: str, left: LeftOut) -> Iterator[Block]:
    """The rows of an open file from a Unix time up to the slot `end`, in order."""
    start = "" if since is None else times.slot_text(since)
    before, every, texts = file.since(start)
    if since is not None and (reaching := _reaching_over(_long_rows(before), every, since, end)):
        yield every, reaching
    for interval, found in sorted_blocks(_parsed(texts, every, left), end, left):
        rows = found
        if since is not None and rows[0][0] < start:  # where a row before the range is out of order
            at = bisect_left(rows, start, key=_slot)
            rows = sorted([*_reaching_over(rows[:at], interval, since, end), *rows[at:]], key=_slot)
        behind = bool(rows) and rows[-1][0] >= end
        if behind:
            rows = rows[: bisect_left(rows, end, key=_slot)]
        if rows:
            yield interval, rows
        if behind:
            return


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


def _long_rows(before: bytes) -> Iterator[Row]:
    """The rows of several slots in the last segment of some lines."""
    at = before.rfind(f"\n{HEADER_START}".encode()) + 1
    while (at := before.find(b" slots=", at)) >= 0:
        start, at = before.rfind(b"\n", 0, at) + 1, before.find(b"\n", at) + 1
        yield from row.find(before[start:at].decode("latin-1"))


def _reaching_over(rows: Iterable[Row], every: int, since: int, end: str) -> list[Row]:
    """Of rows before `since` those that reach over it, clipped to it."""
    found = []
    for one in rows:
        gone = -((times.slot_unix(one[0]) - since) // every)  # slots before `since`, rounded up
        begin = times.slot_unix(one[0]) + gone * every
        if row.slots(one) > gone and times.slot_text(begin) < end:
            found.append(row.cut(one, begin, row.slots(one) - gone))
    return sorted(found, key=_slot)


def _clipped(one: Row, every: int, until: int) -> Row:
    """A row, shortened where it reaches over `until`."""
    if one[2] != row.MISSED or not one[4] or not every:
        return one
    unix = times.slot_unix(one[0])
    left = -((unix - until) // every)  # slots before `until`, rounded up
    return row.cut(one, unix, left) if row.slots(one) > left else one


def _last(file: LogFile) -> str:
    """The slot of a plain file's last row; one beyond all where it has another name by now."""
    try:
        with file.opened() as opened:
            return opened.last()
    except OSError:
        return END
