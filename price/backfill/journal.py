"""What the journal has and the file lacks: the recorder's own entries are a second copy of its rows."""

from collections.abc import Callable, Iterator, Mapping

from price.backfill.agreed import Agreed
from price.backfill.gap import Missing, Slot
from price.backfill.provider import Work
from price.errors import PriceError
from price.log.old import row

_LATE_SECONDS = 60
"""An entry is made within the interval after its slot; what else may hold it up is far shorter than this."""
_APART_SECONDS = 600
"""Spans closer to each other are read in one go: a jump costs as much as some hundred entries."""
_FIELDS = ("PRICE_SLOT", "PRICE_PAIR", "PRICE_VALUE", "PRICE_SOURCES")

Entries = Callable[[int, int], Iterator[Mapping[str, object]]]
"""The fields of the quotes with a price that were logged from one Unix time up to another, in order."""


class Trust:
    """Whose entries are believed: anybody may write fields, but journald itself says who wrote an entry.

    `uid` is the user whose processes are believed beside the unit; None where that says nothing, as of
    another machine.
    """

    def __init__(self, unit: str, uid: int | None) -> None:
        self._unit = unit
        self._uid = uid

    def __call__(self, entry: Mapping[str, object]) -> bool:
        ours = self._uid is not None and entry.get("_UID") == str(self._uid)
        return ours or entry.get("_SYSTEMD_UNIT") == self._unit


class Journal:
    """Believes only what `trust` does; where two entries differ about a slot, neither of them."""

    by = "journal"

    def __init__(self, entries: Entries, trust: Trust) -> None:
        self._entries = entries
        self._trust = trust
        self._strange = 0
        self._disputed = 0

    def learn(self, missing: Missing, work: Work) -> Iterator[tuple[Slot, str]]:
        late = max((stretch.every for stretch in missing.stretches), default=0) + _LATE_SECONDS
        for begin, end in missing.spans(_APART_SECONDS):
            found = Agreed()
            for entry in self._entries(begin, end + late):
                slot, known = _read(entry)
                if not begin <= slot[0] < end or not missing.every(slot):
                    continue
                if not self._trust(entry):
                    self._strange += 1
                else:
                    found.hear(slot, known)
            self._disputed += found.disputed
            yield from found
            work.tell(end)

    def remarks(self) -> Iterator[str]:
        if self._strange:
            what = "entries not believed, since journald says that others wrote them"
            yield f"{what}: {self._strange}; --unit names the recorder's unit"
        if self._disputed:
            yield f"slots that stay missing, since two entries differ about them: {self._disputed}"


def _read(entry: Mapping[str, object]) -> tuple[Slot, str]:
    """The slot of an entry and what it says; a slot that never is for one that is none of ours."""
    fields = [entry.get(name) for name in _FIELDS]
    slot, pair, value, sources = (field if isinstance(field, str) else "" for field in fields)
    if not row.is_sound(f"{slot} {pair} {value} {sources}\n".encode("utf-8", "replace")):
        return (0, b""), ""
    try:
        return (row.unix_of(slot.encode()), pair.encode()), f"{value} {sources}"
    except PriceError:  # no such day
        return (0, b""), ""
