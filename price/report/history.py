"""`price history`: the rows of a range."""

from argparse import Namespace
from collections.abc import Mapping
from datetime import datetime

from price.log import row
from price.log.row import Row
from price.report import options
from price.report.latest import last_rows
from price.report.options import finish, opened, window
from price.report.tables import Cells, Value, write

NAMES = ("slot", "pair", "price", "sources", "reason", "slots", "by", "extra")


run_options = options.add_all


def run(args: Namespace, environ: Mapping[str, str], now: datetime) -> int:
    """Prints the rows of the range: as they stand in the log, as csv or as json."""
    asked = window(args, now)
    log = opened(args, environ)
    rows = last_rows(log, asked, args.last) if args.last else log.rows(asked.since, asked.until)
    if args.format == "text":
        write("text", ("row",), ((row.text(one),) for one in rows))
    elif args.format == "csv":
        write("csv", NAMES, map(as_csv, rows))
    else:
        write("json", NAMES, map(as_cells, rows))
    return finish(log)


def _columns(one: Row, extras: dict[str, str]) -> tuple[Value, ...]:
    """The columns that have a name of their own."""
    slot, pair, price, basis, _ = one
    missed = price == row.MISSED
    slots, by = extras.pop("slots", None), extras.pop("by", None)
    known = (None, None, basis) if missed else (price, basis, None)
    return slot, pair, *known, int(slots) if slots else None, by


def as_csv(one: Row) -> tuple[Value, ...]:
    """The columns, then what a later version adds, as it stands in the row."""
    extras = row.extras(one)
    columns = _columns(one, extras)
    return *columns, " ".join(f"{key}={value}" for key, value in extras.items()) or None


def as_cells(one: Row) -> Cells:
    """The same with a name for each key; one that is a column already keeps the column's meaning."""
    extras = row.extras(one)
    named = dict(zip(NAMES, _columns(one, extras), strict=False))
    return named | {key: value for key, value in extras.items() if key not in named}
