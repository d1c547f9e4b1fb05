"""`price candles`: open, high, low, close and count per pair and period, exact to the digit."""

from argparse import ArgumentParser, Namespace
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from price import times
from price.log import row
from price.log.order import Block
from price.log.read import PriceLog
from price.report.latest import latest
from price.report.options import Window, add_all, finish, opened, window
from price.report.tables import Value, write

NAMES = ("start", "pair", "open", "high", "low", "close", "count")
_MOST_PRICES = 10_000
_LONGEST = 36_525 * times.DAY


class Candles:
    """Collects the prices of one period, pair by pair, and makes a candle of each when it is over."""

    def __init__(self, every: int) -> None:
        self.every = every
        """The seconds of a period."""
        self._prices: defaultdict[str, list[str]] = defaultdict(list)
        """The prices of each pair in the period, as they stand in the rows."""
        self._dropped: Counter[str] = Counter()
        """How many prices of a pair were taken out of the list since they cannot matter any more."""

    def of(self, blocks: Iterable[Block]) -> Iterator[tuple[Value, ...]]:
        """The candles as rows of the table, period by period."""
        found, missed, start, end, end_unix = self._prices, row.MISSED, "", "", 0
        for _, rows in blocks:
            for slot, pair, price, _, _ in rows:
                if price == missed:
                    continue
                if slot >= end:
                    yield from self._finished(start)
                    # mostly it is the next period, whose start is known
                    start, end_unix = end, end_unix + self.every
                    end = times.slot_text(end_unix)
                    if not start or slot >= end:
                        end_unix = times.next_multiple(times.slot_unix(slot), self.every)
                        start, end = times.slot_text(end_unix - self.every), times.slot_text(end_unix)
                found[pair].append(price)
            self._shorten()
        yield from self._finished(start)

    def _shorten(self) -> None:
        """Keeps the memory of a long period small: four prices make the same candle as all."""
        for pair, prices in self._prices.items():
            if len(prices) > _MOST_PRICES:
                self._dropped[pair] += len(prices) - 4
                prices[:] = corners(prices)

    def _finished(self, start: str) -> Iterator[tuple[Value, ...]]:
        for pair, prices in self._prices.items():
            yield start, pair, *corners(prices), len(prices) + self._dropped.pop(pair, 0)
        self._prices.clear()


def corners(prices: list[str]) -> tuple[str, str, str, str]:
    """Open, high, low and close of some prices."""
    points = {price.find(".") for price in prices}
    # as many digits before the point in all of them: then they sort as texts as they do as numbers
    as_texts = len(points) == 1 and -1 not in points
    ascending = sorted(prices, key=None if as_texts else Decimal)
    return prices[0], ascending[-1], ascending[0], prices[-1]


def run_options(parser: ArgumentParser) -> None:
    """Adds the options of the command."""
    add_all(parser)
    parser.add_argument("--every", default="1m", metavar="PERIOD", help="30s, 5m, 4h, 1d ... (default 1m)")


def run(args: Namespace, environ: Mapping[str, str], now: datetime) -> int:
    """Prints the candles of the range."""
    asked = window(args, now)
    every = _period(args)
    log = opened(args, environ)
    if args.last:
        write(args.format, NAMES, _last(log, every, asked, args.last))
    else:
        write(args.format, NAMES, Candles(every).of(log.blocks(asked.since, asked.until)))
    return finish(log)


def _period(args: Namespace) -> int:
    """The seconds of --every; a wrong one ends as argparse's errors do."""
    every = 0
    try:
        every = times.parse_length(args.every)
    except ValueError as error:
        args.fail(f"--every: {error}")
    if not 0 < every <= _LONGEST:
        args.fail(f"--every: {args.every} is not from 1s to 36525d")
    return every


def _last(log: PriceLog, every: int, asked: Window, most: int) -> list[tuple[Value, ...]]:
    def ask(since: int | None) -> Iterator[tuple[Value, ...]]:
        start = asked.since
        if since is not None and since != start:  # the first candle is to be a whole one
            start = max(since // every * every, start or 0)
        return Candles(every).of(log.blocks(start, asked.until))

    return latest(log, asked, every * (most + 1), most, ask, of_one_row=False)
