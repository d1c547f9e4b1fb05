"""One repair: hands what is missed to a provider, judges what it returns, and adds it to repairs.txt."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Protocol

from price import times
from price.backfill.file import Filled, RepairsFile
from price.backfill.missing import NEAR_SECONDS, Missed, Missing, Slot
from price.clock import Clock
from price.log.row import Row
from price.progress import Progress
from price.text import counted

STEP_SECONDS = 10
"""How much work may be lost by a kill."""
_SIMULATED = "simulated"


class Provider(Protocol):
    """Where prices of missed slots come from."""

    by: str
    """The word that its rows carry."""

    @property
    def simulated(self) -> bool | None:
        """Whether its prices are made up; None where it depends on the row."""
        ...

    def fetch(self, missing: Missing, repair: "Repair") -> Iterable[Row]:
        """Rows with prices, without `by=`; the repair leaves aside what is not missing. Raises PriceError."""
        ...

    def notes(self) -> Iterator[str]:
        """What the operator should know at the end, line by line."""
        ...


class Repair:
    """Fills batch by batch, and writes what was learnt in steps. `max_jump` is in percent."""

    def __init__(
        self,
        provider: Provider,
        file: RepairsFile,
        clock: Clock,
        progress: Progress,
        max_jump: Decimal,
        *,
        simulated: bool,
    ) -> None:
        self._provider = provider
        self._file = file
        self._clock = clock
        self._progress = progress
        self._max_jump = max_jump
        self._simulated = simulated
        self._missed: Counter[str] = Counter()
        self._filled: Counter[str] = Counter()
        self._far: dict[str, tuple[int, Row]] = {}
        """By pair, how many prices lie too far from those around them, and the first."""
        self._other_kind = 0
        self._learnt: dict[Slot, Filled] = {}
        """What is not yet in the file."""
        self._written = clock.monotonic()

    def fill(self, missing: Missing) -> None:
        """Fills what can be filled. What was learnt before an interruption is written."""
        self._missed.update(pair for _, pair in missing)
        left = dict(missing)
        try:
            for found in self._provider.fetch(missing, self):
                slot = times.slot_unix(found[0]), found[1]
                missed = left.get(slot)
                if missed and self._believes(found, slot[0], missed):
                    del left[slot]
                    filled = (*found[:4], f"{found[4]} by={self._provider.by}")
                    self._learnt[slot] = Filled(missed.every, filled)
                    self._progress.counted += 1
                self._write_by(self._clock.monotonic())
        finally:
            self._write()

    def progress(self, unix: int) -> None:
        """Shows how far, in Unix time, the work has come."""
        self._progress.show(unix)

    def wait(self, until: float) -> object | None:
        """Waits until a time in monotonic seconds; what would get too old meanwhile is written before."""
        self._write_by(until)
        return self._clock.wait(until)

    def notes(self, absent: Sequence[str]) -> Iterator[str]:
        """What was filled, what stays missing, what was not believed, and which pairs the log lacks."""
        for pair, slots in sorted(self._missed.items()):
            filled = self._filled[pair]
            yield (
                f"{pair}: {filled} of {slots} missed slots filled by={self._provider.by},"
                f" {slots - filled} stay missing"
            )
        for pair in absent:
            yield f"{pair}: the log has no rows of it"
        if not self._missed and not absent:
            yield "no slot is missed"
        for pair, (number, first) in sorted(self._far.items()):
            what = f"not believed, over {self._max_jump:f} % outside those recorded around"
            count = counted(number, "price")
            yield f"{pair}: {count} {what} (PRICE_MAX_JUMP); the first: {first[0]} {first[2]}"
        if self._other_kind:
            kinds = ("real", "simulated") if self._simulated else ("simulated", "real")
            count = counted(self._other_kind, f"{kinds[0]} price")
            yield f"{count} not believed: the log holds {kinds[1]} ones"
        yield from self._provider.notes()

    def _believes(self, one: Row, unix: int, missed: Missed) -> bool:
        """Whether a price may be filled in: of the log's own kind, and near to the prices around it."""
        if (_SIMULATED in one[3].split(",")) != self._simulated:
            self._other_kind += 1
            return False
        near = [
            Decimal(side.price)
            for side in (missed.before, missed.after)
            if side and abs(side.slot - unix) <= NEAR_SECONDS
        ]
        percent = self._max_jump / 100
        if near and not min(near) * (1 - percent) <= Decimal(one[2]) <= max(near) * (1 + percent):
            number, first = self._far.get(one[1], (0, one))
            self._far[one[1]] = number + 1, first
            return False
        return True

    def _write_by(self, until: float) -> None:
        """Writes what was learnt, unless it can wait until a time in monotonic seconds."""
        if until >= self._written + STEP_SECONDS:
            self._write()

    def _write(self) -> None:
        self._file.add(self._learnt)
        self._filled.update(pair for _, pair in self._learnt)
        self._learnt.clear()
        self._written = self._clock.monotonic()
