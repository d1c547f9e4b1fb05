"""An independent reader: every row of every file, slot by slot, in memory, with price/log/row.py alone."""

import gzip
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from pathlib import Path

from price import times
from price.log.row import plain, quote_of, read, read_header
from price.model import Pair, Quote
from tests.report.randomlog import MOST_STRAYS

Live = tuple[Quote, int]
"""A row, and the interval in force there."""


def files_of(path: str) -> list[list[Live]]:
    """The finished rows of each of the log's files, the one whose first row is the earliest first."""
    contents = [
        gzip.decompress(file.read_bytes()).decode() if file.suffix == ".gz" else file.read_text()
        for file in sorted(Path(path).parent.iterdir(), key=lambda file: (str(file) == path, file.name))
        if file.name.startswith("prices.txt")
    ]
    files = [rows for content in contents if (rows := rows_of(content))]
    return sorted(files, key=lambda rows: rows[0][0].slot)


def rows_of(content: str) -> list[Live]:
    """The finished rows of a file."""
    rows, every = [], 0
    for text in content.split("\n")[:-1]:
        header = read_header(text)
        every = header.every if header else every
        if not text.startswith("#"):
            rows.append((quote_of(read(text)), every))
    return rows


def live_rows(path: str) -> list[Live]:
    """The rows of a log that has no odd ones."""
    return [row for rows in files_of(path) for row in rows]


def in_place(rows: list[Live]) -> list[Live]:
    """The rows without those that stand on the wrong side of more others than a log has strays."""
    slots = [quote.slot for quote, _ in rows]
    return [
        row
        for at, row in enumerate(rows)
        if sum(slot > slots[at] for slot in slots[:at]) + sum(slot < slots[at] for slot in slots[at:])
        <= MOST_STRAYS
    ]


def repairs_of(path: str) -> dict[tuple[int, Pair], Quote]:
    """The repairs by slot and pair."""
    file = Path(path).parent / "repairs.txt"
    found = file.read_text().split("\n")[:-1] if file.exists() else []
    quotes = [quote_of(read(text)) for text in found if not text.startswith("#")]
    return {(times.unix(quote.slot), quote.pair): quote for quote in quotes}


class BruteForce:
    """All rows of a range."""

    def __init__(self, path: str, *, live_only: bool = False) -> None:
        files = files_of(path)
        kept = [in_place(rows) for rows in files]
        self.disordered = sum(map(len, files)) - sum(map(len, kept))
        once: dict[tuple[datetime, Pair], Live] = {}
        for quote, every in sorted(chain.from_iterable(kept), key=lambda row: row[0].slot):
            once.setdefault((quote.slot, quote.pair), (quote, every))
        self.live = [*once.values()]
        self.doubles = sum(map(len, kept)) - len(self.live)
        self.repairs = {} if live_only else repairs_of(path)

    def quotes(self, since: int, until: int, pairs: list[Pair]) -> list[tuple[Quote, int]]:
        """The rows from `since` up to `until`, and their intervals."""
        found: list[tuple[int, int, Quote, int]] = []
        taken: set[tuple[int, Pair]] = set()  # repairs of slots that have a row
        for place, (quote, every) in enumerate(self.live):
            start = times.unix(quote.slot)
            slots = [start + number * every for number in range(quote.slots)]
            covered = range(start, slots[-1] + 1)
            near = self.repairs if quote.slots > 1 else [(start, quote.pair)]
            taken |= {(slot, pair) for slot, pair in near if slot in covered and pair == quote.pair}
            kept: list[int] = []
            for slot in [*slots, None]:
                repair = self.repairs.get((slot, quote.pair)) if slot is not None and quote.missed else None
                if slot is not None and since <= slot < until and repair is None:
                    kept.append(slot)
                    continue
                if kept:
                    first = quote.slot + timedelta(seconds=kept[0] - start)
                    found.append((kept[0], place, quote._replace(slot=first, slots=len(kept)), every))
                    kept = []
                if slot is not None and repair is not None and since <= slot < until:
                    found.append((slot, place, repair, every))
        for (slot, pair), repair in self.repairs.items():
            if (slot, pair) not in taken and since <= slot < until:
                found.append((slot, len(self.live), repair, 0))
        found.sort(key=lambda entry: entry[:2])
        return [(quote, every) for _, _, quote, every in found if not pairs or quote.pair in pairs]

    def candles(self, since: int, until: int, pairs: list[Pair], every: int) -> list[str]:
        """The candles of the range as text, by period and then by first row."""
        periods: dict[int, dict[Pair, list[Decimal]]] = {}
        for quote, _ in self.quotes(since, until, pairs):
            if quote.price is not None:
                start = times.unix(quote.slot) // every * every
                periods.setdefault(start, {}).setdefault(quote.pair, []).append(quote.price)
        return [
            " ".join(
                [times.iso(times.from_unix(start)), str(pair)]
                + [plain(price) for price in (prices[0], max(prices), min(prices), prices[-1])]
                + [str(len(prices))]
            )
            for start, by_pair in periods.items()
            for pair, prices in by_pair.items()
        ]

    def slots(self, since: int, until: int, pairs: list[Pair]) -> list[tuple[int, str, str, int]]:
        """Each slot of the range, row by row: when, which pair, why it was missed or "", and the interval."""
        found = []
        for quote, every in self.quotes(since, until, pairs):
            start = times.unix(quote.slot)
            step = every or self._every_at(quote.slot)
            unixes = range(start, start + quote.slots * step, step)
            found += [(unix, str(quote.pair), quote.reason, step) for unix in unixes]
        return found

    def _every_at(self, slot: datetime) -> int:
        """The interval of a slot without a row: what lies between two segments belongs to the later one."""
        return next((every for quote, every in self.live if quote.slot > slot), self.live[-1][1])
