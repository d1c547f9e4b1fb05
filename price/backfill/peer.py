"""What another recorder's log has: its live rows, and those that its own journal returned to it.

A recorder that differs from ours about what both saw is not believed about what we did not see.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from price import times
from price.backfill.missing import NEAR_SECONDS, Missing, moments, spans
from price.backfill.repair import Repair
from price.errors import PriceError
from price.log import row
from price.log.end import is_simulated
from price.log.read import PriceLog
from price.log.row import Row
from price.text import counted

_APART_SECONDS = 3600
_HOUR = 3600
_MOST_TOLD = 20
_TENTH = 10
"""One in so many of the common slots may differ."""
_slot = itemgetter(0)


class Peer:
    """Another recorder's log, and where it and ours differ by over `spread` percent."""

    by = "peer"

    def __init__(self, path: str, log: str, pairs: Sequence[str], spread: Decimal) -> None:
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
        self.simulated = is_simulated(Path(path))
        self._ours = PriceLog(log, pairs, live_only=True)
        self._path, self._spread = path, spread
        self._common = Counter[tuple[str, int]]()
        self._differing = Counter[tuple[str, int]]()
        """Slots that both have, and those of them with prices too far apart, by pair and hour."""
        self._examples: list[str] = []
        self._differing_inside = 0
        """How many of them lie in the range, and the first few."""
        self._refused = Counter[str]()
        self._left_out: list[str] = []
        """What was no row in all of the log that was compared: parts of it are read again later."""

    def compare(self, since: int | None, until: int | None) -> None:
        """Compares what both saw, in a range and an hour around it. Both logs are read through, none held."""
        begin = None if since is None else since - NEAR_SECONDS
        end = None if until is None else until + NEAR_SECONDS
        inside = moments(since, until)
        both = _in_both(self._ours.rows(begin, end), self._theirs.rows(begin, end))
        for slot, pair, ours, theirs in both:
            unix = times.slot_unix(slot)
            hour = unix // _HOUR
            self._common[pair, hour] += 1
            if ours == theirs or (percent := _percent_apart(ours, theirs)) <= self._spread:
                continue
            self._differing[pair, hour] += 1
            if unix in inside:
                self._differing_inside += 1
                if len(self._examples) < _MOST_TOLD:
                    what = f"{ours} here, {theirs} there, {percent:.2f} % apart"
                    self._examples.append(f"{slot} {pair}: {what}: not changed")
        self._left_out = self._theirs.left.report().splitlines()

    def fetch(self, missing: Missing, repair: Repair) -> Iterator[Row]:
        for since, until in spans(missing, _APART_SECONDS):
            for one in self._theirs.rows(since, until):
                unix = times.slot_unix(one[0])
                missed = missing.get((unix, one[1])) if _first_hand(one) else None
                if not missed:
                    continue
                begin, end = (side.slot if side else unix for side in (missed.before, missed.after))
                first, last = (begin - NEAR_SECONDS) // _HOUR, (end + NEAR_SECONDS) // _HOUR
                if self._believes(one[1], first, last):
                    yield _without_by(one)
                else:
                    self._refused[one[1]] += 1
            repair.progress(until)

    @lru_cache(100)  # noqa: B019 - one log is asked in a run
    def _believes(self, pair: str, first: int, last: int) -> bool:
        """Whether both agree about the hours around a gap, from one number of an hour to another."""
        hours = range(first, last + 1)
        differing = sum(self._differing[pair, hour] for hour in hours)
        return differing * _TENTH <= sum(self._common[pair, hour] for hour in hours)

    def notes(self) -> Iterator[str]:
        """What was not believed, where both differ, and what of the log was left out."""
        for pair, count in sorted(self._refused.items()):
            what = f"over {self._spread:f} % away in over a tenth of the slots around them that both have"
            yield f"{self._path}: {pair}: {counted(count, 'price')} not believed: it is {what}"
        yield from self._examples
        if self._differing_inside > _MOST_TOLD:
            yield f"and {self._differing_inside - _MOST_TOLD} more slots over {self._spread:f} % apart"
        yield from (f"{self._path}: {line}" for line in self._left_out)


def _in_both(ours: Iterable[Row], theirs: Iterable[Row]) -> Iterator[tuple[str, str, str, str]]:
    """Slot, pair and the two prices, where both recorders saw one themselves."""
    rows = filter(_first_hand, heapq.merge(ours, theirs, key=_slot))
    for slot, group in groupby(rows, key=_slot):
        prices: dict[str, str] = {}  # a merge has the rows of the first log first
        for _, pair, price, _, _ in group:
            if pair in prices:
                yield slot, pair, prices[pair], price
            prices[pair] = price


def _first_hand(one: Row) -> bool:
    """Whether a row has a price that the recorder saw: no candle's, nor another's."""
    return one[2] != row.MISSED and (not one[4] or row.extras(one).get("by") in (None, "journal"))


def _without_by(one: Row) -> Row:
    rest = "".join(f" {word}" for word in one[4].split(" ")[1:] if not word.startswith("by="))
    return (*one[:4], rest)


def _percent_apart(one: str, other: str) -> Decimal:
    """How far two prices are apart, in percent of their mean."""
    left, right = Decimal(one), Decimal(other)
    return 200 * abs(left - right) / (left + right)
