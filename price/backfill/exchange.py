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
from price.backfill.provider import Clock, Work
from price.backoff import Backoff, asked_for_seconds
from price.choose import Memory, choose
from price.errors import Forbidden, PriceError, Refused, SourceError
from price.log import row
from price.log.row import Row
from price.model import Pair, Reading, Request
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

    def __init__(self, source: CandleSource, fetch: Fetch, planned: Plan) -> None:
        self.source = source
        self.fetch = fetch
        self.backoff = Backoff()
        limit = inf if planned.limit is None else planned.limit
        self._per_second = max(0.0, limit - planned.per_minute) / 2 / 60
        """Half of what the recorder's plan leaves of the known limit, as weighted requests."""
        self.gone = self._per_second == 0
        self.unknown: set[Pair] = set()
        """Pairs that it does not answer for."""
        self._due = -inf

    def reach(self, now: int) -> int:
        """The Unix time of the earliest slot whose candle it may still have."""
        back = self.source.candle_reach_seconds
        return 0 if back is None else now - back + 2 * MINUTE

    def wait(self, request: Request, clock: Clock, work: Work) -> None:
        """Waits until it may be asked, and counts the request."""
        while (now := clock.monotonic()) < (due := max(self.backoff.until, self._due)):
            work.wait(due)
        self._due = now + request.weight / self._per_second


class Exchanges:
    """Asks each source for the minutes that end at missed slots, at half of what its limit leaves."""

    by = "candle"

    def __init__(self, wanted: Settings, fetchers: Mapping[str, Fetch], clock: Clock) -> None:
        """Raises PriceError where no source has one-minute candles."""
        self.simulated = "simulated" in wanted.sources
        self._wanted = wanted
        self._clock = clock
        self._exchanges = {
            name: _Exchange(source, fetchers[name], planned)
            for name, planned in zip(wanted.sources, plans(wanted), strict=True)
            if isinstance(source := wanted.source(name), CandleSource)
        }
        if not self._exchanges:
            raise PriceError(f"PRICE_SOURCES={','.join(wanted.sources)}: none of them has one-minute candles")
        self._notes = [
            f"{name} is not asked: the recorder uses all of its limit"
            for name, one in self._exchanges.items()
            if one.gone
        ]
        self._rest_as_the_recorder_does()

    def fetch(self, missing: Missing, work: Work) -> Iterator[Row]:
        for name, minutes in _minutes(missing).items():
            pair = Pair(*name.split("-"))
            asked = [self._exchanges[one] for one in self._wanted.asked_for(pair) if one in self._exchanges]
            for slots in self._portions(minutes, asked):
                yield from self._chosen(pair, slots, asked, work)
                work.progress(slots[-1])

    def notes(self) -> Iterator[str]:
        yield from self._notes

    def _portions(self, slots: Sequence[int], asked: Sequence[_Exchange]) -> Iterator[Sequence[int]]:
        """Slots that one request to each source covers; those that nobody can know are left out."""
        now = times.unix(self._clock.now())
        first = min((one.reach(now) for one in asked), default=now)
        slots = [slot for slot in slots if first <= slot <= now - SETTLED_SECONDS]
        while slots:
            span = MINUTE * min(one.source.candle_rows for one in asked)
            end = bisect_left(slots, slots[0] + span)
            yield slots[:end]
            slots = slots[end:]

    def _chosen(
        self, pair: Pair, slots: Sequence[int], asked: Sequence[_Exchange], work: Work
    ) -> Iterator[Row]:
        closes = {one.source.name: self._closes(one, pair, slots, work) for one in asked}
        # who has no candles counts for the quorum of the pair all the same
        names = self._wanted.asked_for(pair)
        for unix in slots:
            known = {name: closes[name].get(unix) for name in names if name in closes}
            readings = [
                Reading(name, known.get(name), "" if known.get(name) else "unavailable") for name in names
            ]
            slot = times.from_unix(unix)
            quote, _ = choose(slot, pair, readings, slot, Memory(), self._wanted.rules)
            if quote.price is not None:
                yield times.slot_text(unix), str(pair), row.plain(quote.price), ",".join(quote.sources), ""

    def _closes(self, one: _Exchange, pair: Pair, slots: Sequence[int], work: Work) -> dict[int, Decimal]:
        """The closes that a source returns, by the slots that they belong to."""
        reach = one.reach(times.unix(self._clock.now()))
        wanted = [slot for slot in slots if slot >= reach]
        if not wanted:
            return {}
        start, end = wanted[0] - MINUTE, wanted[-1]
        request = one.source.candles_request(pair, start, end)
        while not one.gone and pair not in one.unknown:
            one.wait(request, self._clock, work)
            header = ""
            try:
                answer = one.fetch(request, self._clock.monotonic() + ANSWER_SECONDS)
                header = answer.headers.get("retry-after", "")
                candles = one.source.read_candles(pair, start, end, answer)
            except SourceError as error:
                error.retry_after = header
                self._failed(one, pair, error)
            else:
                one.backoff.good()
                return {candle.start + MINUTE: candle.close for candle in candles}
        return {}

    def _failed(self, one: _Exchange, pair: Pair, error: SourceError) -> None:
        """Has the source rest, or leaves it, or its pair, alone."""
        name = one.source.name
        if isinstance(error, Refused) and not isinstance(error, Forbidden):
            one.unknown.add(pair)
            self._notes.append(f"{name} does not answer for {pair}: {error}")
            return
        now = self._clock.monotonic()
        asked_for = asked_for_seconds(error, self._clock.now())
        one.backoff.failed(error, now, asked_for, jitter=1)
        failures = one.backoff.failures + one.backoff.refusals
        too_long = one.backoff.until - now > MOST_REST_SECONDS
        if isinstance(error, Forbidden) or failures >= FAILURES_BEFORE_END or too_long:
            one.gone = True
            self._notes.append(f"{name} is not asked any more in this run: {error}")

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
                    one.backoff.until = Backoff.restored(saved[name], now, elapsed).until
            rest = one.backoff.until - now
            if rest > MOST_REST_SECONDS:
                one.gone = True
                self._notes.append(
                    f"{name} is not asked: the recorder lets it rest for {times.span(rest)} more"
                )


def _minutes(missing: Missing) -> dict[str, list[int]]:
    """The missed slots at whole minutes where there is no live price for over a minute, by pair."""
    found: dict[str, list[int]] = {}
    for (unix, pair), missed in missing.items():
        alone = not (missed.before and missed.after) or missed.after.slot - missed.before.slot > MINUTE
        if alone and unix % MINUTE == 0:
            found.setdefault(pair, []).append(unix)
    return found
