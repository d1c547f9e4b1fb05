"""What a follower needs of an engine: PostgreSQL and NATS JetStream each have one file that does this."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from price.errors import PriceError
from price.log.row import Row


class Lost(PriceError):
    """The engine cannot take anything now, whatever the row: to be tried again, for ever."""


class Refused(PriceError):
    """The engine takes no such rows; without them it would take the others."""


class Batch(NamedTuple):
    """Rows of one interval, in their order, which an engine takes all together or not at all."""

    rows: Sequence[Row]
    every: int
    """Seconds from slot to slot."""
    cursor: str
    """The slot from which to go on after a restart; empty where the engine is to keep the one it has."""


class Conflicts(NamedTuple):
    """How much recorders have disagreed today, UTC."""

    slots: int = 0
    """Slots of which two recorders have different prices."""
    worst_bp: float = 0.0
    """The largest difference, in basis points."""


class Target(Protocol):
    """An engine. Every method may wait for it, but not longer than some fixed time.

    All raise Lost, and the connection is closed then; `send` also raises Refused, and nothing was sent.
    """

    name: str
    where: str
    """Which one it is, as messages may show it: without passwords."""
    most_rows: int
    """How many rows a batch may have."""

    def connect(self) -> str:
        """Connects; returns the slot from which to send, that slot included; empty: from the first row."""
        ...

    def send(self, batch: Batch) -> None:
        """Hands over rows; what the engine has already is left as it is."""
        ...

    def send_repairs(self, rows: Sequence[Row]) -> None:
        """Hands over all rows of repairs.txt, when it was replaced and at each start."""
        ...

    def conflicts(self) -> Conflicts:
        """How much recorders disagree."""
        ...

    def init(self) -> str:
        """Makes what the follower needs there, as its owner; returns what was made, in words."""
        ...

    def check(self) -> list[str]:
        """What is wrong there, a line for each fault."""
        ...

    def close(self) -> None:
        """Ends the connection, whatever state it is in."""
        ...
