"""`price candles`: open, high, low, close and count per pair and period, exact to the digit."""

from argparse import Namespace
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import repeat

from price import times
from price.log import row
from price.log.chunk import Chunk, four_columns, priced
from price.log.pricelog import PriceLog
from price.report.options import Window, file_of, say_skipped, say_unseen, window
from price.report.tables import Value, write

NAMES = ("start", "pair", "open", "high", "low", "close", "count")
_FLOAT_TEXT = 15
"""Prices of up to 15 digits are told apart, and put in order, by their floats."""
_LONGEST = 36_525 * row.DAY
Ordered = list[str] | list[float] | list[Decimal]


class Columns:
    """The rows with a price of some chunk, column by column: a list's method beats a loop over rows."""

    __slots__ = ("bases", "ordered", "pairs", "prices", "slots")

    def __init__(self, slots: list[str], pairs: list[str], prices: list[str], bases: list[str]) -> None:
        self.slots, self.pairs, self.prices, self.bases = slots, pairs, prices, bases
        self.ordered = ordered(prices)

    def doubtful(self) -> bool:
        """Whether some column holds what no row has there, as where a line is no row."""
        return (
            len(self.prices) != len(self.slots)
            or not {*map(len, self.slots)} <= {row.SLOT_BYTES}
            or bool("".join(self.prices).translate(_NO_DIGITS))
            or not float(min(self.ordered, default=1))
            or not all(row.is_pair(pair.encode("latin-1")) for pair in set(self.pairs))
        )


_LEAP_DAY = b"-02-29T"
"""The one day of which the form alone does not tell whether there is one."""
_NO_DIGITS = str.maketrans("", "", "0123456789.")


def ordered(prices: list[str]) -> Ordered:
    """What is in order as the prices are: their texts, where all have as many digits before the point.

    Else their numbers, for which 200 ns a row are spent. Raises ValueError and ArithmeticError.
    """
    points = {*map(str.find, prices, repeat("."))}
    whole = [len(price) for price in prices if "." not in price] if -1 in points else []
    lengths = {*points, *whole} - {-1}
    if len(lengths) < 2 and 0 not in lengths and "".join(prices).count(".") == len(prices) - len(whole):
        return prices
    exact = max(map(len, prices), default=0) > _FLOAT_TEXT
    return [*map(Decimal, prices)] if exact else [*map(float, prices)]


def columns(rows: bytes) -> tuple[Columns, int]:
    """The columns of those rows that have a price, and how many lines were left out as no rows.

    A split of the whole chunk costs half of a split per row; it needs rows of four columns.
    """
    fields = four_columns(priced(rows)).decode("latin-1").split()
    try:
        found = Columns(fields[::4], fields[1::4], fields[2::4], fields[3::4])
    except (ValueError, ArithmeticError):
        pass
    else:
        if not found.doubtful() and _LEAP_DAY not in rows:
            return found, 0
    known = row.sound(rows)
    lines = [line.split(" ", 4) for line in priced(known).decode("ascii").splitlines()]
    slots, pairs, prices, bases = ([line[number] for line in lines] for number in range(4))
    return Columns(slots, pairs, prices, bases), rows.count(b"\n") - known.count(b"\n")


class Candle:
    """The prices of one pair in one period, as they stand in the rows."""

    __slots__ = ("close", "count", "high", "low", "open")

    def __init__(self, prices: list[str], ordered: Ordered) -> None:
        self.open = prices[0]
        self.high = prices[ordered.index(max(ordered))]  # type: ignore[arg-type]  # one list has one type
        self.low = prices[ordered.index(min(ordered))]  # type: ignore[arg-type]
        self.close = prices[-1]
        self.count = len(prices)

    def add(self, later: "Candle") -> None:
        """Adds the prices that follow."""
        self.high = max(self.high, later.high, key=Decimal)
        self.low = min(self.low, later.low, key=Decimal)
        self.close = later.close
        self.count += later.count


class Candles:
    """Makes candles chunk by chunk; holds those of one period only."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.skipped = 0
        self._candles: dict[str, Candle] = {}
        self._end = 0
        self._start = self._end_text = ""

    def within(self, chunks: Iterable[Chunk]) -> Iterator[tuple[Value, ...]]:
        """The candles as rows of the table, period by period."""
        return self.of(self.columns(chunks))

    def columns(self, chunks: Iterable[Chunk]) -> Iterator[Columns]:
        """What `of` needs of each chunk, for those who look at it on the way."""
        for chunk in chunks:
            found, skipped = columns(chunk.rows)
            self.skipped += skipped
            yield found

    def of(self, parts: Iterable[Columns]) -> Iterator[tuple[Value, ...]]:
        """The candles of columns that follow one another, as `within`."""
        for found in parts:
            slots = found.slots
            alone = len(set(found.pairs)) == 1
            at = 0
            while at < len(slots):
                if slots[at] >= self._end_text:
                    yield from self._finished()
                    self._begin(slots[at])
                stop = bisect_left(slots, self._end_text, at)
                if alone:
                    self._add(found.pairs[at], found.prices[at:stop], found.ordered[at:stop])
                else:
                    self._share(found, at, stop)
                at = stop
        yield from self._finished()

    def _begin(self, slot: str) -> None:
        """Goes on to the period of a slot: mostly the next one, whose start is known."""
        self._start, self._end = self._end_text, self._end + self.every
        if not self._start or (after := row.text_of(self._end)) <= slot:
            start = row.unix_of(slot.encode()) // self.every * self.every
            self._start, self._end = row.text_of(start), start + self.every
            after = row.text_of(self._end)
        self._end_text = after

    def _share(self, found: Columns, at: int, stop: int) -> None:
        """Adds rows of several pairs."""
        for pair in dict.fromkeys(found.pairs[at:stop]):
            mine = [place for place in range(at, stop) if found.pairs[place] == pair]
            part: list[str] = [found.ordered[place] for place in mine]  # type: ignore[misc]
            self._add(pair, [found.prices[place] for place in mine], part)

    def _add(self, pair: str, prices: list[str], ordered: Ordered) -> None:
        candle = Candle(prices, ordered)
        if pair in self._candles:
            self._candles[pair].add(candle)
        else:
            self._candles[pair] = candle

    def _finished(self) -> Iterator[tuple[Value, ...]]:
        for pair, candle in self._candles.items():
            yield self._start, pair, candle.open, candle.high, candle.low, candle.close, candle.count
        self._candles.clear()


def run(args: Namespace, environ: Mapping[str, str], now: datetime) -> int:
    """Prints the candles of the range."""
    asked = window(args, now)
    every = _period(args)
    with PriceLog(file_of(args, environ), args.pair, live_only=args.live_only) as log:
        if args.last:
            write(args.format, NAMES, _last(log, every, asked, args.last))
        else:
            candles = Candles(every)
            write(args.format, NAMES, candles.within(log.chunks(asked.since, asked.until, checked=False)))
            say_skipped(log.skipped + candles.skipped)
        say_unseen(log.unseen)
    return 0


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

    def ask(since: int) -> Iterator[tuple[bytes, tuple[Value, ...]]]:
        start = since // every * every
        start = start if asked.since is None else max(start, asked.since)
        for values in Candles(every).within(log.chunks(start, asked.until, checked=False)):
            yield str(values[1]).encode(), values

    return latest(log, asked.since, asked.until, every * (most + 1), most, ask)
