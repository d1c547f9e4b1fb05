"""What the recorder does: wait for the slot, ask, choose, hand on. It knows no systems and no files."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from price import times
from price.choose import Memory, Rules, choose
from price.clock import PULSE_SECONDS, Clock, Signal
from price.clock_witness import WRONG
from price.model import Pair, Quote, Reading
from price.recorder.ledger import Ledger
from price.recorder.poll import Poller
from price.sinks.base import Sinks
from price.sinks.missed import missed_rows

SLACK = timedelta(seconds=1)
"""How long after its slot is over a round may still end: machines are busy now and then."""


class Loop:
    """Records slot after slot: each slot of each pair comes to stand in exactly one record."""

    def __init__(
        self,
        clock: Clock,
        poller: Poller,
        pairs: Sequence[Pair],
        rules: Rules,
        timeout: float,
        ledger: Ledger,
        sinks: Sinks,
    ) -> None:
        self._clock = clock
        self._poller = poller
        self._pairs = pairs
        self._rules = rules
        self._timeout = timeout
        self._ledger = ledger
        self._sinks = sinks
        self._interval = int(rules.interval.total_seconds())
        self._tried = times.EPOCH
        """The last slot that was begun: one that could not be recorded is not begun again."""
        # a round ends within its slot; where the timeout is nearly all of it, a late one gets less time
        self._latest_start = max(rules.interval - timedelta(seconds=timeout), rules.interval / 2)

    def run(self) -> Signal:
        """Goes on until a signal comes, and returns it."""
        while True:
            slot = self._due(self._clock.now())
            signal = self._wait_for(slot)
            if signal is not None:
                signal = self._merged(signal)
            # a slot that is due goes before a reload: else reloads without end would keep it from coming
            if signal is not Signal.STOP and slot <= self._clock.now() <= slot + self._latest_start:
                self._record(slot)
            if signal is not None:
                return signal

    def _merged(self, signal: Signal) -> Signal:
        """Reloads that wait are one, and a stop passes them."""
        while signal is Signal.RELOAD and (following := self._poller.wait(self._clock.monotonic())):
            signal = following
        return signal

    def _due(self, now: datetime) -> datetime:
        """The slot to record next: the one that has just begun if there is time for it, else the next."""
        current = times.slot_of(now, self._interval)
        if now > current + self._latest_start or current <= self._ledger.end or current == self._tried:
            current = times.next_slot(now, self._interval)
        return max(current, times.next_slot(self._ledger.end, self._interval))

    def _wait_for(self, slot: datetime) -> Signal | None:
        """Waits for a slot, an interval or a pulse at most: the wall clock may step meanwhile."""
        now = self._clock.now()
        before = self._ledger.witness.waiting
        self._ledger.witness.look(now, self._ledger.end, slot)
        if self._ledger.witness.waiting != before:
            self._sinks.idle()  # the status is to show it
        seconds = (slot - now).total_seconds()
        until = self._clock.monotonic() + min(seconds, self._interval, PULSE_SECONDS)
        signal = self._poller.wait(until)
        if signal is None and seconds > PULSE_SECONDS:
            self._sinks.idle()
        return signal

    def _record(self, slot: datetime) -> None:
        self._tried = slot
        readings = self._asked(slot)
        if readings is None:
            self._sinks.idle()
            return
        now = self._clock.now()
        quotes = [self._choose(slot, pair, readings.get(pair, ()), now) for pair in self._pairs]
        ledger = self._ledger
        missed = missed_rows(ledger.last, self._pairs, slot, self._interval, ledger.gap_reason)
        ledger.close_slot(slot, self._pairs)
        self._sinks.slot(slot, [*missed, *quotes])

    def _asked(self, slot: datetime) -> Mapping[Pair, Sequence[Reading]] | None:
        """The readings of a slot; None where no row may be made of them: the slot is late."""
        witness, end = self._ledger.witness, self._ledger.end
        now = self._clock.now()
        if not witness.look(now, end, slot):
            return None
        left = (slot - now).total_seconds() + self._interval
        readings = self._poller.ask(slot, min(self._timeout, left))
        now = self._clock.now()
        # after a sleep in mid-round nobody knows of when the prices are, after a leap not even the day
        if readings is None or not slot - WRONG < now <= slot + self._rules.interval + SLACK:
            return None
        answered = any(_is_of_today(reading, now) for known in readings.values() for reading in known)
        servers = self._poller.server_times()
        return readings if witness.judge(now, end, servers, answered=answered) else None

    def _choose(self, slot: datetime, pair: Pair, readings: Sequence[Reading], now: datetime) -> Quote:
        memory = self._ledger.memories.get(pair, Memory())
        quote, self._ledger.memories[pair] = choose(slot, pair, readings, now, memory, self._rules)
        return quote


def _is_of_today(reading: Reading, now: datetime) -> bool:
    """Whether a reading has a price whose own time, where it has one, is within a day of our clock's."""
    return reading.price is not None and (reading.time is None or abs(reading.time - now) <= WRONG)
