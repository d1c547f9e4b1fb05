"""Where a follower finds changes: in the journal, or in the list that the recorder keeps in state.json.

Both have `newest`, the position behind all changes so far, and `after`, the changes after a position, in
order: at least those, it may begin a little earlier. Both raise PriceError where nothing can be read.
START is the position before all changes.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from price import times
from price.errors import PriceError
from price.events import ALERTS
from price.journal_reader import MICROSECONDS, open_journal
from price.smallfile import read_small
from price.text import MALFORMED

Position = dict[str, Any]
"""How far changes were handed on, as JSON values."""
_MOST_BYTES = 64 * 1024 * 1024
_FAULTS = (OSError, *MALFORMED)


class Waiting(NamedTuple):
    """A change that was not handed on yet: its fields by name, MESSAGE among them, and its position."""

    fields: Mapping[str, str]
    position: Position


class StateChanges:
    """The last changes as state.json lists them: for recorders that have no journal.

    It holds the last hundred. What else came between two looks is lost, and reported.
    """

    START: ClassVar[Position] = {"number": 0}

    def __init__(self, path: Path) -> None:
        self._path = path

    def newest(self) -> Position:
        listed = self._listed()
        return {"number": listed[-1]["number"]} if listed else self.START

    def after(self, position: Position) -> list[Waiting]:
        listed = self._listed()
        known = position["number"]
        if listed and listed[-1]["number"] < known:
            known = 0  # another state.json: its changes are counted from one
        new = [one for one in listed if one["number"] > known]
        lost = new[0]["number"] - known - 1 if new else 0
        return [Waiting(_fields(one, lost), {"number": one["number"]}) for one in new]

    def _listed(self) -> list[dict[str, Any]]:
        try:
            changes = json.loads(read_small(self._path, _MOST_BYTES)).get("alerts", {}).get("changes", [])
            return [dict(one, number=int(one["number"]), message=str(one["message"])) for one in changes]
        except FileNotFoundError:
            return []  # no recorder has anything to keep yet
        except _FAULTS as error:
            raise PriceError(f"{self._path}: cannot be read as a state: {error}") from error


def _fields(change: Mapping[str, Any], lost: int) -> dict[str, str]:
    named = {
        f"PRICE_{name.upper()}": str(text)
        for name, text in change.items()
        if name not in ("number", "level", "message")
    }
    return named | {"MESSAGE": change["message"], "PRICE_LOST": str(lost)}


class JournalChanges:
    """The entries of a recorder's unit in this machine's journal."""

    START: ClassVar[Position] = {"cursor": "", "slot": ""}

    def __init__(self, unit: str) -> None:
        """Raises PriceError where no journal could be read."""
        self._unit = unit
        self._opened()

    def newest(self) -> Position:
        entries = self.after(self.START)
        return entries[-1].position if entries else self.START

    def after(self, position: Position) -> list[Waiting]:
        """The entries after that of the cursor.

        The entry of a cursor may be gone (journald vacuums), and a cursor that is not found leads anywhere:
        then the slot decides, over all entries, since the clock of the journal may have stepped. It repeats
        the changes of its own slot, which is better than to lose one.
        """
        try:
            if position["cursor"]:
                reader = self._opened()
                reader.seek_cursor(position["cursor"].encode())
                found = [*map(_waiting, reader)]
                if found and found[0].position["cursor"] == position["cursor"]:
                    return found[1:]
            entries = map(_waiting, self._opened())
            return [one for one in entries if one.position["slot"] >= position["slot"]]
        except _FAULTS as error:
            raise PriceError(f"the journal cannot be read: {error}") from error

    def _opened(self) -> Any:
        # anybody may write a LOGGER, but journald itself says which unit wrote an entry
        fields = {"_SYSTEMD_UNIT": self._unit, "LOGGER": ALERTS.name}
        return open_journal(fields, "--from state follows the recorder's state.json")


def _waiting(entry: Any) -> Waiting:
    """The change of an entry; one without a slot, of a rule that was changed, has the time of its entry."""
    data = entry.data
    fields = {name: text for name, text in data.items() if name == "MESSAGE" or name.startswith("PRICE_")}
    made = times.iso(times.from_unix(entry.get_realtime_usec() // MICROSECONDS))
    return Waiting(fields, {"cursor": entry.cursor.decode("ascii"), "slot": data.get("PRICE_SLOT", made)})
