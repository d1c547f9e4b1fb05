"""What another recorder's log has: its live rows, and those that its own journal returned to it.

A recorder that differs from ours about what both saw is not believed about what we did not see.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from price import times
from price.backfill.missing import NEAR_SECONDS, Missing, spans
from price.backfill.provider import Work
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
_HOUR_LENGTH = len("2026-11-20T15")
_NONE: tuple[str, dict["Key", str]] = ("~", {})
"""An hour after all others."""
Key = tuple[str, str]
"""Slot and pair, as in rows."""


class Peer:
    """Another recorder's log, and where it and ours differ by over `spread` percent."""

    by = "peer"

    def __init__(self, path: str, log: str, pairs: Sequence[str], spread: Decimal) -> None:
        """Raises PriceError for a path that is no other log."""
        if Path(path).resolve() == Path(log).resolve():
            raise PriceError(f"{path}: this is the log itself: --from names another recorder's")
        try:
            self._theirs, self._compared = PriceLog(path, pairs), PriceLog(path, pairs)
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

    def compare(self, since: int | None, until: int | None) -> None:
        """Compares what both saw, in a range and an hour around it. Both logs are read through, none held."""
        begin = None if since is None else since - NEAR_SECONDS
        end = None if until is None else until + NEAR_SECONDS
        inside = (
            times.slot_text(since) if since is not None else "",
            times.slot_text(until) if until is not None else "~",
        )
        for ours, theirs in _same_hours(self._ours.rows(begin, end), self._compared.rows(begin, end)):
            common = ours.keys() & theirs.keys()
            hour = times.slot_unix(next(iter(common))[0]) // _HOUR if common else 0
            self._common.update((pair, hour) for _, pair in common)
            for key in sorted(key for key in common if ours[key] != theirs[key]):
                percent = _percent_apart(ours[key], theirs[key])
                if percent <= self._spread:
                    continue
                self._differing[key[1], hour] += 1
                if not inside[0] <= key[0] < inside[1]:
                    continue
                self._differing_inside += 1
                if len(self._examples) < _MOST_TOLD:
                    what = f"{ours[key]} here, {theirs[key]} there, {percent:.2f} % apart"
                    self._examples.append(f"{key[0]} {key[1]}: {what}: not changed")

    def fetch(self, missing: Missing, work: Work) -> Iterator[Row]:
        for since, until in spans(((slot, one.every) for slot, one in missing.items()), _APART_SECONDS):
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
            work.progress(until)

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
        yield from (f"{self._path}: {line}" for line in self._compared.left.report().splitlines())


def _same_hours(
    ours: Iterable[Row], theirs: Iterable[Row]
) -> Iterator[tuple[dict[Key, str], dict[Key, str]]]:
    """The prices of both logs in the hours that both have."""
    left, right = _hours(ours), _hours(theirs)
    hour, prices = next(left, _NONE)
    for their_hour, their_prices in right:
        while hour < their_hour:
            hour, prices = next(left, _NONE)
        if hour == their_hour:
            yield prices, their_prices


def _hours(rows: Iterable[Row]) -> Iterator[tuple[str, dict[Key, str]]]:
    """The prices that a recorder saw itself, hour by hour."""
    for hour, group in groupby(rows, key=lambda one: one[0][:_HOUR_LENGTH]):
        yield hour, {one[:2]: one[2] for one in group if _first_hand(one)}


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
