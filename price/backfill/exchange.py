"""What exchanges still know: the close of the minute that ends at a slot.

A close is chosen like a live price: outliers are left out, two that differ give none, PRICE_QUORUM holds. No
last price is known, as with `once`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from math import lcm

from price import times
from price.backfill.gap import Missing, Slot
from price.backfill.provider import Clock, Work
from price.choose import Memory, choose
from price.errors import Forbidden, PriceError, RateLimited, Refused, SourceError
from price.log import line
from price.model import Pair, Reading
from price.plan import plan
from price.settings import Settings
from price.sources import SOURCES
from price.sources.base import Candle, Source
from price.text import MALFORMED
from price.wire import Answer, Fetch, Request, retry_after_seconds

MINUTE = 60
SETTLED_SECONDS = 60
"""A candle is believed this long after its end: some exchanges count late trades in."""
ANSWER_SECONDS = 10
MOST_REST_SECONDS = 300
"""Who wants a longer rest is left alone for the rest of the run."""
USUAL_REST_SECONDS = 60
FAILURES_BEFORE_END = 3


class _Exchange:
    """One exchange: its pace, and whether it is still asked."""

    def __init__(self, source: Source, fetch: Fetch, per_second: float | None) -> None:
        self.source = source
        self.fetch = fetch
        self.per_second = per_second
        """Weighted requests; None where there is no limit to keep."""
        self.due = 0.0
        self.failures = 0
        self.gone = False
        self.strangers: set[Pair] = set()
        """Pairs that it does not answer for."""

    def reach(self, now: datetime) -> int:
        """The Unix time of the earliest slot whose candle it may still have."""
        back = self.source.candle_reach_seconds
        return 0 if back is None else times.unix(now) - back + 2 * MINUTE


class Exchanges:
    """Asks each source for the minutes that end at missed slots, at half of what its limit leaves."""

    by = "candle"

    def __init__(self, wanted: Settings, fetchers: Mapping[str, Fetch], clock: Clock) -> None:
        """Raises PriceError where no source has one-minute candles."""
        self._wanted = wanted
        self._clock = clock
        self._remarks: list[str] = []
        self._states = {
            name: _Exchange(wanted.source(name), fetchers[name], _bucket(wanted, name))
            for name in wanted.sources
            if SOURCES[name].candle_seconds == MINUTE
        }
        if not self._states:
            raise PriceError(f"PRICE_SOURCES={','.join(wanted.sources)}: none of them has one-minute candles")
        self._rest_as_the_recorder_does()

    def learn(self, missing: Missing, work: Work) -> Iterator[tuple[Slot, str]]:
        for name in missing.pairs():
            pair = line.read_pair(name.decode())
            states = [self._states[one] for one in self._wanted.asked_for(pair) if one in self._states]
            for slots in self._portions(_minutes(missing, name), states):
                yield from self._chosen(pair, slots, states, work)
                work.tell(slots[-1])

    def remarks(self) -> Iterator[str]:
        yield from self._remarks

    def _portions(self, slots: Iterator[int], states: Sequence[_Exchange]) -> Iterator[list[int]]:
        """Slots that one request to each source covers; those that nobody can tell of are left out."""
        if not states:
            return
        span = MINUTE * min(state.source.candle_rows for state in states)
        now = self._clock.now()
        first = min(state.reach(now) for state in states)
        last = times.unix(now) - SETTLED_SECONDS
        portion: list[int] = []
        for slot in slots:
            if not first <= slot <= last:
                continue
            if portion and slot - portion[0] >= span:
                yield portion
                portion = []
            portion.append(slot)
        if portion:
            yield portion

    def _chosen(
        self, pair: Pair, slots: Sequence[int], states: Sequence[_Exchange], work: Work
    ) -> Iterator[tuple[Slot, str]]:
        closes = {state.source.name: self._closes(state, pair, slots, work) for state in states}
        for unix in slots:
            readings = [Reading(name, told[unix]) for name, told in closes.items() if unix in told]
            slot = times.from_unix(unix)
            quote, _ = choose(slot, pair, readings, slot, Memory(), self._wanted.rules)
            if quote.price is not None:
                yield (unix, str(pair).encode()), f"{line.plain(quote.price)} {','.join(quote.sources)}"

    def _closes(self, state: _Exchange, pair: Pair, slots: Sequence[int], work: Work) -> dict[int, Decimal]:
        """The closes that a source gives, by the slots that they belong to."""
        reach = state.reach(self._clock.now())
        wanted = [slot for slot in slots if slot >= reach]
        if not wanted:
            return {}
        start, end = (times.from_unix(slot) for slot in (wanted[0] - MINUTE, wanted[-1]))
        request = state.source.candles_request(pair, start, end)
        while not state.gone and pair not in state.strangers:
            self._wait(state, request, work)
            try:
                answer = state.fetch(request, self._clock.monotonic() + ANSWER_SECONDS)
                candles = _read(state.source, pair, start, end, answer)
            except SourceError as error:
                self._failed(state, pair, error)
            else:
                state.failures = 0
                return {times.unix(candle.start) + MINUTE: candle.close for candle in candles}
        return {}

    def _wait(self, state: _Exchange, request: Request, work: Work) -> None:
        while (now := self._clock.monotonic()) < state.due:
            work.wait(state.due)
        if state.per_second is not None:
            state.due = now + request.weight / state.per_second

    def _failed(self, state: _Exchange, pair: Pair, error: SourceError) -> None:
        """Has the source rest, or leaves it, or its pair, alone."""
        name = state.source.name
        if isinstance(error, Refused) and not isinstance(error, Forbidden):
            state.strangers.add(pair)
            self._remarks.append(f"{name} does not answer for {pair}: {error}")
            return
        state.failures += 1
        rest = retry_after_seconds(error.retry_after, self._clock.now())
        if rest is None:
            usual = USUAL_REST_SECONDS if isinstance(error, RateLimited) else 1
            rest = float(usual * 2 ** (state.failures - 1))
        state.due = max(state.due, self._clock.monotonic() + rest)
        if isinstance(error, Forbidden) or state.failures >= FAILURES_BEFORE_END or rest > MOST_REST_SECONDS:
            state.gone = True
            self._remarks.append(f"{name} is not asked any more in this run: {error}")

    def _rest_as_the_recorder_does(self) -> None:
        now = self._clock.now()
        for name, until in _rests(self._wanted, now).items():
            if name in self._states:
                rest = (until - now).total_seconds()
                self._states[name].due = self._clock.monotonic() + rest
                self._states[name].gone = rest > MOST_REST_SECONDS
                if self._states[name].gone:
                    self._remarks.append(
                        f"{name} is not asked: the recorder lets it rest until {times.iso(until)}"
                    )
        for name, state in self._states.items():
            if state.per_second == 0:
                state.gone = True
                self._remarks.append(f"{name} is not asked: the recorder uses all of its limit")


def _minutes(missing: Missing, pair: bytes) -> Iterator[int]:
    """The missed slots at whole minutes, of stretches without a price for over a minute, range or not."""
    for stretch in missing.of(pair):
        if (stretch.whole + 1) * stretch.every > MINUTE:
            step = lcm(stretch.every, MINUTE)
            yield from range(-(-stretch.start // step) * step, stretch.end, step)


def _bucket(wanted: Settings, name: str) -> float | None:
    """Half of what the recorder's plan leaves of the known limit, as weighted requests a second."""
    source = wanted.source(name)
    if source.limit_per_minute is None:
        return None
    planned = plan(source, wanted.urls.get(name, ""), wanted.pairs_of(name), wanted.interval)
    return max(0.0, source.limit_per_minute - planned.per_minute) / 2 / 60


def _read(source: Source, pair: Pair, start: datetime, end: datetime, answer: Answer) -> Sequence[Candle]:
    try:
        return source.read_candles(pair, start, end, answer)
    except SourceError as error:
        error.retry_after = answer.headers.get("retry-after", "")
        raise


def _rests(wanted: Settings, now: datetime) -> dict[str, datetime]:
    """Until when the recorder lets sources rest, by what it has saved for its next start."""
    try:
        state = json.loads(wanted.state.read_text("utf-8"))
        saved = times.parse_iso(state["saved"])
        return {
            name: saved + timedelta(seconds=float(known["rest_seconds"]))
            for name, known in state["sources"].items()
            if known.get("url") == wanted.urls.get(name)
            and saved + timedelta(seconds=float(known["rest_seconds"])) > now
        }
    except (OSError, *MALFORMED):
        return {}  # no recorder has run here, or its state is not for us to read
