"""What the program knows: requests, answers, readings (one source, one pair), quotes (one slot)."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple


class Pair(NamedTuple):
    """A base currency priced in a quote currency, such as BTC-USD."""

    base: str
    quote: str

    def __str__(self) -> str:
        return f"{self.base}-{self.quote}"


class Request(NamedTuple):
    """One GET: a path with its query, below the source's host, and the pairs it asks about."""

    path: str
    pairs: tuple[Pair, ...]
    weight: int = 1


class Answer(NamedTuple):
    """One complete HTTP answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Reading(NamedTuple):
    """What one source gave for one pair: a price, or the word that says why there is no usable one.

    `why` is empty for a usable price. A price that was put aside (stale, backward, outlier) keeps its
    value next to the word. `time` is the source's own timestamp, where it gives one.
    """

    source: str
    price: Decimal | None = None
    why: str = ""
    time: datetime | None = None
    seconds: float = 0.0
    detail: str = ""


class Quote(NamedTuple):
    """One pair in one slot: a price and the sources it rests on, or the reason why the slot was missed.

    A missed quote stands for `slots` slots in a row, `slot` being the first of them.
    `by` is how a repaired row was learnt; it is empty for a row recorded live.
    """

    slot: datetime
    pair: Pair
    price: Decimal | None = None
    sources: tuple[str, ...] = ()
    reason: str = ""
    slots: int = 1
    by: str = ""
    extras: str = ""
    """Further `key=value` words of its row, in their order, with a blank between them."""
    readings: tuple[Reading, ...] = ()

    @property
    def missed(self) -> bool:
        """Whether the slot has no price."""
        return self.price is None
