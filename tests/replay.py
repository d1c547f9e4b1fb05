"""Records real minutes at high speed: `python -m tests.replay CSV`.

The recorder, its files, its HTTP and the exchanges are the real ones; only the time between the rounds is
left out. A minute's rows must lie within what the exchanges themselves had in that minute. Minutes from
before the program's release are played some whole weeks later: it believes no clock that stands there.
"""

import argparse
import random
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from price import RELEASED, times
from price.clock import Signal
from price.model import Pair
from price.recorder.app import App
from tests.announced import announced
from tests.exchange import Market, Replay
from tests.fakes import FakeClock
from tests.proof import proven

BTC = Pair("BTC", "USD")
INTERVAL = 5
_STAND_INS = ("coinbase", "kraken", "bitstamp", "gemini")


class Report(NamedTuple):
    """What came of a replay."""

    slots: int
    rows: list[str]
    outside: list[str]
    """Rows whose price no exchange had in that minute."""
    alone: int
    """Rows that rest on fewer sources than there are."""
    seconds: float

    @property
    def missed(self) -> int:
        """Rows without a price."""
        return sum(row.split(" ")[2] == "-" for row in self.rows)

    def __str__(self) -> str:
        return (
            f"{self.slots} slots, {len(self.rows)} rows, of which {self.missed} missed"
            f" and {self.alone} on fewer sources;"
            f" {len(self.outside)} outside the exchanges' range; {self.seconds:.1f} s"
        )


class Minutes:
    """The minutes of a CSV, each of its exchanges under the name of one that quotes in dollars."""

    def __init__(self, path: Path) -> None:
        self.replay = Replay(path)
        self.later = _weeks_until(RELEASED, self.replay.first)
        """How much later than at their own time they are played."""
        if self.later:
            self.replay = Replay(path, self.replay.first + self.later)
        named = self.replay.exchanges(BTC)
        others = [name for name in _STAND_INS if name not in named]
        self._real = {name if name in _STAND_INS else others.pop(0): name for name in named}

    @property
    def names(self) -> Sequence[str]:
        """The exchanges as the recorder knows them."""
        return list(self._real)

    def __call__(self, name: str, pair: Pair, moment: datetime) -> Decimal | None:
        return self.replay(self._real[name], pair, moment)

    def range(self, minute: int) -> tuple[Decimal, Decimal] | None:
        """The lowest and the highest price that any of them had in the minute that opens then."""
        candles = [self.replay.candle(name, BTC, minute) for name in self._real.values()]
        known = [candle for candle in candles if candle]
        return (min(one.low for one in known), max(one.high for one in known)) if known else None


def replay(path: Path, folder: Path, minutes: int, start: datetime | None = None) -> Report:
    """Records so many minutes of a CSV from `start` on (its first minute) into a folder."""
    prices = Minutes(path)
    begin = start + prices.later if start else prices.replay.first
    clock = FakeClock(begin - timedelta(seconds=1))
    clock.post_at(1 + minutes * 60 - INTERVAL / 2, Signal.STOP)
    began = time.monotonic()
    with Market(prices.names, prices=prices, pairs=[BTC], clock=clock.now) as market:
        assert App(_environ(market, folder), clock, announced(clock), random.Random(1)).run() == 0
    seconds = time.monotonic() - began
    rows = proven((folder / "prices.txt").read_text())
    outside = [row for row in rows if not _inside(row, prices)]
    alone = sum(row.split(" ")[3].count(",") < len(prices.names) - 1 for row in rows if " - " not in row)
    return Report(minutes * 60 // INTERVAL, rows, outside, alone, seconds)


def _weeks_until(moment: datetime, first: datetime) -> timedelta:
    """The whole weeks from the first moment to the other or just beyond; none where it is not before it."""
    week = timedelta(weeks=1)
    return week * max(0, -((first - moment) // week))


def _environ(market: Market, folder: Path) -> dict[str, str]:
    files = {name: str(folder / f"{name.lower()}.json") for name in ("STATE", "STATUS")}
    ours = {"INTERVAL": str(INTERVAL), "FILE": str(folder / "prices.txt"), "LOG_LEVEL": "CRITICAL", **files}
    return market.environment | {f"PRICE_{name}": value for name, value in ours.items()}


def _inside(row: str, prices: Minutes) -> bool:
    slot, _, price, *_ = row.split(" ")
    if price == "-":
        return True
    had = prices.range(times.unix(times.parse_iso(slot)) // 60 * 60)
    return had is not None and had[0] <= Decimal(price) <= had[1]


def main() -> int:
    """Replay a part of a file and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.replay", description=__doc__)
    parser.add_argument(
        "csv", type=Path, help="ts,exchange,pair,open,high,low,close,volume,trades; may end in .gz"
    )
    parser.add_argument("--minutes", type=int, default=60, help="how many (60)")
    parser.add_argument(
        "--start", type=times.parse_iso, metavar="TIME", help="the first one (the file's first)"
    )
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        report = replay(options.csv, Path(folder), options.minutes, options.start)
    print(report)
    print(*report.rows[:3], "...", *report.rows[-2:], *report.outside, sep="\n")
    return 0 if len(report.rows) == report.slots and not report.outside else 1


if __name__ == "__main__":
    sys.exit(main())
