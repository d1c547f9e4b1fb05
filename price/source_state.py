"""What is remembered of one source from slot to slot, most of it over a restart, too."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from price import times
from price.backoff import HOUR_SECONDS, TROUBLE_SECONDS, Backoff, TokenBucket, asked_for_seconds
from price.counters import Tally
from price.errors import SourceError
from price.events import NOTICE, Event, log_source_event
from price.log import row
from price.model import Pair, Request
from price.sources.base import Source
from price.wire import excerpt

ASIDE_SECONDS = 3600.0
_REACH_BITS = 0xFF
_GAP_WORTH_SAVING = timedelta(minutes=1)


class UnknownPairs:
    """Finds the pairs that an exchange does not know, and sets them aside for an hour.

    Some exchanges refuse a whole request because of one pair in it, and do not name it. Then each pair
    of the request is asked for alone, in the same slot: the one that is refused again is set aside, the
    others have their price. While that goes on (`probing`), another refused batch does not begin it again: an
    exchange that refuses every batch although it knows each pair would else be asked ever more often. A good
    answer to a batch ends it. A pair whose hour is over is asked for alone at first, since it would spoil the
    answer for the others again.
    """

    def __init__(self) -> None:
        self.aside: dict[Pair, float] = {}
        """Until when (monotonic seconds) pairs are not asked for."""
        self._alone: set[Pair] = set()
        self._probing = False

    def is_aside(self, pair: Pair, now: float) -> bool:
        """Whether the pair is not to be asked for now."""
        if pair in self.aside and now >= self.aside[pair]:
            del self.aside[pair]
            self._alone.add(pair)
        return pair in self.aside

    def groups(self, pairs: Sequence[Pair]) -> list[list[Pair]]:
        """The pairs by how they may be asked for: those that are asked together, then those asked alone."""
        together = [pair for pair in pairs if pair not in self._alone]
        return [*([together] if together else []), *([pair] for pair in pairs if pair in self._alone)]

    def probes(self, pairs: Sequence[Pair]) -> bool:
        """Whether a refused request is to be asked again pair by pair; from then on it is."""
        if len(pairs) == 1 or self._probing:
            return False
        self._probing = True
        self._alone.update(pairs)
        return True

    def set_aside(self, pair: Pair, now: float) -> None:
        """Notes that the source does not know a pair that was asked for alone."""
        self._probing = False
        self._alone.discard(pair)
        self.aside[pair] = now + ASIDE_SECONDS

    def answered(self, pairs: Sequence[Pair]) -> None:
        """Notes a good answer to a request for these pairs."""
        self._alone.difference_update(pairs)
        self._probing = self._probing and len(pairs) == 1


class SourceState:
    """One source: its backoff, the pairs that it does not know, and the answers that are outstanding.

    Times called `now` are monotonic seconds.
    """

    def __init__(self, source: Source, url: str = "") -> None:
        self.source = source
        self.url = url
        """Where it is asked: for another host all begins afresh."""
        self.name = source.name
        self.backoff = Backoff()
        self.bucket = TokenBucket(source.burst, source.per_second)
        self.unknown = UnknownPairs()
        self._gap = timedelta(seconds=source.gap_seconds)
        self.next_slot = times.EPOCH
        """Not to be asked in earlier slots: some sources have a limit of their own."""
        self.tally = Tally()
        self.outstanding = 0
        self._first_slot = datetime.max.replace(tzinfo=UTC)
        """Before it nothing was asked of it; what comes of an earlier slot is another host's answer."""
        self.unreached = False
        """Whether nothing of it could be reached when it was last asked."""
        self.changed = False
        """Whether something changed that must survive a restart."""

    def follow(self, source: Source) -> None:
        """Goes on with the symbols that the operator now names: pairs that it did not know may be known."""
        if source.tickers != self.source.tickers:
            self.source = source
            self.unknown = UnknownPairs()
            self.changed = True

    def silent(self, slot: datetime, now: float) -> str:
        """The word for a source that is not asked in a slot; empty where it is."""
        if self.outstanding:
            return "busy"
        # a next slot that is farther away than its gap was set by a clock that was wrong since
        waits = slot < self.next_slot <= slot + self._gap
        return "resting" if now < self.backoff.until or waits else ""

    def rests_until(self, now: float, wall: datetime) -> datetime | None:
        """When it is asked again, if it rests or is retired; `wall` is the time of day."""
        if self.backoff.until > now:
            return wall + timedelta(seconds=self.backoff.until - now)
        return self.next_slot if wall < self.next_slot <= wall + self._gap else None

    def begin(self, slot: datetime) -> None:
        """Notes that it is asked in a slot."""
        self._first_slot = min(self._first_slot, slot)
        self.next_slot = slot + self._gap
        self.changed |= self._gap >= _GAP_WORTH_SAVING

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        """What to ask for these pairs."""
        return [one for group in self.unknown.groups(pairs) for one in self.source.requests(group)]

    def sent(self, now: float) -> None:
        """Notes a request that goes now."""
        self.bucket.spend(now)
        self.outstanding += 1
        self.tally.requests += 1

    def was_asked_in(self, slot: datetime) -> bool:
        """Whether an outcome of a slot can be its own: after a reload it may be at another host."""
        return slot >= self._first_slot

    def answered(self) -> None:
        """Notes that an outcome has come; one from before a reload may not be counted any more."""
        self.outstanding = max(0, self.outstanding - 1)

    def good(self) -> None:
        """Forgets failures after a good answer."""
        fresh = Backoff()
        self.changed |= self.backoff != fresh
        self.backoff = fresh

    def failed(self, failure: SourceError, now: float, wall: datetime, jitter: float) -> None:
        """Backs off after a failure, and logs what an operator should know; `wall` is the time of day."""
        before, self.changed = self.backoff, True
        self.backoff = before.after(failure, now, asked_for_seconds(failure, wall), jitter)
        again = f"asked again every {times.span(HOUR_SECONDS)}"
        if self.backoff.retired and not before.retired:
            text = f"retired: no good answer for {times.span(TROUBLE_SECONDS)} ({failure}); {again}"
            log_source_event(Event.SOURCE_RETIRED, NOTICE, self.name, text)
        elif self.backoff.long and not before.long:
            asked = f"Retry-After: {excerpt(failure.retry_after)}"
            text = f"asks for a rest of over an hour ({asked}); {again}"
            log_source_event(Event.LONG_REST, NOTICE, self.name, text)

    def set_aside(self, pair: Pair, now: float) -> None:
        """Does not ask for a pair any more, which it does not know, and logs that."""
        self.changed = True
        self.unknown.set_aside(pair, now)
        text = f"does not know {pair}: set aside, asked again in {times.span(ASIDE_SECONDS)}"
        log_source_event(Event.PAIR_ASIDE, NOTICE, self.name, text)

    def end(self, *, good: bool) -> None:
        """Notes the end of a slot, and whether it gave a price in it."""
        self.tally.reach = (self.tally.reach << 1 | good) & _REACH_BITS

    def saved(self, now: float) -> dict[str, Any]:
        """What must survive a restart."""
        aside = {
            str(pair): round(until - now, 3) for pair, until in self.unknown.aside.items() if until > now
        }
        return {
            "url": self.url,
            **self.backoff.saved(now),
            "aside_seconds": aside,
            "next_slot": times.iso(self.next_slot),
        }

    def restore(self, saved: Mapping[str, Any], now: float, elapsed: float, wall: datetime) -> None:
        """Goes on as saved `elapsed` seconds ago. Raises KeyError, TypeError or ValueError for rubbish."""
        backoff = Backoff.restored(saved, now, elapsed)
        next_slot = times.parse_iso(saved["next_slot"])
        aside = {
            row.read_pair(pair): now + float(seconds) - elapsed
            for pair, seconds in saved["aside_seconds"].items()
        }
        self.backoff, self.unknown.aside = backoff, aside
        # a clock that was wrong when this was saved must not silence the source for longer than its gap
        self.next_slot = min(next_slot, wall + self._gap)
