"""What fills missed slots."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from price.backfill.gap import Missing, Slot


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
    """What a provider works at."""

    def tell(self, unix: int) -> None:
        """Is told how far, in Unix time, the work has come."""
        ...

    def wait(self, until: float) -> object | None:
        """Waits until a time in monotonic seconds; before a long wait what was learnt is kept."""
        ...


class Provider(Protocol):
    """One who knows, or may know, what a missed slot's price was."""

    by: str
    """The word that its rows carry."""

    def learn(self, missing: Missing, work: Work) -> Iterator[tuple[Slot, str]]:
        """Slots, and columns 3 and 4 of their rows; the caller leaves aside what is not missing."""
        ...

    def remarks(self) -> Iterator[str]:
        """What the operator should know at the end, line by line."""
        ...
