"""What the log accounts for, and what the choice remembers of it; it outlives reloads."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from price import times
from price.choose import Memory
from price.clock_witness import ClockWitness
from price.confirm import Anchor
from price.log.end import LogEnd
from price.model import Pair, Quote


class Ledger:
    """The loop's memory: up to which slot each pair is accounted for, and its last prices."""

    def __init__(self) -> None:
        self.end = times.EPOCH
        """The last slot of the log: no row may be written at or before it."""
        self.last: dict[Pair, datetime] = {}
        """The last slot of each pair that is accounted for; a new pair begins with its first slot."""
        self.memories: dict[Pair, Memory] = {}
        self.gap_reason = "down"
        """Why slots before the next one are missing: the recorder did not run or, later, was late."""
        self.witness = ClockWitness()

    def open_log(self, log: LogEnd, sources_of: Callable[[Pair], int], *, late: bool) -> None:
        """Goes on where a log ends. What sources gave last binds them in another log too.

        `sources_of` returns how many configured sources quote a pair. `late`: slots were recorded before
        the log could be read. What is known of them stays, unless the log ends later and so has their slots.
        """
        last = log.last_slots()
        end = max(last.values(), default=times.EPOCH)
        if not late or end > self.end:
            self.last, self.end = last, end
        if not late:
            self.gap_reason = "down"
        for pair in {*self.memories, *log.recent}:
            memory = self.memories.get(pair)
            if not late or memory is None or memory.price is None:
                self.memories[pair] = restored(log.recent.get(pair, []), sources_of(pair), memory)

    def close_slot(self, slot: datetime, pairs: Collection[Pair]) -> None:
        """A slot of these pairs is accounted for."""
        self.end = slot
        self.last = dict.fromkeys(pairs, slot)
        self.gap_reason = "late"

    def new_segment(self) -> None:
        """The slots are others from now on: the stretch up to the first of them is `down`.

        Pairs that were not recorded up to the end of the log begin again: theirs would lie before its end.
        """
        self.last = {pair: slot for pair, slot in self.last.items() if slot == self.end}
        self.gap_reason = "down"


def restored(rows: Iterable[Quote], sources: int, memory: Memory | None = None) -> Memory:
    """What to remember of a pair after its recorded rows, the oldest first, at a start or of another log.

    `rows` need only hold the last one with a price, and those with a price that are young enough to be an
    anchor; `sources` is how many configured sources quote the pair. What the sources gave is kept from
    `memory`.

    A row does not show whether its sources agreed by themselves or were picked by the anchor. But the anchor
    only ever picks half of the sources or fewer: more than half of them would have agreed. So a row that
    rests on two or more sources, and on more than half of all, is an anchor for certain; one that rests on
    fewer may be none, and is passed over: a missed slot beats a wrong price.
    """
    memory = memory or Memory()
    price, anchor = None, None
    for row in rows:
        if row.price is None:
            continue
        price = row.price
        if len(row.sources) >= min(2, sources) and 2 * len(row.sources) > sources:
            anchor = Anchor(row.price, row.slot)
    return Memory(price, anchor, memory.seen)
