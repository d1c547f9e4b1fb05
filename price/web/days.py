"""Days that are over, summed up once: hourly candles and missed stretches for each UTC day and pair.

So a month is 30 small sums instead of half a million rows. A sum is kept in memory and, where there is a
folder for it, on disk. It is good as long as its key is: which bytes of which files the day's rows are,
and what repairs.txt holds for the day. A closed day of a log that only grows never changes its key; a
rotation that packs a file, or a repair, does, and the day is summed again when somebody asks.
"""

import json
import os
from collections import OrderedDict
from contextlib import suppress
from hashlib import blake2b
from itertools import zip_longest
from pathlib import Path
from typing import Any

from price import times
from price.log.files import LogFile
from price.log.read import PriceLog
from price.report.summary import NOTHING, Bar, Missed, Sum, sum_up
from price.smallfile import AtomicFile, read_small
from price.text import MALFORMED

HOUR = 3600
_FORM = 5
"""Of a sum on disk; one of another form is made again."""
_MOST_CHARACTERS = 12_000_000
"""Of sums in memory: some twenty years of a pair."""
_FEW_PAIRS = 8
"""With more, the sums of those that nobody asked for are kept on disk only."""
_MOST_PLACES = 20_000
_MOST_BYTES = 16 * 1024 * 1024
"""Of a day on disk; 300 pairs need one."""
_MODE = 0o644


class Days:
    """The sums of a log's days. Not for several threads at once."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` is where sums outlive this process, or None."""
        self._folder = folder
        self._kept: OrderedDict[tuple[int, str], tuple[str, str]] = OrderedDict()
        """Of a day and pair the key, and the sums as JSON: a fifth of what they need as objects."""
        self._size = 0
        self._keys = DayKeys()

    def find(self, log: PriceLog, start: int, pair: str) -> Sum | None:
        """The sums of the day that begins at a Unix time; None where none are kept that are still good."""
        key = self._keys.key(log, start)
        kept = self._kept.get((start, pair))
        if kept is None or kept[0] != key:
            kept = self._stored(start, pair)
            if kept is None or kept[0] != key:
                return None
            self._keep(start, pair, kept)
        self._kept.move_to_end((start, pair))
        return _sum(json.loads(kept[1]))

    def make(self, log: PriceLog, start: int, pair: str) -> Sum:
        """The sums of that day, read from its rows; kept from now on. The log must be one of all pairs."""
        key = self._keys.key(log, start)
        days = sum_up(log.blocks(start, start + times.DAY), HOUR)
        for one in {pair, *(days if len(days) <= _FEW_PAIRS else ())}:
            self._keep(start, one, (key, json.dumps(days.get(one, NOTHING))))
        if self._folder:
            with suppress(OSError):  # a cache that cannot be written costs time, nothing else
                text = json.dumps({"form": _FORM, "key": key, "pairs": days})
                AtomicFile(self._path(self._folder, start), _MODE, durable=False).write(text)
        return days.get(pair, NOTHING)

    def _keep(self, start: int, pair: str, kept: tuple[str, str]) -> None:
        before = self._kept.pop((start, pair), ("", ""))
        self._kept[start, pair] = kept
        self._size += len(kept[1]) - len(before[1])
        while self._size > _MOST_CHARACTERS:
            self._size -= len(self._kept.popitem(last=False)[1][1])

    def _stored(self, start: int, pair: str) -> tuple[str, str] | None:
        if self._folder is None:
            return None
        try:
            stored = json.loads(read_small(self._path(self._folder, start), _MOST_BYTES))
            if stored["form"] != _FORM:
                return None
            return str(stored["key"]), json.dumps(_sum(stored["pairs"].get(pair, NOTHING)))
        except (OSError, *MALFORMED):
            return None

    def _path(self, folder: Path, start: int) -> Path:
        return folder / f"{times.slot_text(start)[:10]}.json"


class DayKeys:
    """What the sums of a day depend on, as a text that changes whenever they may."""

    def __init__(self) -> None:
        self._places: dict[tuple[object, ...], int] = {}
        """Where a slot lies in a file: that stays, as long as the file is the same and only grows."""
        self._repairs: tuple[object, dict[int, str]] = (None, {})
        """What a repairs.txt of some size and time holds for each day."""

    def key(self, log: PriceLog, start: int) -> str:
        """The key of the day that begins at a Unix time. Raises OSError."""
        begin, end = times.slot_text(start), times.slot_text(start + times.DAY)
        parts: list[object] = []
        for file, after in zip_longest(log.files, log.files[1:]):
            if file.first >= end:
                break
            if after is not None and after.first <= begin:
                continue  # it was rotated before that day
            if file.packed:
                parts.append((file.identity, file.size, file.first))
            else:
                parts.append((file.identity, file.first, self._place(file, begin), self._place(file, end)))
        if log.repairs:
            parts.append(self._repaired(log.repairs, start))
        return blake2b(repr(parts).encode(), digest_size=12).hexdigest()

    def _place(self, file: LogFile, slot: str) -> int:
        """Where the rows before a slot end in a plain file; 0 where it has another name by now."""
        known = file.identity, file.first, slot
        if self._places.get(known, file.size) >= file.size:  # also where it became shorter
            if len(self._places) > _MOST_PLACES:
                self._places.clear()
            try:
                with file.opened() as opened:
                    self._places[known] = opened.position(slot)
            except OSError:
                return 0
        return self._places[known]

    def _repaired(self, repairs: LogFile, start: int) -> str:
        """A text that changes where what was filled into a day does."""
        status = os.stat(repairs.path)  # noqa: PTH116 - asked for each day
        state = (repairs.identity, repairs.size, status.st_mtime_ns)
        if self._repairs[0] != state:
            self._repairs = (state, {})
        digests = self._repairs[1]
        if start not in digests:
            with repairs.opened() as opened:
                first, last = (opened.position(times.slot_text(unix)) for unix in (start, start + times.DAY))
                digests[start] = blake2b(opened.read(first, last - first), digest_size=8).hexdigest()
        return digests[start]


def _sum(stored: Any) -> Sum:
    bars, missed, sources, *span = stored
    return Sum([Bar(*bar) for bar in bars], [Missed(*one) for one in missed], list(sources), *span)
