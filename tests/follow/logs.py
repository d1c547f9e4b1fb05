"""Logs of several recorders, made at random, and what all of them together must become in a database."""

import random
from collections.abc import Iterable, Mapping
from pathlib import Path

from price import times
from price.log import row
from price.log.row import Row, header_line

START = times.slot_unix("2026-10-31T23:58:00Z")
"""Two minutes before a month's edge."""
SOURCES = ("coinbase", "kraken", "bitstamp")
Quote = tuple[str, str, str, str, str, str]
"""Pair, slot, price, sources, recorder, by."""


def write_log(path: Path, rows: Iterable[Row], every: int = 5) -> Path:
    """A log with these rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header_line(every), *map(row.text, rows), ""]))
    return path


def steady(count: int, pair: str = "BTC-USD", start: int = START, every: int = 5) -> list[Row]:
    """Rows without a gap, whose prices rise."""
    prices = (f"{62000 + number}.25" for number in range(count))
    return [
        (times.slot_text(start + every * number), pair, price, "coinbase,kraken", "")
        for number, price in enumerate(prices)
    ]


class Made:
    """What a recorder has written: its log and its repairs."""

    def __init__(self, folder: Path, name: str, seed: int, slots: int = 200) -> None:
        self.name = name
        chance = random.Random(f"{seed} {name}")
        self.rows = list(_rows(chance, slots, chance.sample(("BTC-USD", "ETH-USD", "XMR-EUR"), 2)))
        self.path = write_log(folder / name / "prices.txt", self.rows)
        gone = [one for one in self.rows if one[2] == "-" and not one[4]]
        self.repairs = [
            (slot, pair, f"{chance.randint(1, 9)}.5", "kraken", " by=journal") for slot, pair, *_ in gone[::2]
        ]
        write_log(self.path.with_name("repairs.txt"), self.repairs)


def _rows(chance: random.Random, slots: int, pairs: list[str]) -> Iterable[Row]:
    until: dict[str, int] = {}
    late = chance.randint(0, slots // 2)  # the slot from which the second pair is recorded
    for number in range(slots):
        slot = times.slot_text(START + 5 * number)
        for at, pair in enumerate(sorted(pairs)):
            if number < until.get(pair, 0) or (at and number < late):
                continue
            if chance.random() < 0.06:
                count = chance.choice((1, 1, 1, 7, 40))
                until[pair] = number + count
                yield slot, pair, "-", "coinbase:timeout,kraken:late", f" slots={count}" if count > 1 else ""
            else:
                sources = sorted(chance.sample(SOURCES, chance.randint(1, 3)))
                yield slot, pair, _price(chance), ",".join(sources), ""


def _price(chance: random.Random) -> str:
    digits = "".join(chance.choice("123456789") for _ in range(chance.choice((2, 5, 24))))
    return (
        digits if chance.random() < 0.3 else f"{digits}.{chance.randint(0, 10 ** chance.choice((2, 9, 50)))}1"
    )


def fold(made: Iterable[Made]) -> Mapping[str, list[tuple[str, ...]]]:
    """What the database must hold of these logs, whatever came first."""
    said: dict[tuple[str, str], list[Quote]] = {}
    missed = []
    for one in made:
        for slot, pair, price, basis, extras in [*one.rows, *one.repairs]:
            if price == "-":
                missed.append(
                    (pair, slot, str(row.slots((slot, pair, price, basis, extras))), basis, one.name)
                )
            else:
                by = extras.removeprefix(" by=")
                said.setdefault((pair, slot), []).append((pair, slot, price, basis, one.name, by))
    ranked = [sorted(quotes, key=_rank) for quotes in said.values()]
    return {
        "quote": sorted(first for first, *_ in ranked),
        "other": sorted(quote for _, *others in ranked for quote in others),
        "missed": sorted(missed),
    }


def _rank(quote: Quote) -> tuple[bool, int, str]:
    return bool(quote[5]), -len(quote[3].split(",")), quote[4]
