"""`price repair`: fills missed slots from one provider, into repairs.txt."""

import os
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from typing import NamedTuple

from price import host, settings
from price.backfill.file import Filled, RepairsFile
from price.backfill.gap import Missing, Slot
from price.backfill.missing import batches, missed
from price.backfill.progress import Progress
from price.backfill.provider import Clock, Provider
from price.errors import PriceError
from price.log.old import row
from price.log.old.pricelog import PriceLog
from price.report.options import Window, window

STEP_SECONDS = 10
"""How much work may be lost by a kill."""
_JOURNAL = "journal:"
_HOUR_SECONDS = 3600
_SPACES = 4
"""In a repair: slot, pair, price, sources and by=."""


class Job(NamedTuple):
    """What is to be repaired, and by whom."""

    args: Namespace
    environ: Mapping[str, str]
    asked: Window
    path: str
    clock: Clock


Hire = Callable[[Job], AbstractContextManager[Provider]]


def run(
    args: Namespace, environ: Mapping[str, str], now: datetime, clock: Clock, hire: Hire | None = None
) -> int:
    """Repairs, and says what was filled and what stays missing. Raises PriceError."""
    if not args.provider:
        args.fail("--from says who knows: journal, exchange, or the path of another recorder's log")
    asked = window(args, now)
    pairs = [pair.encode() for pair in args.pair]
    with ExitStack() as stack:
        stack.enter_context(host.exit_on_term())
        path = args.file or str(settings.log_path(environ))
        with PriceLog(path, live_only=True) as log:
            first, last = log.first() or 0, log.last() or 0
        provider = stack.enter_context((hire or _hired)(Job(args, environ, asked, path, clock)))
        file = stack.enter_context(RepairsFile(path))
        file.check()
        begin, end = max(first, asked.since or 0), min(last, asked.until or last)
        progress = Progress(sys.stderr, begin, end)
        stack.callback(progress.clear)
        repair = Repair(provider, file, clock, progress)
        for batch in batches(missed(path, pairs, asked.since, asked.until)):
            repair.fill(batch)
        progress.clear()
        repair.report(_absent(path, pairs))
        for remark in provider.remarks():
            sys.stdout.write(f"{remark}\n")
    return 0


class Repair:
    """Hands what is missed to the provider, and what it teaches to the file, in steps."""

    def __init__(self, provider: Provider, file: RepairsFile, clock: Clock, progress: Progress) -> None:
        self._provider = provider
        self._file = file
        self._clock = clock
        self._progress = progress
        self._missed: Counter[bytes] = Counter()
        self._filled: Counter[bytes] = Counter()
        self._fetched: dict[Slot, Filled] = {}
        """What was learnt and is not yet in the file."""
        self._kept = clock.monotonic()

    def fill(self, batch: Missing) -> None:
        """Fills what can be filled of a batch. What was learnt before an interruption is kept."""
        known = self._file.known(batch.stretches[0].start, max(one.end for one in batch.stretches))
        missing = Missing(part for one in batch.stretches for part in one.without(known))
        for stretch in missing.stretches:
            self._missed[stretch.pair] += stretch.slots
        learnt: set[Slot] = set()
        try:
            for slot, said in self._provider.learn(missing, self):
                filled = self._filled_row(missing, slot, said)
                if filled and slot not in learnt:
                    learnt.add(slot)
                    self._fetched[slot] = filled
                    self._progress.filled += 1
                self._keep_by(self._clock.monotonic())
        finally:
            self._keep()

    def tell(self, unix: int) -> None:
        """Shows how far, in Unix time, the work has come."""
        self._progress.tell(unix)

    def wait(self, until: float) -> object | None:
        """Waits until a time in monotonic seconds; what would get too old meanwhile is kept before."""
        self._keep_by(until)
        return self._clock.wait(until)

    def report(self, absent: Sequence[bytes]) -> None:
        """Prints what was filled and what stays missing, and which pairs the log does not have."""
        for pair, slots in sorted(self._missed.items()):
            filled = self._filled[pair]
            sys.stdout.write(
                f"{pair.decode()}: {filled} of {slots} missed slots filled by={self._provider.by},"
                f" {slots - filled} stay missing\n"
            )
        for pair in absent:
            sys.stdout.write(f"{pair.decode()}: the log has no rows of it\n")
        if not self._missed and not absent:
            sys.stdout.write("no slot is missed\n")

    def _filled_row(self, missing: Missing, slot: Slot, said: str) -> Filled | None:
        """The row of a slot; None for one that is not missing, or said in a way that no row can hold."""
        every = missing.every(slot)
        text = f"{row.text_of(slot[0])} {slot[1].decode()} {said} by={self._provider.by}\n".encode()
        sound = every and row.is_sound(text) and not row.missed(text) and text.count(b" ") == _SPACES
        return Filled(text, every) if sound else None

    def _keep_by(self, until: float) -> None:
        """Keeps what was learnt, unless it can wait until a time in monotonic seconds."""
        if until >= self._kept + STEP_SECONDS:
            self._keep()

    def _keep(self) -> None:
        self._file.add(self._fetched)
        for _, pair in self._fetched:
            self._filled[pair] += 1
        self._fetched.clear()
        self._kept = self._clock.monotonic()


def _absent(path: str, pairs: Sequence[bytes]) -> list[bytes]:
    """Those of the pairs asked for of which the log has no rows."""
    if not pairs:
        return []
    with PriceLog(path, live_only=True) as log:
        known = log.pairs_between(None, None)
    return sorted(set(pairs) - known)


def _holds_real_prices(path: str) -> bool:
    """Whether prices in the last hour of a log are not simulated."""
    with PriceLog(path, live_only=True) as log:
        chunks = log.chunks((log.last() or 0) - _HOUR_SECONDS)
        rows = (text for chunk in chunks for text in row.lines(chunk.rows))
        return any(not row.missed(text) and b" simulated" not in text for text in rows)


@contextmanager
def _hired(job: Job) -> Iterator[Provider]:
    """The provider that --from names. Raises PriceError, and SettingsError where it needs settings."""
    name = job.args.provider
    if name == "exchange":
        from price.backfill.exchange import Exchanges
        from price.fetchers import make_fetchers

        wanted = settings.load(job.environ)
        if "simulated" in wanted.sources and _holds_real_prices(job.path):
            raise PriceError(f"{job.path}: it holds real prices, which simulated ones do not repair")
        fetchers = make_fetchers(wanted, job.clock.now, job.clock.monotonic)
        yield Exchanges(wanted, {name: fetcher.get for name, fetcher in fetchers.items()}, job.clock)
    elif name == "journal" or name.startswith(_JOURNAL):
        from price.backfill.journal import Journal, Trust
        from price.backfill.journald import Journald

        folder = name.removeprefix(_JOURNAL) if name.startswith(_JOURNAL) else ""
        # a number of another machine's user says nothing here
        yield Journal(Journald(folder), Trust(job.args.unit, None if folder else os.geteuid()))
    else:
        from price.backfill.peer import Peer

        spread = settings.max_spread(job.environ)
        with Peer(name, job.path, [pair.encode() for pair in job.args.pair], job.asked, spread) as peer:
            yield peer
