"""A stage for stories: a clock that jumps, exchanges that do as told, a recorder, and its real handlers."""

import heapq
import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

from price import record, times
from price.choose import Memory, Rules
from price.errors import SourceError, UnknownPair
from price.handlers.pricesfile import PricesFile
from price.handlers.rowsfirst import RowsFirst
from price.quote import Pair
from price.recorder.changes import Changes
from price.recorder.clock import Signal
from price.recorder.couriers import Outcome
from price.recorder.desk import Desk
from price.recorder.loop import Loop, Past
from price.recorder.panel import Panel, Sender
from price.recorder.state import State
from price.sources import SOURCES
from price.sources.base import Tick
from price.wire import Request

BTC, ETH, DOGE = Pair("BTC", "USD"), Pair("ETH", "USD"), Pair("DOGE", "USD")
NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


class FakeClock:
    """Time that passes only while somebody waits. `now` may step; monotonic time never does."""

    def __init__(self, now: datetime = NOON) -> None:
        self._wall = now
        self._monotonic = 1000.0
        self._order = count()
        self._events: list[tuple[float, int, object]] = []

    def now(self) -> datetime:
        return self._wall

    def monotonic(self) -> float:
        return self._monotonic

    def post(self, item: object) -> None:
        self.post_in(0.0, item)

    def post_in(self, seconds: float, item: object) -> None:
        """Has an item arrive after some seconds."""
        heapq.heappush(self._events, (self._monotonic + seconds, next(self._order), item))

    def wait(self, until: float) -> object | None:
        at = min(until, self._events[0][0]) if self._events else until
        self._pass(max(0.0, at - self._monotonic))
        if self._events and self._events[0][0] <= self._monotonic:
            item = heapq.heappop(self._events)[2]
            if callable(item):
                item()
                return None
            return item
        return None

    def step(self, seconds: float) -> None:
        """Sets the wall clock forward or back."""
        self._wall += timedelta(seconds=seconds)

    def sleep(self, seconds: float) -> None:
        """Both clocks go on while the recorder does not: it is stopped, or the machine too busy."""
        self._pass(seconds)

    def _pass(self, seconds: float) -> None:
        self._monotonic += seconds
        self._wall += timedelta(seconds=seconds)


class FakeExchange:
    """Answers as it is told: `price` and `seconds` by pair, or an `error`, or never."""

    def __init__(self, name: str, clock: FakeClock) -> None:
        self.name = name
        self.prices: dict[Pair, str] = {BTC: "100", ETH: "10", DOGE: "0.1"}
        self.error: SourceError | None = None
        self.strangers: set[Pair] = set()
        self.seconds = 0.1
        self.silent = False
        self.age: float | None = None
        self.asked: list[tuple[datetime, tuple[Pair, ...]]] = []
        self._clock = clock

    def send(self, slot: datetime, request: Request, deadline: float, under_way: int) -> None:
        self.asked.append((slot, request.pairs))
        if self.silent:
            return
        outcome = Outcome(self.name, slot, request, *self._said(request), self.seconds)
        self._clock.post_in(self.seconds, outcome)

    def _said(self, request: Request) -> tuple[dict[Pair, Tick | SourceError], SourceError | None]:
        if self.error is not None:
            return {}, self.error
        if self.strangers & set(request.pairs):
            return {}, UnknownPair("Unknown asset pair")
        time = None if self.age is None else self._clock.now() - timedelta(seconds=self.age)
        return {pair: Tick(Decimal(self.prices[pair]), time) for pair in request.pairs}, None

    @property
    def slots_asked(self) -> list[datetime]:
        """The slots in which anything was asked."""
        return sorted({slot for slot, _ in self.asked})


class Listener(logging.Handler):
    """Hears all records, as journal and terminal do."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record_: logging.LogRecord) -> None:
        self.records.append(record_)

    def events(self, *events: record.Event) -> list[str]:
        """The texts of the records of some kinds."""
        notes = [(record.note_of(one), one) for one in self.records]
        return [one.getMessage() for note, one in notes if note is not None and note.event in events]


class Stage:
    """A recorder with fake time and exchanges; its file, its handlers and all between are the real ones."""

    def __init__(self, folder: Path, clock: FakeClock | None = None) -> None:
        self.folder = folder
        self.clock = clock or FakeClock()
        self.file = folder / "prices.txt"
        self.listener = Listener()
        self.exchanges: dict[str, FakeExchange] = {name: FakeExchange(name, self.clock) for name in SOURCES}
        self.senders: dict[str, Sender] = {name: one for name, one in self.exchanges.items()}  # noqa: C416 - another type
        self.quorum = 1
        self.timeout = 2.0
        self.max_age = 60.0
        self.desks: dict[str, Desk] = {}
        self.past = Past()

    def __getitem__(self, name: str) -> FakeExchange:
        return self.exchanges[name]

    def run(
        self,
        slots: int,
        sources: Sequence[str] = ("coinbase", "kraken", "bitstamp"),
        pairs: Sequence[Pair] = (BTC,),
        interval: int = 5,
    ) -> None:
        """Starts a recorder, lets so many slots pass, and stops it before the next."""
        stop = (slots - 1) * interval + interval / 2
        with self.recorder(sources, pairs, interval) as loop:
            self.clock.post_in(stop, Signal.STOP)
            assert loop.run() is Signal.STOP

    @contextmanager
    def recorder(
        self, sources: Sequence[str], pairs: Sequence[Pair] = (BTC,), interval: int = 5
    ) -> Iterator[Loop]:
        """A started recorder, whose loop is to be run."""
        rows = PricesFile(self.file)
        self.desks = {name: Desk(SOURCES[name]) for name in sources}
        state = State(self.folder / "state.json", self.desks, self.clock)
        front = RowsFirst(rows, [Changes(), self.listener, state])
        record.ROOT.addHandler(front)
        record.ROOT.setLevel(logging.DEBUG)
        try:
            tail = rows.start(pairs, interval)
            last = tail.last_slots()
            self.past = Past(max(last.values(), default=times.EPOCH))
            self.past.last = {pair: slot for pair, slot in last.items() if pair in pairs}
            self.past.memories = {pair: Memory(row.price, row.slot) for pair, row in tail.priced.items()}
            state.restore()
            panel = Panel(
                list(self.desks.values()),
                {name: [pair for pair in pairs if SOURCES[name].offers(pair)] for name in sources},
                self.senders,
                self.clock,
                random.Random(1),
            )
            rules = Rules(
                self.quorum,
                timedelta(seconds=interval),
                timedelta(seconds=self.max_age),
                Decimal(1),
                Decimal(5),
            )
            yield Loop(self.clock, panel, pairs, rules, self.timeout, self.past, front.flush)
            state.flush()
        finally:
            record.ROOT.removeHandler(front)
            front.close()

    def rows(self) -> list[str]:
        """The file's rows without the slot's date, as `12:00:05 BTC-USD 100 coinbase`."""
        lines = self.file.read_text().splitlines()
        return [f"{line[11:19]} {line[21:]}" for line in lines if not line.startswith("#")]
