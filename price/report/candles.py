"""`price candles`: open, high, low, close and count per pair and period, exact to the digit."""

from argparse import ArgumentParser, Namespace
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from price import times
from price.log import row
from price.log.order import Block
from price.log.read import PriceLog
from price.report.options import Window, add_format, add_last, add_range, file_of, finish, window
from price.report.tables import Value, write

NAMES = ("start", "pair", "open", "high", "low", "close", "count")
_FLOAT_TEXT = 15
"""Prices of up to 15 digits are told apart, and put in order, by their floats."""
_LONGEST = 36_525 * row.DAY


class Candle:
    """The prices of one pair in one period, as they stand in the rows."""

    __slots__ = ("close", "count", "high", "low", "open")

    def __init__(self, prices: list[str], numbers: Sequence[float | Decimal]) -> None:
        self.open = prices[0]
        self.high = prices[numbers.index(max(numbers))]
        self.low = prices[numbers.index(min(numbers))]
        self.close = prices[-1]
        self.count = len(prices)

    def add(self, later: "Candle") -> None:
        """Adds the prices that follow."""
        self.high = max(self.high, later.high, key=Decimal)
        self.low = min(self.low, later.low, key=Decimal)
        self.close = later.close
        self.count += later.count


class Candles:
    """Makes candles block by block; holds those of one period only."""

    def __init__(self, every: int) -> None:
        self.every = every
        """The seconds of a period."""
        self._candles: dict[str, Candle] = {}
        self._start = self._end = ""
        self._end_unix = 0

    def of(self, blocks: Iterable[Block]) -> Iterator[tuple[Value, ...]]:
        """The candles as rows of the table, period by period."""
        for _, rows in blocks:
            priced = [one for one in rows if one[2] != row.MISSED]
            slots, prices = [one[0] for one in priced], [one[2] for one in priced]
            numbers = _numbers(prices)
            pairs = [one[1] for one in priced]
            alone = pairs.count(pairs[0]) == len(pairs) if pairs else True
            at = 0
            while at < len(slots):
                if slots[at] >= self._end:
                    yield from self._finished()
                    self._begin(slots[at])
                stop = bisect_left(slots, self._end, at)
                if alone:
                    self._add(pairs[0], prices[at:stop], numbers[at:stop])
                else:
                    self._share(pairs[at:stop], prices[at:stop], numbers[at:stop])
                at = stop
        yield from self._finished()

    def _begin(self, slot: str) -> None:
        """Goes on to the period of a slot: mostly the next one, whose start is known."""
        self._start, self._end_unix = self._end, self._end_unix + self.every
        self._end = row.slot(self._end_unix) if self._start else ""
        if slot >= self._end:
            start = row.unix(slot) // self.every * self.every
            self._start, self._end_unix = row.slot(start), start + self.every
            self._end = row.slot(self._end_unix)

    def _share(self, pairs: list[str], prices: list[str], numbers: Sequence[float | Decimal]) -> None:
        """Adds prices of several pairs."""
        for pair in dict.fromkeys(pairs):
            mine = [at for at, its in enumerate(pairs) if its == pair]
            self._add(pair, [prices[at] for at in mine], [numbers[at] for at in mine])

    def _add(self, pair: str, prices: list[str], numbers: Sequence[float | Decimal]) -> None:
        candle = Candle(prices, numbers)
        if pair in self._candles:
            self._candles[pair].add(candle)
        else:
            self._candles[pair] = candle

    def _finished(self) -> Iterator[tuple[Value, ...]]:
        for pair, candle in self._candles.items():
            yield self._start, pair, candle.open, candle.high, candle.low, candle.close, candle.count
        self._candles.clear()


def _numbers(prices: list[str]) -> Sequence[float | Decimal]:
    """What puts prices in order: their floats, where these tell them apart."""
    exact = max(map(len, prices), default=0) > _FLOAT_TEXT
    return [*map(Decimal, prices)] if exact else [*map(float, prices)]


def add_options(parser: ArgumentParser) -> None:
    """Adds the options of the command."""
    add_range(parser)
    add_last(parser)
    add_format(parser)
    parser.add_argument("--every", default="1m", metavar="PERIOD", help="30s, 5m, 4h, 1d ... (default 1m)")


def run(args: Namespace, environ: Mapping[str, str], now: datetime) -> int:
    """Prints the candles of the range."""
    asked = window(args, now)
    every = _period(args)
    log = PriceLog(file_of(args, environ), args.pair, live_only=args.live_only)
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


def _last(log: PriceLog, every: int, asked: Window, most: int) -> Iterator[tuple[Value, ...]]:
    from price.report.latest import latest

    def ask(since: int) -> Iterator[tuple[str, tuple[Value, ...]]]:
        start = since // every * every
        start = start if asked.since is None else max(start, asked.since)
        for values in Candles(every).of(log.blocks(start, asked.until)):
            yield str(values[1]), values

    return latest(log, asked.since, asked.until, every * (most + 1), most, ask)
