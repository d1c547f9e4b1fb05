"""`price repair`: fills missed slots from one provider, into repairs.txt."""

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from itertools import islice
from math import inf
from operator import itemgetter
from pathlib import Path

from price import host, settings
from price.backfill.file import RepairsFile
from price.backfill.missing import find_missing
from price.backfill.repair import Provider, Repair
from price.clock import Clock
from price.errors import PriceError
from price.log.end import is_simulated
from price.log.files import REPAIRS
from price.log.read import PriceLog
from price.progress import Progress
from price.report.options import Window, window

MOST_SLOTS = 30_000
"""How many missed slots are one batch: what is learnt about them is held in memory."""


def run(
    args: Namespace, environ: Mapping[str, str], now: datetime, clock: Clock, known: Provider | None = None
) -> int:
    """Repairs, and prints what was filled and what stays missing. Raises PriceError.

    `known` fills instead of the provider that --from names.
    """
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
        provider = known or _provider(args, environ, asked, path, clock)
        simulated = _simulated(path, provider)
        file = stack.enter_context(RepairsFile(path, simulated=simulated))
        file.check()
        progress = Progress(sys.stderr, "filled")
        progress.begin(max(first, asked.since or 0), min(last, asked.until or last))
        stack.callback(progress.clear)
        jump = settings.value_of(environ, "PRICE_MAX_JUMP", lenient=True)
        repair = Repair(provider, file, clock, progress, jump, simulated=simulated)
        slots = find_missing(log, args.pair, asked.since, asked.until)
        while batch := sorted(islice(slots, MOST_SLOTS), key=itemgetter(0)):
            repair.fill(file.without_known(dict(batch)))
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
    return sorted(set(pairs) - PriceLog(path, live_only=True).pairs_between(None, None)) if pairs else []


def _provider(
    args: Namespace, environ: Mapping[str, str], asked: Window, path: str, clock: Clock
) -> Provider:
    """The provider that --from names. Raises PriceError, and SettingsError where it needs settings."""
    name: str = args.provider
    if name == "exchange":
        from price.backfill.exchange import Exchanges
        from price.fetchers import make_fetchers

        wanted = settings.load(environ)
        fetchers = make_fetchers(wanted, clock.now, clock.monotonic)
        return Exchanges(wanted, {name: fetcher.get for name, fetcher in fetchers.items()}, clock)
    kind, _, place = name.partition(":")
    if kind == "journal":
        return _journal(place, args.unit)
    from price.backfill.peer import Peer

    spread = settings.value_of(environ, "PRICE_MAX_SPREAD", lenient=True)
    peer = Peer(name, path, args.pair, spread)
    peer.compare(asked.since, asked.until)
    return peer


def _journal(place: str, unit: str) -> Provider:
    """The journal of this machine, that of a folder's files, or a file of JSON lines. Raises PriceError."""
    from price.backfill.entries import Journald, read_lines
    from price.backfill.journal import Journal

    # a user's number means somebody else on another machine
    uid = None if place else host.user()
    if Path(place).is_file():
        # whatever is missed, the file is read through
        return Journal(partial(read_lines, place), unit, uid, unsigned=True, apart_seconds=inf)
    return Journal(Journald(place), unit, uid)
