"""What fills missed slots."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol

from price.backfill.missing import Missing
from price.log.row import Row


class Clock(Protocol):
    """Time, and waiting."""

    def now(self) -> datetime:
        """The wall clock: aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never step back."""
        ...

    def wait(self, until: float) -> object | None:
        """Waits until a time in monotonic seconds."""
        ...


class Work(Protocol):
    """The repair that a provider works for."""

    def progress(self, unix: int) -> None:
        """Notes how far, in Unix time, the work has come."""
        ...

    def wait(self, until: float) -> object | None:
        """Waits until a time in monotonic seconds; before a long wait what was learnt is written."""
        ...


class Provider(Protocol):
    """Where prices of missed slots come from."""

    by: str
    """The word that its rows carry."""

    @property
    def simulated(self) -> bool | None:
        """Whether its prices are made up; None where it depends on the row."""
        ...

    def fetch(self, missing: Missing, work: Work) -> Iterable[Row]:
        """Rows with prices, without `by=`; the caller leaves aside what is not missing. Raises PriceError."""
        ...

    def notes(self) -> Iterator[str]:
        """What the operator should know at the end, line by line."""
        ...
