"""What is counted from the start of the recorder on, for `price metrics`: it never goes back to zero."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from price.counters import REASONS
from price.model import Pair, Quote
from price.sinks.rows import RowsSink
from price.source_state import SourceState


class SinceStart:
    """Counts quotes; shows that with what others have counted."""

    def __init__(
        self, sources: Mapping[str, SourceState], rows: RowsSink, dropped: Callable[[], int]
    ) -> None:
        self._sources = sources
        self._rows = rows
        self._dropped = dropped
        self._slots: defaultdict[Pair, list[int]] = defaultdict(lambda: [0, 0])
        self._missed: Counter[str] = Counter()
        self._failures: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.reloaded = True
        """Whether the last reload was accepted."""

    def count(self, quotes: Sequence[Quote]) -> None:
        """Counts the quotes of a slot; a source's failure once a slot, whatever the number of pairs."""
        for quote in quotes:
            slots = self._slots[quote.pair]
            slots[0] += quote.slots
            if quote.price is None:
                slots[1] += quote.slots
                word = quote.reason.partition(",")[0]
                self._missed[word if word in REASONS else "sources"] += quote.slots
        for source, why in {(one.source, one.why) for quote in quotes for one in quote.readings if one.why}:
            self._failures[source][why] += 1

    def view(self, pairs: Sequence[Pair], sources: Sequence[str]) -> dict[str, Any]:
        """For status.json: what is counted of these pairs and sources."""
        return {
            "slots": {str(pair): self._slots[pair] for pair in pairs},
            "missed": self._missed,
            "failures": self._failures,
            "answer": {name: self._sources[name].tally.answers.counts for name in sources},
            "slot": self._rows.slot_seconds.counts,
            "sync": self._rows.sync_seconds.counts,
            "dropped": self._dropped(),
            "reloaded": self.reloaded,
        }
