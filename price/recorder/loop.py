"""The spine: wait for the slot, ask, choose, log, flush. It knows protocols, no systems and no files."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from price import events, times
from price.choose import Memory, Rules, choose
from price.model import Pair, Quote, Reading
from price.recorder.clock import PULSE_SECONDS, Clock, Signal
from price.recorder.workers import Outcome

SLACK = timedelta(seconds=1)
"""How long after its slot is over a round may still end: machines are busy now and then."""


class Asks(Protocol):
    """Gets the readings of a slot, and hears what comes after its end."""

    def ask(self, slot: datetime, timeout: float) -> Mapping[Pair, Sequence[Reading]] | None:
        """None where a stop cut the round short."""
        ...

    def hear_late(self, outcome: Outcome) -> None:
        """Takes the outcome of a round that is over."""
        ...


class Ledger:
    """What has been accounted for, and what the choice remembers of it; it outlives a reload."""

    def __init__(self, end: datetime = times.EPOCH) -> None:
        self.end = end
        """The last slot of the log: no row may be written at or before it."""
        self.last: dict[Pair, datetime] = {}
        """The last slot of each pair that is accounted for; a new pair begins with its first slot."""
        self.memories: dict[Pair, Memory] = {}
        self.gap_reason = "down"
        """Why slots before the next one are missing: the recorder did not run or, later, was late."""
        self.behind = False
        """Whether the wall clock stood before the last row when it was last looked at."""

    def new_segment(self) -> None:
        """The slots are others from now on: the stretch up to the first of them is `down`.

        Pairs that were not recorded up to the end of the log begin anew: theirs would lie before its end.
        """
        self.last = {pair: slot for pair, slot in self.last.items() if slot == self.end}
        self.gap_reason = "down"


class Loop:
    """Records slot after slot: each slot of each pair comes to stand in exactly one record."""

    def __init__(
        self,
        clock: Clock,
        poller: Asks,
        pairs: Sequence[Pair],
        rules: Rules,
        timeout: float,
        ledger: Ledger,
        flush: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._poller = poller
        self._pairs = pairs
        self._rules = rules
        self._timeout = timeout
        self._ledger = ledger
        self._flush = flush
        self._interval = int(rules.interval.total_seconds())
        # a round ends within its slot; where the timeout is nearly all of it, a late one gets less time
        self._latest_start = max(rules.interval - timedelta(seconds=timeout), rules.interval / 2)

    def run(self) -> Signal:
        """Goes on until a signal comes, and gives it."""
        while True:
            slot = self._due(self._clock.now())
            signal = self._wait_for(slot)
            if signal is not None:
                return signal
            if slot <= self._clock.now() <= slot + self._latest_start:
                self._record(slot)

    def _due(self, now: datetime) -> datetime:
        """The slot to record next: the one that has just begun if there is time for it, else the next."""
        current = times.slot_of(now, self._interval)
        if now > current + self._latest_start or current <= self._ledger.end:
            current = times.next_slot(now, self._interval)
        return max(current, times.next_slot(self._ledger.end, self._interval))

    def _wait_for(self, slot: datetime) -> Signal | None:
        """Waits for a slot, an interval or a pulse at most: the wall clock may step meanwhile."""
        now = self._clock.now()
        self._note_behind(now, slot)
        seconds = (slot - now).total_seconds()
        until = self._clock.monotonic() + min(seconds, self._interval, PULSE_SECONDS)
        while isinstance(item := self._clock.wait(until), Outcome):
            self._poller.hear_late(item)  # and back to waiting: a stop may stand behind it
        if isinstance(item, Signal):
            return item
        if seconds > PULSE_SECONDS:
            self._flush()  # no rows, but whoever watches sees a recorder at work
        return None

    def _note_behind(self, now: datetime, slot: datetime) -> None:
        """Says once that the wall clock stands before the last row, and once that it has passed it."""
        behind = now < self._ledger.end
        if behind and not self._ledger.behind:
            text = (
                f"the clock says {times.iso(now)}, before the last row, {times.iso(self._ledger.end)}:"
                f" no row for {times.span((slot - now).total_seconds())}; check the machine's clock"
            )
            events.log_event(events.Event.CLOCK_BEHIND, logging.WARNING, text)
        elif self._ledger.behind and not behind:
            text = f"the clock says {times.iso(now)}, past the last row: rows go on"
            events.log_event(events.Event.CLOCK_BEHIND, events.NOTICE, text)
        self._ledger.behind = behind

    def _record(self, slot: datetime) -> None:
        left = (slot - self._clock.now()).total_seconds() + self._interval
        readings = self._poller.ask(slot, min(self._timeout, left))
        now = self._clock.now()
        if readings is None or now > slot + self._rules.interval + SLACK:
            return  # after a sleep in mid-round nobody knows of when the prices are: the slot is late
        quotes = [self._choose(slot, pair, readings.get(pair, ()), now) for pair in self._pairs]
        for quote in [*self._missed_before(slot), *quotes]:
            events.log_quote(quote)
        self._ledger.end = slot
        self._ledger.last = dict.fromkeys(self._pairs, slot)
        self._ledger.gap_reason = "late"
        self._flush()

    def _choose(self, slot: datetime, pair: Pair, readings: Sequence[Reading], now: datetime) -> Quote:
        memory = self._ledger.memories.get(pair, Memory())
        quote, self._ledger.memories[pair] = choose(slot, pair, readings, now, memory, self._rules)
        return quote

    def _missed_before(self, slot: datetime) -> list[Quote]:
        """A quote for each pair's slots that nobody recorded, the earliest first."""
        missed = []
        for pair in self._pairs:
            if pair in self._ledger.last:
                first = times.next_slot(self._ledger.last[pair], self._interval)
                slots = times.slots_between(first, slot, self._interval)
                if slots:
                    missed.append(Quote(first, pair, reason=self._ledger.gap_reason, slots=slots))
        return sorted(missed, key=lambda quote: quote.slot)
