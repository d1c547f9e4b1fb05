"""What another recorder's log has: its live rows, and those that its own journal gave back to it."""

from collections.abc import Iterator
from decimal import Decimal
from heapq import merge
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from price.errors import PriceError
from price.reader import row
from price.reader.pricelog import PriceLog
from price.repair.stretch import Missing, Slot
from price.repair.teacher import Tell

_APART_SECONDS = 3600
_MOST_TOLD = 20
Known = tuple[Slot, str]
"""A slot and columns 3 and 4 of its row."""


class Peer:
    """Another recorder's log, and where it and ours differ by over `spread` percent. Use it in a `with`."""

    by = "peer"

    def __init__(self, path: str, log: str, spread: Decimal, since: int | None, until: int | None) -> None:
        """Raises PriceError for a path that is no other log."""
        if Path(path).resolve() == Path(log).resolve():
            raise PriceError(f"{path}: this is the log itself: --from names another recorder's")
        self._theirs = PriceLog(path)
        self._log, self._spread, self._range = log, spread, (since, until)

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self._theirs.__exit__()

    def learn(self, missing: Missing, tell: Tell) -> Iterator[Known]:
        for begin, end in missing.spans(_APART_SECONDS):
            yield from _told(self._theirs, begin, end)
            tell(end)

    def remarks(self) -> Iterator[str]:
        """Slots that both have, with prices too far apart. Both logs are read through; neither is held."""
        count = 0
        for (unix, pair), ours, theirs in self._shared():
            one, other = (Decimal(known.partition(" ")[0]) for known in (ours, theirs))
            if 200 * abs(one - other) > self._spread * (one + other):
                count += 1
                if count <= _MOST_TOLD:
                    percent = 200 * abs(one - other) / (one + other)
                    place = f"{row.text_of(unix)} {pair.decode()}"
                    yield f"{place}: {ours} here, {theirs} there: {percent:.2f} % apart, nothing is changed"
        if count > _MOST_TOLD:
            yield f"and {count - _MOST_TOLD} more slots over {self._spread:f} % apart"

    def _shared(self) -> Iterator[tuple[Slot, str, str]]:
        with PriceLog(self._log, live_only=True) as log:
            both = (_told(log, *self._range), _told(self._theirs, *self._range))
            # rows of both in the order of slots and pairs, ours before theirs
            rows = merge(*map(_ordered, both), key=itemgetter(0))
            for slot, said in groupby(rows, key=itemgetter(0)):
                known = [one for _, one in said]
                if len(known) == 2:
                    yield slot, *known


def _told(log: PriceLog, since: int | None, until: int | None) -> Iterator[Known]:
    """The prices that a log's recorder saw itself; what it has from others or from candles is left out."""
    for chunk in log.chunks(since, until):
        for text in row.lines(chunk.rows):
            if not row.missed(text) and (b" by=" not in text or b" by=journal" in text):
                _, pair, price, sources = text.decode("ascii").rstrip("\n").split(" ")[:4]
                yield (row.unix_of(text), pair.encode()), f"{price} {sources}"


def _ordered(known: Iterator[Known]) -> Iterator[Known]:
    """The rows of each slot by their pairs: two logs may keep different orders."""
    for _, rows in groupby(known, key=lambda one: one[0][0]):
        yield from sorted(rows)
