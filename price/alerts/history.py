"""The live rows of a log as rules see them."""

from collections.abc import Iterator
from decimal import Decimal

from price import times
from price.log import row
from price.log.read import PriceLog
from price.log.row import read_pair
from price.model import Pair, Quote

Seen = tuple[int, int, Quote]
"""The interval in force, the slot as Unix time, and the row."""


def live_rows(log: PriceLog, since: int | None, until: int | None = None) -> Iterator[Seen]:
    """The rows from a Unix time on, in order; `log` is opened with `live_only`."""
    pairs: dict[str, Pair] = {}
    for every, rows in log.blocks(since, until):
        for one in rows:
            slot, pair, price, basis, _ = one
            unix = times.slot_unix(slot)
            known = pairs.get(pair) or pairs.setdefault(pair, read_pair(pair))
            if price != row.MISSED:
                yield every, unix, Quote(times.from_unix(unix), known, Decimal(price))
            else:
                yield (
                    every,
                    unix,
                    Quote(times.from_unix(unix), known, reason=basis, slots=row.slots(one)),
                )
