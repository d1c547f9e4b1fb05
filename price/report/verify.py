"""`price verify`: proves the log, one line for each fault: whatever another command leaves out is one."""

from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from price import times
from price.log import row
from price.log.file import TOO_LONG
from price.log.files import LogFile, log_files, number_of, repairs_file
from price.log.read import PriceLog
from price.log.row import HEADER_START, read_header
from price.report import options
from price.report.arithmetic import Arithmetic
from price.report.latest import last_of
from price.report.options import Window, file_of, window
from price.report.tables import write
from price.text import one_line

NAMES = ("file", "line", "fault")
_NO_HEADER = "the first line is not '# price-log 1 every=5s'"
_BAD_HEADER = "not a header such as '# price-log 1 every=5s'"
_NO_LINE_END = "the last line has no line end"
_TOO_LONG = TOO_LONG.decode("latin-1").rstrip("\n")
_MADE_UP = ("", "simulated")
_WAYS = ("journal", "candle", "peer")


class Fault(NamedTuple):
    """A fault; `slot` and `pair` are those of its line, empty where it is no row."""

    path: str
    line: int
    what: str
    slot: str = ""
    pair: str = ""


class Verifier:
    """Reads files line by line, the oldest first; what one leaves behind binds the next."""

    def __init__(self) -> None:
        self.sums = Arithmetic()
        self._last = 0
        """The Unix time of the latest row so far."""
        self._file = ""
        self._number = 0
        """The line that was read last, of which file."""
        self._simulated = False
        """Whether the last header states it."""
        self._basis = ""
        """Column 4 of the newest price."""

    def faults(self, file: LogFile, *, joins: bool, growing: bool) -> Iterator[Fault]:
        """The faults of the next file.

        `joins`: it must go on where the one before ended; `growing`: its last line may be unfinished.
        """
        self._file, self._number = one_line(file.path), 0
        with file.opened() as opened:
            for _, block in opened.blocks():
                text = block.decode("latin-1")
                rows = row.find(text)
                if self._number and len(rows) == block.count(b"\n"):
                    yield from self._rows(rows)
                else:
                    for line in text.split("\n")[:-1]:
                        yield from self._line(line, joins=joins)
            for what in filter(None, (opened.damage, opened.trailing)):
                yield Fault(self._file, self._number + 1, what)
            if opened.unfinished and not growing and not opened.damage:
                yield Fault(self._file, self._number + 1, _NO_LINE_END)

    def _rows(self, rows: list[row.Row]) -> Iterator[Fault]:
        """The faults of lines that are all rows: nearly every one is for the slot that is due."""
        ends, every, last = self.sums.last, self.sums.every, self._last
        known = zip(rows, times.slots_unix([one[0] for one in rows]), strict=True)
        for number, (one, unix) in enumerate(known, self._number + 1):
            _, pair, _, _, extras = one
            if ends.get(pair) == unix - every and unix >= last and "slots=" not in extras:
                ends[pair] = last = unix
            else:
                self._last = last
                yield from self._row(one, unix, number)
                last = self._last
        self._last, self._number = last, self._number + len(rows)
        self._basis = next((one[3] for one in reversed(rows) if one[2] != row.MISSED), self._basis)

    def _line(self, line: str, *, joins: bool) -> Iterator[Fault]:
        """The faults of any line."""
        self._number += 1
        if line.startswith(HEADER_START.rstrip()):
            header = read_header(line)
            if not header or header.every > 3600 or times.DAY % header.every:
                yield Fault(self._file, self._number, f"{_BAD_HEADER}: {line[:40]!a}")
                return
            joins = joins if self._number == 1 else header.every != self.sums.every
            self.sums.begin(header.every, goes_on=joins)
            # a log of an older version does not state that its prices are simulated
            if header.simulated != self._simulated and (self._simulated or self._basis not in _MADE_UP):
                above = "simulated" if self._simulated else "real"
                what = f"a log is simulated or real as a whole: {above} above"
                yield Fault(self._file, self._number, what)
            self._simulated = header.simulated
            return
        if self._number == 1:
            yield Fault(self._file, 1, _NO_HEADER)
        if line.startswith("#"):
            return
        try:
            one = row.read(line)
        except ValueError as error:
            self.sums.forget()
            yield Fault(self._file, self._number, _reason(line, error))
        else:
            yield from self._row(one, times.slot_unix(one[0]), self._number)

    def _row(self, one: row.Row, unix: int, number: int) -> Iterator[Fault]:
        if one[2] != row.MISSED:
            self._basis = one[3]
        if unix < self._last:
            what = f"earlier than a row above it, which is for {times.slot_text(self._last)}"
        else:
            self._last = unix
            what = self.sums.add(one[1], unix, row.slots(one))
        if what:
            yield Fault(self._file, number, what, one[0], one[1])


def log_faults(files: list[LogFile], path: str, verifier: Verifier) -> Iterator[Fault]:
    """The faults of the files of a log; of them, only prices.txt itself still grows."""
    older: LogFile | None = None
    for file in files:
        if file.fault and not file.first:
            yield Fault(one_line(file.path), 1, file.fault)
            continue
        joins = older is not None and not _one_is_missing(older.path, file.path, path)
        yield from verifier.faults(file, joins=joins, growing=file.path == path)
        older = file


def _one_is_missing(older: str, newer: str, path: str) -> bool:
    """Whether the numbers of two neighbouring files (that of the log itself is 0) show that one is gone."""
    first, second = number_of(older), 0 if newer == path else number_of(newer)
    return first is not None and first != (-1 if second is None else second) + 1


