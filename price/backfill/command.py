"""`price repair`: fills missed slots from one provider, into repairs.txt."""

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from price import host, settings
from price.backfill.file import RepairsFile
from price.backfill.missing import batches, find_missing, missing_of
from price.backfill.provider import Clock, Provider
from price.backfill.repair import Repair
from price.errors import PriceError
from price.log.end import is_simulated
from price.log.files import REPAIRS
from price.log.read import PriceLog
from price.progress import Progress
from price.report.options import Window, window

_JOURNAL = "journal:"


class Job(NamedTuple):
    """What is to be repaired, and by whom."""

    args: Namespace
    environ: Mapping[str, str]
    asked: Window
    path: str
    clock: Clock


Open = Callable[[Job], AbstractContextManager[Provider]]


def run(
    args: Namespace, environ: Mapping[str, str], now: datetime, clock: Clock, provide: Open | None = None
) -> int:
    """Repairs, and prints what was filled and what stays missing. Raises PriceError."""
    if not args.provider:
        args.fail("--from says who knows: journal, exchange, or the path of another recorder's log")
    asked = window(args, now)
    with ExitStack() as stack:
        stack.enter_context(host.exit_on_term())
        path = args.file or str(settings.log_path(environ))
        # in the folder of a less mighty user root could be led anywhere by links
        host.become_owner(Path(path), Path(path).with_name(REPAIRS))
        log = PriceLog(path, live_only=True)
        first, last = log.first() or 0, log.last() or 0
        provider = stack.enter_context((provide or _provided)(Job(args, environ, asked, path, clock)))
        simulated = _simulated(path, provider)
        file = stack.enter_context(RepairsFile(path, simulated=simulated))
        file.check()
        progress = Progress(sys.stderr, "filled")
        progress.begin(max(first, asked.since or 0), min(last, asked.until or last))
        stack.callback(progress.clear)
        repair = Repair(provider, file, clock, progress, settings.max_jump(environ), simulated=simulated)
        for gaps in batches(find_missing(log, args.pair, asked.since, asked.until)):
            known = file.known(min(gap.start for gap in gaps), max(gap.end for gap in gaps))
            repair.fill(missing_of(PriceLog(path, args.pair, live_only=True), gaps, known))
        progress.clear()
        sys.stdout.writelines(f"{line}\n" for line in repair.notes(_absent(path, args.pair)))
        sys.stderr.write(log.left.report())
    return 0


def _simulated(path: str, provider: Provider) -> bool:
    """Whether a log is one of made-up prices. Raises PriceError where the provider's are of the other kind.

    A log without any price is what the provider is.
    """
    known = is_simulated(Path(path))
    if known is None:
        return bool(provider.simulated)
    if provider.simulated is not None and provider.simulated != known:
        kinds = ("simulated", "real") if known else ("real", "simulated")
        raise PriceError(f"{path}: it holds {kinds[0]} prices, which {kinds[1]} ones do not repair")
    return known


def _absent(path: str, pairs: Sequence[str]) -> list[str]:
    """Those of the pairs asked for of which the log has no rows."""
    if not pairs:
        return []
    return sorted(set(pairs) - PriceLog(path, live_only=True).pairs_between(None, None))


@contextmanager
def _provided(job: Job) -> Iterator[Provider]:
    """The provider that --from names. Raises PriceError, and SettingsError where it needs settings."""
    name = job.args.provider
    if name == "exchange":
        from price.backfill.exchange import Exchanges
        from price.fetchers import make_fetchers

        wanted = settings.load(job.environ)
        fetchers = make_fetchers(wanted, job.clock.now, job.clock.monotonic)
        yield Exchanges(wanted, {name: fetcher.get for name, fetcher in fetchers.items()}, job.clock)
    elif name == "journal" or name.startswith(_JOURNAL):
        from price.backfill.journal import Journal, Trust
        from price.backfill.journald import Journald

        folder = name.removeprefix(_JOURNAL) if name.startswith(_JOURNAL) else ""
        # a number of another machine's user says nothing here
        yield Journal(Journald(folder), Trust(job.args.unit, None if folder else host.user()))
    else:
        from price.backfill.peer import Peer

        peer = Peer(name, job.path, job.args.pair, settings.max_spread(job.environ))
        peer.compare(job.asked.since, job.asked.until)
        yield peer
