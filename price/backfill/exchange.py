"""What exchanges still know: the close of the minute that ends at a slot.

A close is chosen like a live price: outliers are left out, two that differ give none, PRICE_QUORUM holds. No
last price is known, as with `once`.
"""

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from math import inf

from price import times
from price.backfill.missing import Missing
from price.backfill.repair import Repair
from price.backoff import Backoff, asked_for_seconds
from price.choose import Memory, choose
from price.clock import Clock
from price.errors import Forbidden, PriceError, Refused, SourceError
from price.log import row
from price.log.row import Row
from price.model import Pair, Reading
from price.plan import Plan
from price.settings import Settings, plans
from price.smallfile import read_small
from price.sources.candles import MINUTE, CandleSource
from price.text import MALFORMED
from price.wire import Fetch

SETTLED_SECONDS = 60
"""A candle is believed this long after its end: some exchanges count late trades in."""
ANSWER_SECONDS = 10
MOST_REST_SECONDS = 300
"""Who wants a longer rest is left alone for the rest of the run."""
FAILURES_BEFORE_END = 3


class _Exchange:
    """One exchange in this run: how fast it may be asked, when it rests, and what it is not asked for."""

    def __init__(self, source: CandleSource, fetch: Fetch, planned: Plan, clock: Clock) -> None:
        self.source = source
        self.backoff = Backoff()
        self.notes: list[str] = []
        self._fetch = fetch
        self._clock = clock
        self._unknown: set[Pair] = set()
        """Pairs that it does not answer for."""
        self._gone = False
        """Whether it is not asked any more."""
        self._due = -inf
        limit = inf if planned.limit is None else planned.limit
        self._per_second = max(0.0, limit - planned.per_minute) / 2 / 60
        """Half of what the recorder's plan leaves of the known limit, as weighted requests."""
        if self._per_second == 0:
            self.leave("is not asked: the recorder uses all of its limit")

    def leave(self, why: str) -> None:
        """Does not ask it any more in this run."""
        self._gone = True
        self.notes.append(f"{self.source.name} {why}")

    def closes(self, pair: Pair, slots: Sequence[int], repair: Repair) -> dict[int, Decimal]:
        """The closes that it still has, by the slots that they belong to."""
        back = self.source.candle_reach_seconds
        reach = 0 if back is None else times.unix(self._clock.now()) - back + 2 * MINUTE
        wanted = [slot for slot in slots if slot >= reach]
        while wanted and not self._gone and pair not in self._unknown:
            start, end = wanted[0] - MINUTE, wanted[-1]
            request = self.source.candles_request(pair, start, end)
            while self._clock.monotonic() < (due := max(self.backoff.until, self._due)):
                repair.wait(due)
            self._due = self._clock.monotonic() + request.weight / self._per_second
            header = ""
            try:
                answer = self._fetch(request, self._clock.monotonic() + ANSWER_SECONDS)
                header = answer.headers.get("retry-after", "")
                candles = self.source.read_candles(pair, start, end, answer)
            except SourceError as error:
                error.retry_after = header
                self._failed(pair, error)
            else:
                self.backoff = Backoff()
                return {candle.start + MINUTE: candle.close for candle in candles}
        return {}

    def _failed(self, pair: Pair, error: SourceError) -> None:
        """Has it rest, or leaves it, or its pair, alone."""
        if isinstance(error, Refused) and not isinstance(error, Forbidden):
            self._unknown.add(pair)
            self.notes.append(f"{self.source.name} does not answer for {pair}: {error}")
            return
        now = self._clock.monotonic()
        asked_for = asked_for_seconds(error, self._clock.now())
        self.backoff = self.backoff.after(error, now, asked_for, jitter=1)
        failures = self.backoff.failures + self.backoff.refusals
        too_long = self.backoff.until - now > MOST_REST_SECONDS
        if isinstance(error, Forbidden) or failures >= FAILURES_BEFORE_END or too_long:
            self.leave(f"is not asked any more in this run: {error}")


class Exchanges:
    """Asks each source for the minutes that end at missed slots, at half of what its limit leaves."""

    by = "candle"

    def __init__(self, wanted: Settings, fetchers: Mapping[str, Fetch], clock: Clock) -> None:
        """Raises PriceError where no source has one-minute candles."""
        self.simulated = wanted.simulated
        self._wanted = wanted
        self._clock = clock
        self._exchanges = {
            name: _Exchange(source, fetchers[name], planned, clock)
            for name, planned in zip(wanted.sources, plans(wanted), strict=True)
            if isinstance(source := wanted.source(name), CandleSource)
        }
        if not self._exchanges:
            raise PriceError(f"PRICE_SOURCES={','.join(wanted.sources)}: none of them has one-minute candles")
        self._rest_as_the_recorder_does()

    def fetch(self, missing: Missing, repair: Repair) -> Iterator[Row]:
        settled = times.unix(self._clock.now()) - SETTLED_SECONDS
        for name, minutes in _minutes(missing).items():
            pair = Pair(*name.split("-"))
            asked = [self._exchanges[one] for one in self._wanted.asked_for(pair) if one in self._exchanges]
            slots = [slot for slot in minutes if asked and slot <= settled]
            while slots:  # as many as one request to each covers
                span = MINUTE * min(one.source.candle_rows for one in asked)
                end = bisect_left(slots, slots[0] + span)
                yield from self._chosen(pair, slots[:end], asked, repair)
                repair.progress(slots[end - 1])
                slots = slots[end:]

    def notes(self) -> Iterator[str]:
        for one in self._exchanges.values():
            yield from one.notes

    def _chosen(
        self, pair: Pair, slots: Sequence[int], asked: Sequence[_Exchange], repair: Repair
    ) -> Iterator[Row]:
        closes = {one.source.name: one.closes(pair, slots, repair) for one in asked}
        for unix in slots:
            # who has no candles counts for the quorum of the pair all the same
            known = {name: closes.get(name, {}).get(unix) for name in self._wanted.asked_for(pair)}
            readings = [Reading(name, close, "" if close else "unavailable") for name, close in known.items()]
            slot = times.from_unix(unix)
            quote, _ = choose(slot, pair, readings, slot, Memory(), self._wanted.rules)
            if quote.price is not None:
                yield times.slot_text(unix), str(pair), row.plain(quote.price), ",".join(quote.sources), ""

    def _rest_as_the_recorder_does(self) -> None:
        """Has sources rest as the recorder has saved it for its next start; not where that cannot be read."""
        saved: Mapping[str, Mapping[str, object]] = {}
        elapsed, now = 0.0, self._clock.monotonic()
        with suppress(OSError, *MALFORMED):
            state = json.loads(read_small(self._wanted.state))
            elapsed = max(0.0, (self._clock.now() - times.parse_iso(state["saved"])).total_seconds())
            saved = state["sources"]
        for name, one in self._exchanges.items():
            with suppress(*MALFORMED):
                if saved[name].get("url") == self._wanted.urls.get(name):
                    one.backoff = Backoff(Backoff.restored(saved[name], now, elapsed).until)
            rest = one.backoff.until - now
            if rest > MOST_REST_SECONDS:
                one.leave(f"is not asked: the recorder lets it rest for {times.span(rest)} more")


def _minutes(missing: Missing) -> dict[str, list[int]]:
    """The missed slots at whole minutes where there is no live price for over a minute, by pair."""
    found: dict[str, list[int]] = {}
    for (unix, pair), missed in missing.items():
        alone = not (missed.before and missed.after) or missed.after.slot - missed.before.slot > MINUTE
        if alone and unix % MINUTE == 0:
            found.setdefault(pair, []).append(unix)
    return found
