"""`price history`: the rows of a range."""

import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from price.log import row
from price.log.chunk import Chunk
from price.log.pricelog import PriceLog
from price.report.options import Window, file_of, say_skipped, say_unseen, window
from price.report.tables import Value, write

NAMES = ("slot", "pair", "price", "sources", "reason", "slots", "by")


def run(args: Namespace, environ: Mapping[str, str], now: datetime) -> int:
    """Prints the rows of the range: as they stand in the log, as csv or as json."""
    asked = window(args, now)
    with PriceLog(file_of(args, environ), args.pair, live_only=args.live_only) as log:
        chunks = log.chunks(asked.since, asked.until) if not args.last else _last(log, asked, args.last)
        if args.format == "text":
            for chunk in chunks:
                sys.stdout.write(chunk.rows.decode("ascii"))
        else:
            write(args.format, NAMES, _values(chunks))
        say_skipped(log.skipped)
        say_unseen(log.unseen)
    return 0


def _last(log: PriceLog, asked: Window, most: int) -> Iterator[Chunk]:
    from price.report.latest import latest

    def rows(since: int) -> Iterator[tuple[bytes, bytes]]:
        for chunk in log.chunks(since, asked.until):
            for line in row.lines(chunk.rows):
                yield row.pair_of(line), line

    # no interval is over an hour, most are 5 s: a first span that is short costs one more turn
    lines = latest(log, asked.since, asked.until, 10 * (most + 2), most, rows)
    yield Chunk(b"".join(lines), 0)


def _values(chunks: Iterable[Chunk]) -> Iterator[tuple[Value, ...]]:
    for chunk in chunks:
        for line in chunk.rows.decode("ascii").splitlines():
            slot, pair, price, basis, *extras = line.split(" ")
            known = dict(extra.split("=", 1) for extra in extras)
            missed = price == "-"
            slots = int(known["slots"]) if "slots" in known else None
            yield (
                slot,
                pair,
                None if missed else price,
                None if missed else basis,
                basis if missed else None,
                slots,
                known.get("by"),
            )
