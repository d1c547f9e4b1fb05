"""What the journal has and the file lacks: the recorder's own entries are a second copy of its rows."""

from collections.abc import Callable, Iterator, Mapping

from price import times
from price.backfill.missing import Missing, Slot, spans
from price.backfill.repair import Repair
from price.log import row
from price.log.row import Row

_LATE_SECONDS = 60
"""An entry is made within the interval after its slot; what else may hold it up is far shorter than this."""
APART_SECONDS = 600
"""In journald a jump from one span to the next costs as much as some hundred entries."""
_FIELDS = ("PRICE_SLOT", "PRICE_PAIR", "PRICE_VALUE", "PRICE_SOURCES")

Entries = Callable[[int, int], Iterator[Mapping[str, object]]]
"""The fields of the quotes with a price that were logged from one Unix time up to another, in order."""


class Journal:
    """Believes only entries of the recorder; where two entries differ about a slot, neither of them.

    Anybody may write fields, but journald itself says who wrote an entry: it must be the unit `unit`, or a
    process of the user `uid`. That is None where it says nothing, as of another machine. With `unsigned`,
    entries of which journald says nothing are believed as well: the recorder's own lines, in a file that the
    operator has chosen. Spans of missed slots less than `apart_seconds` apart are read together.
    """

    by = "journal"
    simulated = None

    def __init__(
        self,
        entries: Entries,
        unit: str,
        uid: int | None,
        *,
        unsigned: bool = False,
        apart_seconds: float = APART_SECONDS,
    ) -> None:
        self._entries = entries
        self._unit = unit
        self._uid = uid
        self._unsigned = unsigned
        self._apart_seconds = apart_seconds
        self._strange = 0
        self._disputed = 0

    def fetch(self, missing: Missing, repair: Repair) -> Iterator[Row]:
        late = max((missed.every for missed in missing.values()), default=0) + _LATE_SECONDS
        for begin, end in spans(missing, self._apart_seconds):
            found: dict[Slot, Row | None] = {}
            """None where two entries differ."""
            for entry in self._entries(begin, end + late):
                one = _read(entry)
                slot = (times.slot_unix(one[0]), one[1]) if one else None
                # an entry of another slot is in the span before or after, too
                if not slot or slot not in missing or not begin <= slot[0] < end:
                    continue
                if not self._is_ours(entry):
                    self._strange += 1
                elif found.setdefault(slot, one) != one:
                    found[slot] = None
            agreed = [one for one in found.values() if one]
            self._disputed += len(found) - len(agreed)
            yield from agreed
            repair.progress(end)

    def notes(self) -> Iterator[str]:
        if self._strange:
            what = "entries not believed, since journald says that others wrote them"
            yield f"{what}: {self._strange}; --unit names the recorder's unit"
        if self._disputed:
            yield f"slots that stay missing, since two entries differ about them: {self._disputed}"

    def _is_ours(self, entry: Mapping[str, object]) -> bool:
        if self._unsigned and "_UID" not in entry and "_SYSTEMD_UNIT" not in entry:
            return True
        user = self._uid is not None and entry.get("_UID") == str(self._uid)
        return user or entry.get("_SYSTEMD_UNIT") == self._unit


def _read(entry: Mapping[str, object]) -> Row | None:
    """The row that an entry stands for; None for one that is none of ours."""
    fields = [entry.get(name) for name in _FIELDS]
    try:
        one = row.read(" ".join(field if isinstance(field, str) else "" for field in fields))
    except ValueError:
        return None
    return one if one[2] != row.MISSED and not one[4] else None
