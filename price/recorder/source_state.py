"""One source at the poller: what to ask it in a slot, and what its answers mean for the slots to come."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from price import times
from price.errors import RateLimited, SourceError, Timeout, Unavailable, UnknownPair, Unreachable
from price.log import line
from price.model import Pair, Reading
from price.recorder.backoff import Backoff
from price.recorder.token_bucket import TokenBucket
from price.recorder.workers import Outcome
from price.sources.base import Source
from price.wire import Request

ASIDE_SECONDS = 3600.0
_REACH_BITS = 0xFF
_NO_NETWORK = (Unreachable, Timeout)
_GAP_WORTH_SAVING_SECONDS = 60


@dataclass(slots=True)
class Tally:
    """What `status` shows of a source since the recorder started."""

    requests: int = 0
    failures: int = 0
    reach: int = 0
    """A bit for each of the last 8 slots, the newest lowest; set where the source gave a price."""
    seconds: float = 0.0
    """How long its last answer took."""


class SourceState:
    """Keeps one source's manners, the pairs it does not know, and the answers that are outstanding.

    Times called `now` are monotonic seconds.
    """

    def __init__(self, source: Source, url: str = "") -> None:
        self.source = source
        self.url = url
        """Where it is asked: another host deserves manners of its own."""
        self.name = source.name
        self.rests = Backoff()
        self.tally = Tally()
        self.outstanding = 0
        self.unreached = False
        """Whether nothing of it could be reached when it was last asked."""
        self.changed = False
        """Whether something changed that must survive a restart."""
        self._bucket = TokenBucket(source.burst, source.per_second)
        self._aside: dict[Pair, float] = {}
        self._suspects: set[Pair] = set()
        self._hunting = False
        self._next_slot = times.EPOCH
        self._queue: deque[Request] = deque()
        self._readings: dict[Pair, Reading] = {}
        self._waiting: set[Pair] = set()
        self._errors: list[SourceError] = []

    def open(self, slot: datetime, pairs: Sequence[Pair], now: float) -> None:
        """Begins a slot: what is not asked gets its reading at once, the rest is queued."""
        self._readings, self._errors = {}, []
        silent = self._silent(slot, now)
        for pair in pairs:
            if silent:
                self._settle(pair, why=silent)
            elif self._is_aside(pair, now):
                self._settle(pair, why=UnknownPair.why, detail="set aside: the source does not know it")
        asked = [pair for pair in pairs if pair not in self._readings]
        self._waiting = set(asked)
        if asked:
            self._enqueue(asked)
            self._next_slot = slot + timedelta(seconds=self.source.gap_seconds)
            self.changed |= self.source.gap_seconds >= _GAP_WORTH_SAVING_SECONDS

    @property
    def done(self) -> bool:
        """Whether nothing more is to come in this slot."""
        return not self._waiting

    def due(self, now: float) -> float | None:
        """When the next queued request may go; None where none is queued."""
        return self._bucket.due(now) if self._queue else None

    def take(self, now: float) -> Request:
        """The queued request that goes now."""
        self._bucket.spend(now)
        self.outstanding += 1
        self.tally.requests += 1
        return self._queue.popleft()

    def hear(self, outcome: Outcome, now: float) -> Pair | None:
        """Takes an outcome of this slot; gives the pair that the source has just said it does not know."""
        self._free()
        self.tally.seconds = outcome.seconds
        self.tally.failures += outcome.error is not None
        if isinstance(outcome.error, UnknownPair) and not (self._hunting and len(outcome.request.pairs) > 1):
            return self._unknown(outcome.request.pairs, outcome.error, now)
        for pair in outcome.request.pairs:
            told = outcome.error or outcome.ticks[pair]
            if isinstance(told, SourceError):
                self._errors.append(told)
                self._settle(pair, why=told.why, detail=str(told), seconds=outcome.seconds)
            else:
                self._settle(pair, price=told.price, time=told.time, seconds=outcome.seconds)
        if outcome.error is None:
            self._suspects.difference_update(outcome.request.pairs)
            self._hunting = self._hunting and len(outcome.request.pairs) == 1
        return None

    def hear_late(self, outcome: Outcome) -> SourceError | None:
        """Takes an outcome of an earlier slot: it frees the source; only a plea for rest counts."""
        self._free()
        return next(_pleas([outcome.error]), None)

    def close(self, timeout: float) -> SourceError | None:
        """Ends a slot; gives the failure that the source's manners are about, if there is one."""
        self._queue.clear()
        if self._waiting:
            self.tally.failures += self.outstanding
            self._errors.append(Timeout(f"no complete answer in {timeout:g} s"))
        for pair in list(self._waiting):
            self._settle(pair, why=Timeout.why, detail=str(self._errors[-1]), seconds=timeout)
        self.tally.reach = (self.tally.reach << 1 | self.good) & _REACH_BITS
        if self.good or self._errors:
            self.unreached = not self.good and all(isinstance(one, _NO_NETWORK) for one in self._errors)
        failure = None if self.good else next(iter(self._errors), None)
        return max(_pleas(self._errors), key=_plain_seconds, default=failure)

    @property
    def good(self) -> bool:
        """Whether it gave a price in this slot."""
        return any(not reading.why for reading in self._readings.values())

    def reading(self, pair: Pair) -> Reading:
        """What it gave for a pair in this slot."""
        return self._readings[pair]

    def saved(self, now: float) -> dict[str, Any]:
        """What must survive a restart."""
        aside = {str(pair): round(until - now, 3) for pair, until in self._aside.items() if until > now}
        return {
            "url": self.url,
            **self.rests.saved(now),
            "aside_seconds": aside,
            "next_slot": times.iso(self._next_slot),
        }

    def restore(self, saved: Mapping[str, Any], now: float, elapsed: float, wall: datetime) -> None:
        """Goes on as saved `elapsed` seconds ago. Raises KeyError, TypeError or ValueError for rubbish."""
        rests = Backoff.restored(saved, now, elapsed)
        next_slot = times.parse_iso(saved["next_slot"])
        aside = {
            line.read_pair(pair): now + float(seconds) - elapsed
            for pair, seconds in saved["aside_seconds"].items()
        }
        self.rests, self._aside = rests, aside
        # a clock that was wrong when this was saved must not silence the source for longer than its gap
        self._next_slot = min(next_slot, wall + timedelta(seconds=self.source.gap_seconds))

    def _free(self) -> None:
        """Notes that an answer has come; one of before a reload may not be counted any more."""
        self.outstanding = max(0, self.outstanding - 1)

    def _silent(self, slot: datetime, now: float) -> str:
        """The word for a source that is not asked in this slot."""
        if self.outstanding:
            return "busy"
        return "resting" if now < self.rests.until or slot < self._next_slot else ""

    def _is_aside(self, pair: Pair, now: float) -> bool:
        if pair in self._aside and now >= self._aside[pair]:
            del self._aside[pair]
            self._suspects.add(pair)  # asked alone: it would spoil the answer for the others again
        return pair in self._aside

    def _enqueue(self, asked: Sequence[Pair]) -> None:
        together = [pair for pair in asked if pair not in self._suspects]
        if together:
            self._queue.extend(self.source.requests(together))
        for pair in asked:
            if pair in self._suspects:
                self._queue.extend(self.source.requests([pair]))

    def _unknown(self, pairs: Sequence[Pair], error: UnknownPair, now: float) -> Pair | None:
        """Sets the one unknown pair aside; where several were asked at once, asks pair by pair, once."""
        self._hunting = len(pairs) > 1
        if self._hunting:
            self._suspects.update(pairs)
            self._enqueue(pairs)
            return None
        self._suspects.discard(pairs[0])
        self._aside[pairs[0]] = now + ASIDE_SECONDS
        self._settle(pairs[0], why=error.why, detail=str(error))
        self.changed = True
        return pairs[0]

    def _settle(self, pair: Pair, **known: Any) -> None:
        self._readings[pair] = Reading(self.name, **known)
        self._waiting.discard(pair)


def _plain_seconds(plea: SourceError) -> int:
    """The rest that a plea asks for, where it gives a number of seconds: the longest binds."""
    text = plea.retry_after
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _pleas(errors: Iterable[SourceError | None]) -> Iterator[SourceError]:
    """Those errors that ask for fewer requests, which counts even beside good answers."""
    for error in errors:
        if isinstance(error, RateLimited) or (isinstance(error, Unavailable) and error.retry_after):
            yield error
