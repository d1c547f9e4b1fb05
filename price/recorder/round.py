"""One source in one slot: what is still to be asked, what is awaited, and what came of it."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from price.errors import RateLimited, SourceError, Timeout, Unavailable, UnknownPair, Unreachable
from price.model import Pair, Reading
from price.recorder.source_state import SourceState
from price.recorder.workers import Outcome
from price.wire import Request

_NO_NETWORK = (Unreachable, Timeout)
_FAR_SECONDS = 10**9


class Round:
    """Times called `now` are monotonic seconds."""

    def __init__(self, state: SourceState, slot: datetime, pairs: Sequence[Pair], now: float) -> None:
        """Begins a slot: what is not asked has its reading now, the rest is queued."""
        self.state = state
        self.slot = slot
        self.readings: dict[Pair, Reading] = {}
        self._waiting = set(pairs)
        self._errors: list[SourceError] = []
        silent = state.silent(slot, now)
        for pair in pairs:
            if silent:
                self._settle(pair, Reading(state.name, why=silent))
            elif state.unknown.is_aside(pair, now):
                self._settle(pair, self._failed(UnknownPair("set aside: the source does not know it")))
        asked = [pair for pair in pairs if pair in self._waiting]
        self._queue: deque[Request] = deque(state.requests(asked) if asked else ())
        if asked:
            state.begin(slot)

    @property
    def done(self) -> bool:
        """Whether nothing more is to come in this slot."""
        return not self._waiting

    @property
    def good(self) -> bool:
        """Whether it gave a price."""
        return any(not reading.why for reading in self.readings.values())

    def due(self, now: float) -> float | None:
        """When the next queued request may go; None where none is queued."""
        return self.state.bucket.due(now) if self._queue else None

    def take(self, now: float) -> Request:
        """Takes the queued request that goes now."""
        self.state.sent(now)
        return self._queue.popleft()

    def receive(self, outcome: Outcome, now: float) -> Pair | None:
        """Receives an outcome of this slot; returns the pair that the source turns out not to know."""
        state, pairs, error = self.state, outcome.request.pairs, outcome.error
        state.answered()
        state.tally.seconds = outcome.seconds
        state.tally.failures += error is not None
        if error is None:
            state.tally.answers.add(outcome.seconds)
        if isinstance(error, UnknownPair) and state.unknown.probes(pairs):
            self._queue.extend(state.requests(pairs))
            return None
        if isinstance(error, UnknownPair) and len(pairs) == 1:
            state.unknown.set_aside(pairs[0], now)
            state.changed = True
            self._settle(pairs[0], self._failed(error))
            return pairs[0]
        for pair in pairs:
            told = error or outcome.readings[pair]
            if isinstance(told, SourceError):
                self._errors.append(told)
                told = self._failed(told)
            self._settle(pair, told._replace(seconds=outcome.seconds))
        if error is None:
            state.unknown.answered(pairs)
        return None

    def close(self, timeout: float) -> SourceError | None:
        """Ends the slot; returns the failure that the source's backoff is about, if there is one."""
        self._queue.clear()
        if self._waiting:
            self.state.tally.failures += self.state.outstanding
            self._errors.append(Timeout(f"no complete answer in {timeout:g} s"))
        for pair in list(self._waiting):
            self._settle(pair, self._failed(self._errors[-1])._replace(seconds=timeout))
        self.state.end(good=self.good)
        if self.good or self._errors:
            self.state.unreached = not self.good and all(isinstance(one, _NO_NETWORK) for one in self._errors)
        failure = None if self.good else next(iter(self._errors), None)
        return max(throttles(self._errors), key=_plain_seconds, default=failure)

    def _failed(self, error: SourceError) -> Reading:
        return Reading(self.state.name, why=error.why, detail=str(error))

    def _settle(self, pair: Pair, reading: Reading) -> None:
        self.readings[pair] = reading
        self._waiting.discard(pair)


def throttles(errors: Iterable[SourceError | None]) -> Iterator[SourceError]:
    """Those errors that ask for fewer requests: they count even where other answers were good."""
    for error in errors:
        if isinstance(error, RateLimited) or (isinstance(error, Unavailable) and error.retry_after):
            yield error


def _plain_seconds(throttle: SourceError) -> int:
    """The rest that an error asks for, where it gives a number of seconds: the longest binds."""
    text = throttle.retry_after
    if not (text.isascii() and text.isdigit()):
        return 0
    return int(text) if len(text) < len(str(_FAR_SECONDS)) else _FAR_SECONDS
