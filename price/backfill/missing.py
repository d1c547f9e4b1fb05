"""Which slots of a log have no live row with a price, between the first and the last row of each pair."""

from collections.abc import Iterable, Iterator, Sequence
from math import lcm

from price.backfill.gap import Missing, Stretch
from price.log.old import row
from price.log.old.chunk import Chunk, only
from price.log.old.pricelog import PriceLog

_LOOK_BACK_SECONDS = 60
"""Read before a range: so much of a stretch tells whether it is long."""
MOST_SLOTS = 50_000
"""About how many missed slots are worked on at once: what is learnt of them is held in memory."""


class _Track:
    """A pair: up to where it is accounted for, and the missed stretch that may still grow."""

    def __init__(self) -> None:
        self.last = 0
        """Its last slot; 0 before the first row."""
        self.every = 1
        """A hole after it is made of slots that fit every interval since then."""
        self.open: Stretch | None = None


class Survey:
    """Reads rows in order, live ones only, and finds what is missed."""

    def __init__(self, pairs: Sequence[bytes] = ()) -> None:
        self.tracks: dict[bytes, _Track] = {}
        self._pairs = pairs

    def stretches(self, chunks: Iterable[Chunk]) -> Iterator[Stretch]:
        """The missed stretches, in the order of their ends."""
        for chunk in chunks:
            for track in self.tracks.values():
                track.every = lcm(track.every, chunk.every)
            if self._pairs:  # not left out before: other pairs' rows tell the interval that was in force
                chunk.rows = only(chunk.rows, self._pairs)
            for rows in _pieces(chunk.rows):
                yield from self._piece(rows, chunk.every)
        for track in self.tracks.values():
            yield from self._close(track)

    def _piece(self, rows: bytes, every: int) -> Iterator[Stretch]:
        """Goes on by a missed row, or by some with prices."""
        ends = self._ends(rows, every)
        for pair, first, last in ends or ():
            yield from self._row(pair, first, 1, every, missed=False)
            self.tracks[pair].last = last
        for text in row.lines(rows) if ends is None else ():
            pair, unix, slots = row.pair_of(text), row.unix_of(text), row.slots_of(text)
            yield from self._row(pair, unix, slots, every, missed=row.missed(text))

    def _ends(self, rows: bytes, every: int) -> list[tuple[bytes, int, int]] | None:
        """Each pair's first and last slot, where counting shows that none is missed in between."""
        found, left = [], rows.count(b"\n")
        if row.missed(rows):
            return None
        for pair in self.tracks:
            name = b" %b " % pair
            if count := rows.count(name):
                places = rows.find(name), rows.rfind(name)
                first, last = (row.unix_of(rows[at - row.SLOT_BYTES : at]) for at in places)
                if last - first != (count - 1) * every:
                    return None
                found.append((pair, first, last))
                left -= count
        return found if left == 0 else None

    def _row(self, pair: bytes, unix: int, slots: int, every: int, *, missed: bool) -> Iterator[Stretch]:
        track = self.tracks.setdefault(pair, _Track())
        if track.open and track.open.end > unix:  # only in a log that verify finds fault with
            track.open = track.open.between(None, unix)._replace(after=0)
        if track.last:
            hole = row.next_multiple(track.last, track.every)
            yield from self._missed(track, pair, hole, -((hole - unix) // track.every), track.every)
        if missed:
            yield from self._missed(track, pair, unix, slots, every)
        else:
            yield from self._close(track)
        track.last, track.every = max(track.last, unix + (slots - 1) * every), every

    def _missed(self, track: _Track, pair: bytes, start: int, slots: int, every: int) -> Iterator[Stretch]:
        if slots <= 0:
            return
        if track.open and track.open.end == start and track.open.every == every:
            track.open = track.open._replace(slots=track.open.slots + slots)
            return
        yield from self._close(track)
        track.open = Stretch(start, pair, slots, every)

    def _close(self, track: _Track) -> Iterator[Stretch]:
        if track.open and track.open.slots:
            yield track.open
        track.open = None


def _pieces(rows: bytes) -> Iterator[bytes]:
    """Missed rows, each by itself, and what lies between them."""
    at = 0
    while (dash := rows.find(b" - ", at)) >= 0:
        start, end = rows.rfind(b"\n", 0, dash) + 1, rows.index(b"\n", dash) + 1
        if start > at:
            yield rows[at:start]
        yield rows[start:end]
        at = end
    if at < len(rows):
        yield rows[at:]


def missed(path: str, pairs: Sequence[bytes], since: int | None, until: int | None) -> Iterator[Stretch]:
    """What is missed in a range of a log. Raises PriceError.

    It is read from a minute before `since` to its end: whether a pair that has no row in the range comes
    back is seen there.
    """
    survey = Survey(pairs)
    begin = None if since is None else max(0, since - _LOOK_BACK_SECONDS)
    with PriceLog(path, live_only=True) as log:
        chunks = log.chunks(begin)
        if begin is not None:
            chunks = _with_past(survey, path, pairs, begin, chunks)
        for stretch in survey.stretches(chunks):
            part = stretch.between(since, until)
            if part.slots:
                yield part


def _with_past(
    survey: Survey, path: str, pairs: Sequence[bytes], since: int, chunks: Iterator[Chunk]
) -> Iterator[Chunk]:
    """The chunks; of a pair whose first row may end a hole, the past is looked up before."""
    for chunk in chunks:
        for pair in _strangers(only(chunk.rows, pairs) if pairs else chunk.rows, survey.tracks):
            begin = row.unix_of(chunk.rows[chunk.rows.find(b" %b " % pair) - row.SLOT_BYTES :])
            if row.next_multiple(since - 1, chunk.every) < begin:
                survey.tracks |= _tracked(path, pair, begin)
        yield chunk


def _strangers(rows: bytes, known: Iterable[bytes]) -> set[bytes]:
    """The pairs in some rows that are not known."""
    if rows.count(b"\n") == sum(rows.count(b" %b " % pair) for pair in known):
        return set()
    return set(map(row.pair_of, row.lines(rows))).difference(known)


def _tracked(path: str, pair: bytes, until: int) -> dict[bytes, _Track]:
    """How far a pair was accounted for before a time, if it was recorded before."""
    ledger = Survey([pair])
    with PriceLog(path, live_only=True) as log:
        for _ in ledger.stretches(log.chunks(None, until)):
            pass
    return ledger.tracks


def batches(stretches: Iterable[Stretch], most: int = MOST_SLOTS) -> Iterator[Missing]:
    """Stretches in portions of about `most` slots."""
    portion: list[Stretch] = []
    slots = 0
    for stretch in stretches:
        for part in stretch.parts(-(-most // 5)):
            portion.append(part)
            slots += part.slots
            if slots >= most:
                yield Missing(portion)
                portion, slots = [], 0
    if portion:
        yield Missing(portion)
