"""How things are now: the recorder's status as it is, or what the log alone can tell."""

import json
from pathlib import Path
from typing import Any

from price import times
from price.errors import PriceError
from price.log import row
from price.log.read import PriceLog
from price.log.row import Row
from price.smallfile import read_small
from price.text import MALFORMED

_LATELY_SECONDS = (600, 3600, times.DAY)
"""How far back the pairs of a log are looked for."""
_MAX_STATUS_BYTES = 4 * 1024 * 1024


class Standing:
    """Reads a status.json, and the end of a log."""

    def __init__(self, log: str, status: Path) -> None:
        self._log = log
        self._status = status
        self._mark: tuple[int, ...] | None = None
        self._known = b""

    def status(self) -> tuple[bytes, float] | None:
        """The recorder's status as JSON, and when it was written (Unix seconds); None where there is none.

        It is read once for each time that it is written, however many ask.
        """
        try:
            written = self._status.stat()
            mark = (written.st_ino, written.st_size, written.st_mtime_ns)
            if mark != self._mark:
                known = json.loads(read_small(self._status, _MAX_STATUS_BYTES))
                self._known = json.dumps(known, separators=(",", ":"), allow_nan=False).encode()
                self._mark = mark if _is_status(known) else None
        except (OSError, *MALFORMED):
            self._mark = None
        return (self._known, written.st_mtime) if self._mark else None

    def overview(self) -> dict[str, Any]:
        """Where the log begins and ends, the pairs of its last day, and its fault, where it has one."""
        try:
            log = PriceLog(self._log)
            first, last = log.first(), log.last()
            if first is None or last is None:
                return {"first": None, "last": None, "pairs": [], "every": 0}
            return {"first": first, "last": last, **_pairs(log, last)}
        except (PriceError, OSError) as error:
            return {"first": None, "last": None, "pairs": [], "every": 0, "fault": str(error)}


def _is_status(known: Any) -> bool:
    """Whether the page can show it: what it looks into has the form that it expects."""
    if not isinstance(known, dict) or not {"slot", "interval", "pairs", "sources"} <= known.keys():
        return False
    parts = [known["pairs"], known["sources"]]
    return all(
        isinstance(part, dict) and all(isinstance(one, dict) for one in part.values()) for part in parts
    )


def _pairs(log: PriceLog, last: int) -> dict[str, Any]:
    """The pairs of the log's last day with the newest price of each, and the interval at its end."""
    newest: dict[str, Row] = {}
    every = 0
    for seconds in _LATELY_SECONDS:
        pairs = log.pairs_between(last - seconds, last + 1)
        newest = {}
        for interval, rows in log.blocks(last - seconds, last + 1):
            every = interval
            newest.update({one[1]: one for one in rows if one[2] != row.MISSED})
        if pairs <= newest.keys():
            break
    known: list[dict[str, Any]] = []
    for pair in sorted(pairs):
        _, _, price, basis, _ = newest.get(pair, ("", pair, None, "", ""))
        slot = newest[pair][0] if pair in newest else None
        known.append(
            {"pair": pair, "price": price, "slot": slot, "sources": basis.split(",") if basis else []}
        )
    return {"pairs": known, "every": every}
