"""Where the copies have their prices from: a seeded walk, a CSV of real minutes, or any function."""

import csv
import gzip
import io
import math
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from price import times
from price.model import Pair
from price.sources.candles import Candle

Prices = Callable[[str, Pair, datetime], Decimal | None]
"""The price of a pair at an exchange at a moment; None where the exchange has none just then."""

_USD = {"BTC": 61000, "ETH": 2500, "SOL": 150, "LTC": 70, "XRP": 0.52, "ADA": 0.35, "DOGE": 0.12}
_USD |= {"USD": 1, "USDT": 1, "USDC": 1, "EUR": 1.08, "GBP": 1.27}
_SWINGS = ((300_000, 0.03), (7_000, 0.008), (610, 0.002), (47, 0.0003), (13, 0.0001))
_AS_NAMED_HERE = {"binance.us": "binance"}  # another host with the same API


class Walk:
    """Made-up prices that wander, the same for the same seed, known at any moment without a memory."""

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self._phases = lru_cache(maxsize=None)(self._draw_phases)
        self._offset = lru_cache(maxsize=None)(self._draw_offset)

    def __call__(self, exchange: str, pair: Pair, moment: datetime) -> Decimal:
        at = moment.timestamp()
        swing = sum(
            size * math.sin(math.tau * (at / seconds + phase))
            for (seconds, size), phase in zip(_SWINGS, self._phases(pair), strict=True)
        )
        middle = _USD.get(pair.base, 10) / _USD.get(pair.quote, 1)
        price = middle * (1 + swing + self._offset(exchange, pair))
        return Decimal(f"{price:.2f}" if price > 1000 else f"{price:.4f}" if price > 1 else f"{price:.6f}")

    def _draw_phases(self, pair: Pair) -> list[float]:
        dice = random.Random(f"{self.seed} {pair}")
        return [dice.random() for _ in _SWINGS]

    def _draw_offset(self, exchange: str, pair: Pair) -> float:
        # exchanges differ by some hundredths of a percent
        return random.Random(f"{self.seed} {pair} {exchange}").uniform(-0.0003, 0.0003)


class Replay:
    """Real minutes from a CSV (`.csv`, `.csv.gz`): ts,exchange,pair,open,high,low,close,volume,trades.

    Inside a minute the price goes straight from the open to the low and the high (the high first
    where the minute fell) and on to the close, twenty seconds each. The file's first minute is played
    at its own time, or in the minute of `begin`.
    """

    def __init__(self, path: Path, begin: datetime | None = None) -> None:
        self._minutes: dict[tuple[str, Pair], dict[int, tuple[str, ...]]] = {}
        with _opened(path) as rows:
            for row in csv.DictReader(rows):
                exchange = _AS_NAMED_HERE.get(row["exchange"], row["exchange"])
                series = self._minutes.setdefault((exchange, Pair(*row["pair"].split("-"))), {})
                series[times.unix(times.parse_iso(row["ts"]))] = tuple(row.values())[3:]
        starts = [start for series in self._minutes.values() for start in (min(series), max(series))]
        self._shift = times.unix(begin) // 60 * 60 - min(starts) if begin else 0
        self.first = times.from_unix(min(starts) + self._shift)
        self.last = times.from_unix(max(starts) + self._shift)

    def pairs(self, exchange: str) -> list[Pair]:
        """The pairs that the file has for an exchange."""
        return [pair for name, pair in self._minutes if name == exchange]

    def exchanges(self, pair: Pair) -> list[str]:
        """The exchanges that the file has a pair for."""
        return [name for name, listed in self._minutes if listed == pair]

    def __call__(self, exchange: str, pair: Pair, moment: datetime) -> Decimal | None:
        since, inside = divmod((moment - times.EPOCH) / timedelta(seconds=1), 60)
        candle = self.candle(exchange, pair, int(since) * 60)
        if candle is None:
            return None
        turns = [candle.low, candle.high] if candle.close >= candle.open else [candle.high, candle.low]
        path = [candle.open, *turns, candle.close]
        leg, within = divmod(inside, 20)
        begin, end = path[int(leg)], path[int(leg) + 1]
        places = min(_exponent(value) for value in path)
        return (begin + (end - begin) * Decimal(within) / 20).quantize(Decimal((0, (1,), places)))

    def candle(self, exchange: str, pair: Pair, start: int) -> Candle | None:
        """The minute that opens at `start`, if the file has it."""
        row = self._minutes.get((exchange, pair), {}).get(start - self._shift)
        if row is None:
            return None
        opened, high, low, close = map(Decimal, row[:4])
        return Candle(start, opened, high, low, close)


def minute(prices: Prices, exchange: str, pair: Pair, start: int, now: datetime) -> Candle | None:
    """The candle that opens at `start`, as far as it is known `now`: the last one is still forming."""
    opening = datetime.fromtimestamp(start, UTC)
    moments = [opening + timedelta(seconds=seconds) for seconds in (0, 15, 30, 45, 59.999)]
    seen = [prices(exchange, pair, moment) for moment in moments if moment <= now]
    known = [price for price in seen if price is not None]
    return Candle(start, known[0], max(known), min(known), known[-1]) if known else None


def filled(candles: Sequence[Candle]) -> list[Candle]:
    """The candles with the minutes between them filled by flat ones without trades."""
    whole: list[Candle] = []
    for candle in candles:
        while whole and whole[-1].start + 60 < candle.start:
            close = whole[-1].close
            whole.append(Candle(whole[-1].start + 60, close, close, close, close))
        whole.append(candle)
    return whole


def _opened(path: Path) -> io.TextIOBase:
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
