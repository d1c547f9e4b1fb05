"""What the journal has and the file lacks: the recorder's own entries are a second copy of its rows."""

from collections.abc import Callable, Iterator, Mapping

from price.backfill.missing import Missing
from price.backfill.provider import Work
from price.log import row
from price.log.row import Row

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
    simulated = None

    def __init__(self, entries: Entries, trust: Trust) -> None:
        self._entries = entries
        self._trust = trust
        self._strange = 0
        self._disputed = 0

    def fetch(self, missing: Missing, work: Work) -> Iterator[Row]:
        late = max((gap.every for gap in missing.gaps), default=0) + _LATE_SECONDS
        for begin, end in missing.spans(_APART_SECONDS):
            found = _Agreed()
            for entry in self._entries(begin, end + late):
                one = _read(entry)
                # an entry of another slot is in the span before or after, too
                if not one or not begin <= (unix := row.unix(one[0])) < end:
                    continue
                if not missing.gap_of(unix, one[1]):
                    continue
                if not self._trust(entry):
                    self._strange += 1
                else:
                    found.add(one)
            self._disputed += found.disputed
            yield from found
            work.progress(end)

    def notes(self) -> Iterator[str]:
        if self._strange:
            what = "entries not believed, since journald says that others wrote them"
            yield f"{what}: {self._strange}; --unit names the recorder's unit"
        if self._disputed:
            yield f"slots that stay missing, since two entries differ about them: {self._disputed}"


class _Agreed:
    """Rows of slots; a slot of which two rows differ stays unknown: a missed slot beats a wrong price."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Row] = {}
        self._disputed: set[tuple[str, str]] = set()

    def add(self, one: Row) -> None:
        """Notes what one entry says of a slot."""
        if self._rows.setdefault(one[:2], one) != one:
            self._disputed.add(one[:2])

    @property
    def disputed(self) -> int:
        """Of how many slots two rows differ."""
        return len(self._disputed)

    def __iter__(self) -> Iterator[Row]:
        return (one for key, one in self._rows.items() if key not in self._disputed)


def _read(entry: Mapping[str, object]) -> Row | None:
    """The row that an entry stands for; None for one that is none of ours."""
    fields = [entry.get(name) for name in _FIELDS]
    try:
        one = row.read(" ".join(field if isinstance(field, str) else "" for field in fields))
    except ValueError:
        return None
    return one if one[2] != row.MISSED and not one[4] else None
