"""Runs `price repair` in a story: a log in a folder, virtual time, a provider of one's own where wanted."""

import argparse
import contextlib
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from price import times
from price.backfill.command import run
from price.backfill.missing import Missing, Slot
from price.backfill.repair import Provider, Repair
from price.commands import repair_options
from price.log.row import Row, read_pair, write
from price.model import Pair, Quote
from tests.fakes import FakeClock

Environ = Mapping[str, str]
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BTC = Pair("BTC", "USD")
HEADER = "# price-log 1 every=5s"


def at(text: str) -> int:
    """The Unix time of a time of that day."""
    return times.unix(times.parse_iso(f"2026-11-20T{text}Z"))


def rows(first: str, last: str, price: str = "100", every: int = 5, pair: str = "BTC-USD") -> list[str]:
    """A row for each slot from one time of the day to another."""
    return [
        f"{times.iso(times.from_unix(unix))} {pair} {price} coinbase,kraken"
        for unix in range(at(first), at(last) + 1, every)
    ]


def down(start: str, slots: int, pair: str = "BTC-USD") -> str:
    """A missed row."""
    return write(Quote(times.from_unix(at(start)), read_pair(pair), reason="down", slots=slots))


class Shop:
    """A log, and what `price repair` does to it."""

    def __init__(
        self, folder: Path, log: Iterable[str] = (), environ: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.file = folder / "prices.txt"
        self.repairs = folder / "repairs.txt"
        if log:
            self.write(self.file, [HEADER, *log])
        self.environ = {"PRICE_FILE": str(self.file), **(environ or {})}
        self.clock = FakeClock(NOON)
        self.said = ""

    def write(self, path: Path, lines: Iterable[str]) -> None:
        path.write_text("".join(f"{text}\n" for text in lines))

    def repair(self, provider: str, *words: str, known: Provider | None = None) -> int:
        """Repairs, and proves that prices.txt stays as it is; what was printed is in `said`."""
        parser = argparse.ArgumentParser(prog="price")
        repair_options(parser)
        args = parser.parse_args(["--from", provider, *words])
        before = self.file.read_bytes()
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                return run(args, self.environ, self.clock.now(), self.clock, known)
        finally:
            self.said = printed.getvalue()
            assert self.file.read_bytes() == before

    def filled(self) -> list[str]:
        """The rows of repairs.txt."""
        text = self.repairs.read_text() if self.repairs.exists() else ""
        return [one for one in text.splitlines() if not one.startswith("#")]


class Knows:
    """A provider that knows a price for some slots, whatever is missing."""

    by = "journal"
    simulated: bool | None = None

    def __init__(self, known: Mapping[Slot, str]) -> None:
        self.known = known

    def fetch(self, missing: Missing, repair: Repair) -> Iterator[Row]:
        yield from (row_of(slot, said) for slot, said in self.known.items())

    def notes(self) -> Iterator[str]:
        return iter(())


def row_of(slot: Slot, said: str) -> Row:
    """A row of a slot, from its price and its sources."""
    price, sources, *extras = said.split(" ")
    return times.slot_text(slot[0]), slot[1], price, sources, "".join(f" {extra}" for extra in extras)
