"""`price gaps`: each missed stretch, and how complete the range is."""

import sys
from argparse import Namespace
from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import attrgetter

from price import times
from price.log.gaps import Gap, Gaps, gaps_between
from price.report import options
from price.report.latest import last_of
from price.report.options import finish, opened, window
from price.report.tables import Value, write

NAMES = ("start", "end", "pair", "slots", "reason")


run_options = options.add_all


def run(args: Namespace, environ: Mapping[str, str], now: datetime) -> int:
    """Prints the gaps of the range; as text, the last line is the completeness in percent."""
    asked = window(args, now)
    log = opened(args, environ)
    found = Gaps()
    gaps: Iterable[Gap] = gaps_between(log, asked.since, asked.until, found)
    if args.last:
        gaps = last_of(gaps, args.last, attrgetter("pair"))
    write(args.format, NAMES, map(_values, gaps))
    if args.format == "text":
        sys.stdout.write(completeness(found.priced, found.missed))
    return finish(log)


def _values(gap: Gap) -> tuple[Value, ...]:
    return times.slot_text(gap.start), times.slot_text(gap.last), gap.pair, gap.slots, gap.reason


def completeness(priced: int, missed: int) -> str:
    """The share of slots with a price, for people; never rounded up to 100 %."""
    total = priced + missed
    if total == 0:
        return "no slots in this range\n"
    parts = priced * 1_000_000 // total
    percent = f"{parts // 10_000}.{parts % 10_000:04d}".rstrip("0").rstrip(".")
    return f"{percent} % complete: {priced} of {total} slots have a price\n"
