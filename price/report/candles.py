"""`price candles`: open, high, low, close and count per pair and period, exact to the digit."""

from argparse import ArgumentParser, Namespace
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from price import times
from price.log import row
from price.log.order import Block
from price.log.read import PriceLog
from price.report.latest import latest
from price.report.options import Window, add_all, finish, opened, window
from price.report.tables import write

NAMES = ("start", "pair", "open", "high", "low", "close", "count")
_MOST_PRICES = 10_000
_LONGEST = 36_525 * times.DAY


class Candle(NamedTuple):
    """The prices of a pair in a period that begins at the slot `start`, as they stand in the rows."""

    start: str
    pair: str
    open: str
    high: str
    low: str
    close: str
    slots: int
    """How many slots have a price."""


class Candles:
    """Finds candles block by block: those of a period once it is over, pair by pair."""

    def __init__(self, every: int) -> None:
        self.every = every
        """The seconds of a period."""
        self._start = self._end = ""
        """The period, as slots; before its end, no price is another period's."""
        self._end_unix = 0
        self._prices: defaultdict[str, list[str]] = defaultdict(list)
        """The prices of each pair in the period, as they stand in the rows."""
        self._dropped: Counter[str] = Counter()
        """How many prices of a pair were taken out of the list since they cannot matter any more."""

    def of(self, blocks: Iterable[Block]) -> Iterator[Candle]:
        """All candles of some rows."""
        for _, rows in blocks:
            yield from self.add(rows)
        yield from self.rest()

    def add(self, rows: list[row.Row]) -> Iterator[Candle]:
        """The candles that are over after the next block of rows."""
        found, missed, end = self._prices, row.MISSED, self._end
        for slot, pair, price, _, _ in rows:
            if price == missed:
                continue
            if slot >= end:
                yield from self.rest()
                self._begin(slot)
                end = self._end
            found[pair].append(price)
        self._shorten()

    def rest(self) -> Iterator[Candle]:
        """The candles of the period that goes on."""
        for pair, prices in self._prices.items():
            count = len(prices) + self._dropped.pop(pair, 0)
            yield Candle(self._start, pair, *corners(prices), count)
        self._prices.clear()

    def _begin(self, slot: str) -> None:
        """Begins the period of a slot that is not before the end of the last one."""
        # mostly it is the next period, whose start is known
        self._start, self._end_unix = self._end, self._end_unix + self.every
        self._end = times.slot_text(self._end_unix)
        if not self._start or slot >= self._end:
            self._end_unix = times.next_multiple(times.slot_unix(slot), self.every)
            self._start = times.slot_text(self._end_unix - self.every)
            self._end = times.slot_text(self._end_unix)

    def _shorten(self) -> None:
        """Keeps the memory of a long period small: four prices make the same candle as all."""
        for pair, prices in self._prices.items():
            if len(prices) > _MOST_PRICES:
                self._dropped[pair] += len(prices) - 4
                prices[:] = corners(prices)


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


def _last(log: PriceLog, every: int, asked: Window, most: int) -> list[Candle]:
    def ask(since: int | None) -> Iterator[Candle]:
        start = asked.since
        if since is not None and since != start:  # the first candle is to be a whole one
            start = max(since // every * every, start or 0)
        return Candles(every).of(log.blocks(start, asked.until))

    return latest(log, asked, every * (most + 1), most, ask, of_one_row=False)
