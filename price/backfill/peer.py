"""What another recorder's log has: its live rows, and those that its own journal gave back to it."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from price.backfill.agreed import Agreed
from price.backfill.gap import Missing, Slot
from price.backfill.provider import Work
from price.errors import PriceError
from price.log import line
from price.log.old import row
from price.log.old.pricelog import PriceLog
from price.report.options import Window

_APART_SECONDS = 3600
_MOST_TOLD = 20
Known = tuple[Slot, str]
"""A slot and columns 3 and 4 of its row."""


class Peer:
    """Another recorder's log, and where it and ours differ by over `spread` percent. Use it in a `with`."""

    by = "peer"

    def __init__(self, path: str, log: str, pairs: Sequence[bytes], asked: Window, spread: Decimal) -> None:
        """Raises PriceError for a path that is no other log."""
        if Path(path).resolve() == Path(log).resolve():
            raise PriceError(f"{path}: this is the log itself: --from names another recorder's")
        try:
            self._theirs = PriceLog(path, pairs)
        except PriceError as error:
            if Path(path).exists():
                raise PriceError(str(error).replace("--file", "--from")) from error
            known = "journal, exchange, or the path of another recorder's log"
            raise PriceError(f"--from {path}: there is no such file; it is one of {known}") from error
        self._log, self._pairs, self._spread, self._range = log, pairs, spread, (asked.since, asked.until)
        self._path = path
        self._disputed = self._dateless = 0

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self._theirs.__exit__()

    def learn(self, missing: Missing, work: Work) -> Iterator[Known]:
        for begin, end in missing.spans(_APART_SECONDS):
            found = Agreed()
            for slot, known in self._told(begin, end):
                if missing.every(slot):
                    found.hear(slot, known)
            self._disputed += found.disputed
            yield from found
            work.tell(end)

    def remarks(self) -> Iterator[str]:
        """What it says in two ways, slots that both have, with prices too far apart, and lines left out.

        Both logs are read through; neither is held.
        """
        if self._disputed:
            what = "slots that stay missing, since two of its rows differ about them"
            yield f"{self._path}: {what}: {self._disputed}; price verify --file names the rows"
        count, skipped = 0, self._theirs.skipped
        for key, ours, theirs in self._differing():
            percent = 200 * abs(ours - theirs) / (ours + theirs)
            if percent > self._spread:
                count += 1
                if count <= _MOST_TOLD:
                    what = f"{line.plain(ours)} here, {line.plain(theirs)} there, {percent:.2f} % apart"
                    yield f"{key.decode()}: {what}: not changed"
        if count > _MOST_TOLD:
            yield f"and {count - _MOST_TOLD} more slots over {self._spread:f} % apart"
        if left_out := self._dateless + self._theirs.skipped - skipped:
            what = "lines left out since they are no rows"
            yield f"{self._path}: {what}: {left_out}; price verify --file names them"

    def _told(self, since: int, until: int) -> Iterator[Known]:
        """The prices that the other recorder saw itself."""
        for chunk in self._theirs.chunks(since, until):
            for text in row.lines(chunk.rows):
                _, pair, price, sources = text.rstrip(b"\n").split(b" ")[:4]
                if price != b"-" and _first_hand(text):
                    try:
                        slot = row.unix_of(text), pair
                    except PriceError:  # no such day
                        self._dateless += 1
                        continue
                    yield slot, f"{price.decode()} {sources.decode()}"

    def _differing(self) -> Iterator[tuple[bytes, Decimal, Decimal]]:
        """Slot and pair, our price and theirs, where these may be too far apart."""
        most = float(self._spread) / 100 * 0.999  # floats tell most apart quickly
        with PriceLog(self._log, self._pairs, live_only=True) as log:
            theirs = self._theirs.chunks(*self._range)
            known: dict[bytes, bytes] = {}
            reached = b""
            for chunk in log.chunks(*self._range):
                ours, last = _prices(chunk.rows), row.last_slot(chunk.rows)
                while reached <= last and (more := next(theirs, None)):
                    reached = row.last_slot(more.rows)
                    found = _prices(more.rows)
                    known |= {key: found[key] for key in found if key in ours or key > last}
                for key in filter(known.__contains__, ours):
                    one, other = float(ours[key]), float(known[key])
                    if abs(one - other) > most * (one + other) / 2:
                        yield key, Decimal(ours[key].decode()), Decimal(known[key].decode())
                known = {key: known[key] for key in known if key > last}


def _prices(rows: bytes) -> dict[bytes, bytes]:
    """The same by slot and pair."""
    found = {}
    for text in rows.split(b"\n")[:-1]:
        slot, pair, price, rest = text.split(b" ", 3)
        if price != b"-" and _first_hand(rest):
            found[slot + b" " + pair] = price
    return found


def _first_hand(text: bytes) -> bool:
    """Whether a row is no repair, or gave back what the recorder had seen: no candle, nor another's row."""
    return b" by=" not in text or b" by=journal" in text
