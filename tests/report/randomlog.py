"""Random logs as the recorder could have left them, with all that may befall one."""

import gzip
import random
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from price import times
from price.log.row import header_line, write
from price.model import Pair, Quote

START = times.unix(datetime(2026, 11, 20, 23, 50, tzinfo=UTC))
PAIRS = (Pair("BTC", "USD"), Pair("ETH", "USD"), Pair("BTC", "USDT"))
REASONS = ("down", "late", "coinbase:timeout,kraken:rate-limited", "quorum,kraken:outlier")
EXTRAS = ("", "", "", "spread=0.12", "note=a-b,c key2=x=y", "next_year=!~")
MOST_STRAYS = 2
"""Rows out of order in a log: so few that there is one answer to which of the rows those are."""
_QUIET_ROWS = 5


class RandomLog:
    """Writes files slot by slot: rotated, packed, with comments, interval changes and repairs.

    An `odd` one is not as a recorder leaves it: some rows stand twice, some are out of order, and a copy of
    a file stands among the others.
    """

    def __init__(self, chance: random.Random, slots: int, *, odd: bool = False) -> None:
        self.chance = chance
        self.odd = odd
        self.strays = 0
        self.quiet = _QUIET_ROWS
        """Rows until anything but rows may come: else nobody could tell which rows are out of order."""
        self.every = chance.choice((1, 5, 60))
        self.pairs = [pair for pair in PAIRS if chance.random() < 0.7] or [PAIRS[0]]
        self.unix = START // self.every * self.every
        self.files = [self._header()]
        self.missed: list[tuple[int, Pair]] = []
        self.live: list[tuple[int, Pair]] = []
        self.free: dict[Pair, int] = {}
        for _ in range(slots):
            if self.quiet <= 0:
                self._event()
            self._slot()
        while self.quiet > 0:
            self._slot()

    def _header(self) -> str:
        return header_line(self.every) + "\n"

    def _event(self) -> None:
        """Now and then: a rotation, a comment, another interval, other pairs."""
        luck = self.chance.random()
        if luck < 0.02:
            self._wait_for_all()
            self.files.append(self._header())
        elif luck < 0.04:
            self.files[-1] += self.chance.choice(("# someone was here\n", "#\n", "# 2026 - x slots=3 \n"))
        elif luck < 0.05:
            self._wait_for_all()
            before, self.every = self.every, self.chance.choice((1, 5, 60))
            self.unix = (self.unix - before) // self.every * self.every + self.every
            self.files[-1] += self._header()
        elif luck < 0.06:
            self._wait_for_all()
            self.pairs = [pair for pair in PAIRS if self.chance.random() < 0.7] or [PAIRS[0]]
            self.files[-1] += self._header()
        elif luck < 0.12 and self.odd and self.strays < MOST_STRAYS:
            self._stray()
        else:
            return
        self.quiet = _QUIET_ROWS

    def _stray(self) -> None:
        """A row of another time, farther away than the rows around it reach."""
        away = self.chance.choice((-1, 1)) * self.chance.randint(200, 400) * self.every
        self._add(self._text(self.unix + away, self.chance.choice(self.pairs)))
        self.strays += 1

    def _add(self, text: str) -> None:
        self.files[-1] += f"{text}\n"
        self.quiet -= 1

    def _wait_for_all(self) -> None:
        """A sum, and a file, ends where the last missed stretch does."""
        while any(free > self.unix for free in self.free.values()):
            self._slot()

    def _slot(self) -> None:
        long = self.chance.randint(2, 30)
        all_down = self.chance.random() < 0.03
        known: list[Pair] = []
        for pair in self.pairs:
            if self.free.get(pair, 0) > self.unix:
                continue
            luck = self.chance.random()
            if all_down or luck < 0.03:
                self._row(pair, slots=long)
            elif luck < 0.15:
                self._row(pair, slots=1)
            else:
                self.live.append((self.unix, pair))
                self._add(self._text(self.unix, pair))
            known.append(pair)
            if self.odd and self.chance.random() < 0.04:
                self._add(self._text(self.unix, self.chance.choice(known)))
        self.unix += self.every

    def _row(self, pair: Pair, slots: int) -> None:
        reason = self.chance.choice(REASONS)
        extras = self.chance.choice(EXTRAS)
        self._add(write(Quote(times.from_unix(self.unix), pair, reason=reason, slots=slots, extras=extras)))
        self.free[pair] = self.unix + (slots - 1) * self.every + 1
        self.missed += [(self.unix + number * self.every, pair) for number in range(slots)]

    def _text(self, unix: int, pair: Pair, by: str = "") -> str:
        digits = self.chance.choice((2, 5, 22))
        price = Decimal(self.chance.randint(10**digits, 10**digits + 30)).scaleb(-self.chance.randint(0, 2))
        sources = tuple(self.chance.sample(("coinbase", "kraken", "bitstamp"), self.chance.randint(1, 3)))
        extras = self.chance.choice(EXTRAS)
        return write(Quote(times.from_unix(unix), pair, price, sources, by=by, extras=extras))

    def write(self, folder: Path) -> str:
        """Writes the files under names that logrotate gives: numbers or dates; the path of the log."""
        dated = self.chance.choice(("", "-2026{:04d}", ".2026{:04d}", "_2026-{:02d}.txt"))
        for age, text in enumerate(reversed(self.files)):
            rotated = dated.format(9000 - age) if dated else f".{age}"
            name = f"prices.txt{rotated}" if age else "prices.txt"
            if age and self.chance.random() < 0.4:
                (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode(), 1))
            else:
                half = "" if age or self.chance.random() < 0.5 else "2026-11-21T10:00:00Z BTC-USD 971"
                (folder / name).write_text(text + half)
        if self.odd and self.chance.random() < 0.3:
            copied = self.chance.choice(self.files)
            if not self.strays:  # else the copy might end among the rows around one
                copied = "".join(copied.splitlines(keepends=True)[: self.chance.randint(1, 200)])
            (folder / "prices.txt.99").write_text(copied)
        return str(folder / "prices.txt")

    def write_repairs(self, folder: Path, *, sound: bool = False) -> None:
        """Fills missed slots; unless `sound`, it also tries slots with a live row, and holes."""
        share = self.chance.choice((0.05, 0.5, 1))
        slots = {slot for slot in self.missed if self.chance.random() < share}
        if not sound:
            slots |= {slot for slot in self.live if self.chance.random() < 0.05}
            slots |= {(START + 60 * self.chance.randint(-9, 99), self.chance.choice(PAIRS)) for _ in range(9)}
        rows = [self._text(unix, pair, "journal") for unix, pair in sorted(slots, key=lambda slot: slot[0])]
        text = self._header() + "".join(row + "\n" for row in rows)
        (folder / "repairs.txt").write_text(text)
