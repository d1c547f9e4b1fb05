"""What exchanges still know: the close of the minute that ends at a slot.

A close is chosen like a live price: outliers are left out, two that differ give none, PRICE_QUORUM holds. No
last price is known, as with `once`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from math import lcm
from pathlib import Path

from price import times
from price.backfill.missing import Missing
from price.backfill.provider import Clock, Work
from price.backoff import Backoff, TokenBucket, asked_for_seconds
from price.choose import Memory, choose
from price.errors import Forbidden, PriceError, Refused, SourceError
from price.log import row
from price.log.row import Row
from price.model import Answer, Pair, Reading, Request
from price.plan import plan
from price.settings import Settings
from price.sources import SOURCES
from price.sources.base import Candle, Source
from price.text import MALFORMED
from price.wire import Fetch

MINUTE = 60
SETTLED_SECONDS = 60
"""A candle is believed this long after its end: some exchanges count late trades in."""
ANSWER_SECONDS = 10
MOST_REST_SECONDS = 300
"""Who wants a longer rest is left alone for the rest of the run."""
FAILURES_BEFORE_END = 3


class _Exchange:
    """One exchange: its pace and its rests, and whether it is still asked."""

    def __init__(self, source: Source, fetch: Fetch, per_second: float | None) -> None:
        """`per_second` is how many weighted requests it may have; None where there is no limit to keep."""
        self.source = source
        self.fetch = fetch
        self.backoff = Backoff()
        self.gone = per_second == 0
        self.unknown: set[Pair] = set()
        """Pairs that it does not answer for."""
        self._per_second = per_second or 0
        self._bucket: TokenBucket | None = None

    def reach(self, now: datetime) -> int:
        """The Unix time of the earliest slot whose candle it may still have."""
        back = self.source.candle_reach_seconds
        return 0 if back is None else times.unix(now) - back + 2 * MINUTE

    def wait(self, request: Request, clock: Clock, work: Work) -> None:
        """Waits until it may be asked, and counts the request."""
        if self._bucket is None:  # its requests for candles are all of one weight
            self._bucket = TokenBucket(request.weight if self._per_second else 0, self._per_second)
        while (now := clock.monotonic()) < (
            due := max(self.backoff.until, self._bucket.due(now, request.weight))
        ):
            work.wait(due)
        self._bucket.spend(now, request.weight)


class Exchanges:
    """Asks each source for the minutes that end at missed slots, at half of what its limit leaves."""

    by = "candle"

    def __init__(self, wanted: Settings, fetchers: Mapping[str, Fetch], clock: Clock) -> None:
        """Raises PriceError where no source has one-minute candles."""
        self.simulated = "simulated" in wanted.sources
        self._wanted = wanted
        self._clock = clock
        self._notes: list[str] = []
        self._exchanges = {
            name: _Exchange(wanted.source(name), fetchers[name], _per_second(wanted, name))
            for name in wanted.sources
            if SOURCES[name].candle_seconds == MINUTE
        }
        if not self._exchanges:
            raise PriceError(f"PRICE_SOURCES={','.join(wanted.sources)}: none of them has one-minute candles")
        self._notes += [
            f"{name} is not asked: the recorder uses all of its limit"
            for name, exchange in self._exchanges.items()
            if exchange.gone
        ]
        self._rest_as_the_recorder_does()

    def fetch(self, missing: Missing, work: Work) -> Iterator[Row]:
        for name in missing.pairs():
            pair = Pair(*name.split("-"))
            asked = [self._exchanges[one] for one in self._wanted.asked_for(pair) if one in self._exchanges]
            for slots in self._portions(_minutes(missing, name), asked):
                yield from self._chosen(pair, slots, asked, work)
                work.progress(slots[-1])

    def notes(self) -> Iterator[str]:
        yield from self._notes

    def _portions(self, slots: Iterator[int], asked: Sequence[_Exchange]) -> Iterator[list[int]]:
        """Slots that one request to each source covers; those that nobody can know are left out."""
        if not asked:
            return
        span = MINUTE * min(one.source.candle_rows for one in asked)
        now = self._clock.now()
        first = min(one.reach(now) for one in asked)
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
                yield row.slot(unix), str(pair), row.plain(quote.price), ",".join(quote.sources), ""

    def _closes(self, one: _Exchange, pair: Pair, slots: Sequence[int], work: Work) -> dict[int, Decimal]:
        """The closes that a source returns, by the slots that they belong to."""
        reach = one.reach(self._clock.now())
        wanted = [slot for slot in slots if slot >= reach]
        if not wanted:
            return {}
        start, end = (times.from_unix(slot) for slot in (wanted[0] - MINUTE, wanted[-1]))
        request = one.source.candles_request(pair, start, end)
        while not one.gone and pair not in one.unknown:
            one.wait(request, self._clock, work)
            try:
                answer = one.fetch(request, self._clock.monotonic() + ANSWER_SECONDS)
                candles = _read(one.source, pair, start, end, answer)
            except SourceError as error:
                self._failed(one, pair, error)
            else:
                one.backoff.good()
                return {times.unix(candle.start) + MINUTE: candle.close for candle in candles}
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
        now = self._clock.monotonic()
        for name, backoff in _saved(self._wanted.state, self._wanted.urls, self._clock).items():
            one = self._exchanges.get(name)
            if one and backoff.until > now:
                one.backoff.until = backoff.until
                if backoff.until - now > MOST_REST_SECONDS:
                    one.gone = True
                    self._notes.append(
                        f"{name} is not asked: the recorder lets it rest for"
                        f" {times.span(backoff.until - now)} more"
                    )


def _minutes(missing: Missing, pair: str) -> Iterator[int]:
    """The missed slots at whole minutes, where there is no live price for over a minute."""
    for gap in missing.of(pair):
        before, after = missing.around(gap)
        if not (before and after) or after.slot - before.slot > MINUTE:
            step = lcm(gap.every, MINUTE)
            yield from range(-(-gap.start // step) * step, gap.end, step)


def _per_second(wanted: Settings, name: str) -> float | None:
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


def _saved(path: Path, urls: Mapping[str, str], clock: Clock) -> dict[str, Backoff]:
    """How long the recorder lets sources rest, by what it has saved for its next start."""
    try:
        state = json.loads(path.read_text("utf-8"))
        elapsed = max(0.0, (clock.now() - times.parse_iso(state["saved"])).total_seconds())
        known = {name: one for name, one in state["sources"].items() if one.get("url") == urls.get(name)}
    except (OSError, *MALFORMED):
        return {}  # no recorder has run here, or its state is not for us to read
    found = {}
    for name, one in known.items():
        with suppress(*MALFORMED):
            found[name] = Backoff.restored(one, clock.monotonic(), elapsed)
    return found
