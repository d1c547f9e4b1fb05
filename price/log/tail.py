"""What the end of a log says, for the recorder that goes on from it; through rotated files where need be.

    ending = read_ending(str(path), pairs, lambda: clock.monotonic() < deadline)
    ending.rows[pair], ending.priced[pair], ending.interval, ending.simulated, ending.warnings

It never fails: what cannot be read, or not in time, stands in `warnings`, one line each, for the operator.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from price import times
from price.errors import PriceError
from price.log import row
from price.log.file import BLOCK, LONGEST, File, last_interval, last_row
from price.log.files import LogFile, log_files
from price.log.quotes import quote_of
from price.model import Pair, Quote

_PACKED_BYTES = 4 << 20
"""How much of the end of a packed file is looked at: days of one pair."""
_RECENT_SECONDS = 60
_FAR = 221_845_392_000
"""The year 9000: a row from there on would leave no slot to record."""


@dataclass(slots=True)
class Ending:
    """What the last rows of a log say."""

    interval: int | None = None
    """In force at the end, in seconds; None for a log without a header."""
    simulated: bool | None = None
    """Whether its prices are made up: its first line says so, or its newest price. None without either."""
    rows: dict[Pair, Quote] = field(default_factory=dict)
    """The last row of each pair that was asked for, and of those recorded in the last minute."""
    priced: dict[Pair, Quote] = field(default_factory=dict)
    """The last row with a price of each pair."""
    warnings: list[str] = field(default_factory=list)
    """What could not be read, or not in time."""

    def last_slots(self) -> dict[Pair, datetime]:
        """The last slot that each pair's rows account for. Raises ValueError for one that no clock shows."""
        found: dict[Pair, datetime] = {}
        for pair, quote in self.rows.items():
            end = times.unix(quote.slot) + (quote.slots - 1) * (self.interval or 0)
            if not 0 <= end < _FAR:
                known = f"{times.iso(quote.slot)} {pair}"
                raise ValueError(f"its row of {known} is damaged: it reaches to a time that no clock shows")
            found[pair] = times.from_unix(end)
        return found


def read_ending(path: str, pairs: Collection[Pair], go_on: Callable[[], bool]) -> Ending:
    """What the last rows of a log say of some pairs, and of those recorded lately.

    `go_on` says whether there is time for another block: a price is looked for however far back, but
    nobody waits for that. A log that is not there yet says nothing.
    """
    try:
        files = log_files(path)
    except PriceError as error:
        return Ending(warnings=[str(error)])
    ending = Ending(warnings=[f"{file.path}: {file.fault}; it is skipped" for file in files if file.fault])
    search = _Search(ending, {str(pair) for pair in pairs}, go_on)
    for file in reversed([file for file in files if not file.fault]):
        if not search.done():
            search.look(file)
    if any(file.simulated for file in files):
        ending.simulated = True
    return ending


class _Search:
    """Looks for rows from the end of a log backwards, until each pair's last row and last price are known."""

    def __init__(self, ending: Ending, pairs: set[str], go_on: Callable[[], bool]) -> None:
        self._ending = ending
        self._rows, self._priced = set(pairs), set(pairs)
        """Pairs whose last row, and whose last price, is still looked for."""
        self._known: set[tuple[str, bool]] = set()
        """Pairs whose last row (False) or last price (True) was found."""
        self._recent = ""
        """The slot from which on all pairs count."""
        self._go_on = go_on

    def done(self) -> bool:
        """Whether everything was found."""
        return not self._rows and not self._priced and self._ending.simulated is not None

    def look(self, file: LogFile) -> None:
        """Looks at a file, which comes before all others so far."""
        warnings = self._ending.warnings
        try:
            with file.opened() as opened:
                if not self._ending.rows and not file.packed:
                    self._ending.interval = opened.interval_at(opened.size) or self._ending.interval
                if not self._through(_packed_end(opened, self._go_on) if file.packed else backwards(opened)):
                    warnings.append(f"{file.path}: too long to be looked through for each pair's last price")
                if opened.damage:
                    warnings.append(f"{file.path}: {opened.damage}; what is left of it is used")
        except OSError as error:
            warnings.append(f"{file.path}: {error.strerror}; it is skipped")

    def _through(self, blocks: Iterator[bytes]) -> bool:
        """Goes through blocks, the last one first; whether there was time for what is missing."""
        for block in blocks:
            if not self._ending.interval:
                self._ending.interval = last_interval(block) or None
            if self._wants(block):
                for one in reversed(row.find(block.decode("latin-1"))):
                    self._add(one)
            if self.done():
                return True
            if not self._go_on():
                return False
        return self._go_on()

    def _wants(self, block: bytes) -> bool:
        """Whether a block may hold what is missing: most of a log is passed at the speed of a search."""
        if not self._recent or last_row(block).decode("latin-1") >= self._recent:
            return True
        if any(f" {pair} ".encode() in block for pair in self._rows):
            return True
        if block.count(b" - ") == block.count(b"\n"):
            return False
        unknown = self._ending.simulated is None
        return unknown or any(f" {pair} ".encode() in block for pair in self._priced)

    def _add(self, one: row.Row) -> None:
        """Notes a row, which comes before all others so far."""
        slot, pair, price, basis, _ = one
        self._recent = self._recent or row.slot(max(0, row.unix(slot) - _RECENT_SECONDS))
        recent = slot >= self._recent
        if pair in self._rows or (recent and (pair, False) not in self._known):
            self._rows.discard(pair)
            self._known.add((pair, False))
            quote = quote_of(one)
            self._ending.rows[quote.pair] = quote
        if price == row.MISSED:
            return
        if self._ending.simulated is None:
            self._ending.simulated = "simulated" in basis.split(",")
        if pair in self._priced or (recent and (pair, True) not in self._known):
            self._priced.discard(pair)
            self._known.add((pair, True))
            quote = quote_of(one)
            self._ending.priced[quote.pair] = quote


def backwards(file: File) -> Iterator[bytes]:
    """Blocks of whole lines of a plain file, the last one first."""
    rest, end = b"", file.size
    while end > 0:
        start = max(0, end - BLOCK)
        read = file.read(start, end - start)
        if not read:
            return
        read += rest
        begun, newline, lines = read.partition(b"\n") if start else (b"", b"", read)
        if lines:
            yield lines
        # a line that is too long to be a row is not kept; what precedes it must not become one either
        rest = begun + newline if len(begun) <= LONGEST else b"\0\n"
        end = start


def _packed_end(file: File, go_on: Callable[[], bool]) -> Iterator[bytes]:
    """The end of a packed file, in one block; nothing where it takes too long."""
    end = b""
    for _, block in file.blocks():
        end = end[-_PACKED_BYTES:] + block
        if not go_on():
            return
    yield end