def repair_faults(file: LogFile, log: PriceLog, sums: Arithmetic) -> list[Fault]:
    """The faults of repairs.txt: form, order, and that it fills only what the log lacks or marks missed."""
    faults: list[Fault] = []
    repairs = _sound_repairs(file, sums, faults)
    repair = next(repairs, None)
    waiting: list[Fault] = []
    before = covered = 0
    for every, rows in log.blocks(times.slot_unix(repair.slot)) if repair else ():
        while repair and repair.slot <= rows[-1][0]:
            # a hole before these rows is one of their interval, what a missed row reaches over is of its own
            unix = times.slot_unix(repair.slot)
            interval = before if unix <= covered else every
            if unix % interval:
                faults.append(repair._replace(what=f"not a slot of every={interval}s"))
            waiting.append(repair)
            repair = next(repairs, None)
        if waiting:
            priced = {(slot, pair) for slot, pair, price, _, _ in rows if price != row.MISSED}
            live = [one for one in waiting if (one.slot, one.pair) in priced]
            faults += [one._replace(what=f"{one.pair} has a live price for {one.slot}") for one in live]
            # the rows of one slot may stand in two blocks
            waiting = [one for one in waiting if one.slot == rows[-1][0] and one not in live]
        long = (one for one in rows if one[2] == row.MISSED and one[4])
        ends = (times.slot_unix(one[0]) + (row.slots(one) - 1) * every for one in (rows[-1], *long))
        before, covered = every, max(covered, *ends)
    for _ in repairs:  # those after the log's last row
        pass
    return sorted(faults, key=lambda fault: fault.line)


def _sound_repairs(file: LogFile, sums: Arithmetic, faults: list[Fault]) -> Iterator[Fault]:
    """The repairs that the log has room for, each as a fault of its line without one; others are `faults`."""
    for one in repair_lines(file):
        what = one.what or _beyond(one, sums)
        if what:
            faults.append(one._replace(what=what))
        else:
            yield one


def _beyond(repair: Fault, sums: Arithmetic) -> str:
    """What is wrong with a repair that does not lie between the first and the last row of its pair."""
    first, last, unix = sums.first.get(repair.pair), sums.end(repair.pair), times.slot_unix(repair.slot)
    if first is None or last is None:
        return f"the log has no row of {repair.pair}"
    if unix < first:
        return f"before the log's first row of {repair.pair}, which is for {times.slot_text(first)}"
    if unix > last:
        return f"after the log's last row of {repair.pair}, which is for {times.slot_text(last)}"
    return ""


def repair_lines(file: LogFile) -> Iterator[Fault]:
    """The lines of repairs.txt but for comments; `what` is empty for those that are well-formed repairs."""
    path, number, last, pairs = one_line(file.path), 0, "", set[str]()
    with file.opened() as opened:
        for _, block in opened.blocks():
            for line in block.decode("latin-1").split("\n")[:-1]:
                number += 1
                if line.startswith(HEADER_START.rstrip()) or number == 1:
                    if not read_header(line):
                        yield Fault(path, number, _BAD_HEADER)
                elif not line.startswith("#"):
                    one, what = _repair(line, last, pairs)
                    yield Fault(path, number, what, *one[:2])
                    if not what:
                        pairs = {one[1]} | (pairs if one[0] == last else set())
                        last = one[0]
        if opened.damage or opened.unfinished:
            yield Fault(path, number + 1, opened.damage or _NO_LINE_END)


def _repair(line: str, last: str, pairs: set[str]) -> tuple[Sequence[str], str]:
    """The row of a line, and what is wrong with it by itself and after the slot `last` and its pairs."""
    try:
        one = row.read(line)
    except ValueError as error:
        return (), _reason(line, error)
    slot, pair, price, _, _ = one
    what = ""
    if slot < last:
        what = f"earlier than a row above it, which is for {last}"
    elif slot == last and pair in pairs:
        what = f"{pair} has a row for this slot already"
    elif price == row.MISSED:
        what = "a repair has a price"
    elif row.extras(one).get("by") not in _WAYS:
        what = "a repair says by=journal, by=candle or by=peer"
    return one, what


def _reason(line: str, error: ValueError) -> str:
    """Why a line is no row."""
    return _TOO_LONG[2:] if line == _TOO_LONG else str(error)


run_options = options.add_all


def run(args: Namespace, environ: Mapping[str, str], now: datetime) -> int:
    """Prints the faults; 0 where there are none, else 1."""
    asked = window(args, now)
    faulty = False

    def found() -> Iterator[Fault]:
        nonlocal faulty
        for fault in _all_faults(file_of(args, environ), live_only=args.live_only):
            if _asked_for(fault, asked, args.pair):
                faulty = True
                yield fault

    faults: Iterable[Fault] = found()
    if args.last:
        faults = last_of(faults, args.last, attrgetter("pair"))
    if args.format == "text":
        write("text", ("fault",), ((f"{fault.path}:{fault.line}: {fault.what}",) for fault in faults))
    else:
        write(args.format, NAMES, (fault[:3] for fault in faults))
    return int(faulty)


def _all_faults(path: str, *, live_only: bool) -> Iterator[Fault]:
    verifier = Verifier()
    yield from log_faults(log_files(path, strict=False), path, verifier)
    repairs = None if live_only else repairs_file(path)
    if repairs:
        yield from repair_faults(repairs, PriceLog(path, live_only=True), verifier.sums)


def _asked_for(fault: Fault, asked: Window, pairs: list[str]) -> bool:
    """Whether a fault lies in the range and the pairs asked for; one that has neither always does."""
    if fault.pair and pairs and fault.pair not in pairs:
        return False
    early = asked.since is not None and fault.slot < times.slot_text(asked.since)
    late = asked.until is not None and fault.slot >= times.slot_text(asked.until)
    return not fault.slot or not (early or late)
