"""`price verify`: proves the log, one line for each fault."""

from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from price.errors import PriceError
from price.log import line
from price.log.old import row
from price.log.old.files import File
from price.log.old.siblings import open_log, open_repairs, sibling_missing
from price.report.arithmetic import Arithmetic
from price.report.faults import Fault
from price.report.options import Window, file_of, window
from price.report.tables import write

NAMES = ("file", "line", "fault")
_MOST_KNOWN = 10_000


class Verifier:
    """Reads files line by line, the oldest first; what one leaves behind binds the next."""

    def __init__(self) -> None:
        self._sums = Arithmetic()
        self._last = b""
        self._known: set[bytes] = set()
        """Sources found well-formed: they repeat, and a look into a set is cheaper than a match."""

    def faults(self, file: File, *, joins: bool, growing: bool) -> Iterator[Fault]:
        """The faults of the next file.

        `joins`: it must go on where the one before ended; `growing`: its last line may be unfinished.
        """
        number = 0
        try:
            for _, block in file.blocks():
                for text in block.split(b"\n")[:-1]:
                    number += 1
                    if not self._usual(text):
                        for what in self._what(text, first=number == 1, joins=joins):
                            yield Fault(file.path, number, what, text)
        except PriceError as error:
            yield Fault(file.path, number + 1, str(error).removeprefix(f"{file.path}: "))
        if file.unfinished and not growing:
            yield Fault(file.path, number + 1, "the last line has no line end")

    def _usual(self, text: bytes) -> bool:
        """Takes a row with a price for the slot that is due: nearly every line, in a microsecond."""
        try:
            slot, pair, price, rest = text.split(b" ", 3)
        except ValueError:
            return False
        if self._sums.next.get(pair) != slot or slot < self._last:
            return False
        if rest not in self._known or not row.is_price(price):
            return False
        self._sums.step(pair)
        self._last = slot
        return True

    def _what(self, text: bytes, *, first: bool, joins: bool) -> Iterator[str]:
        """What is wrong with a line, which is taken."""
        if text.startswith(b"# price-log"):
            yield from self._header(text, joins=joins if first else None)
            return
        if first:
            yield "the first line is not '# price-log 1 every=5s'"
        if not text.startswith(b"#"):
            yield from self._row(text)

    def _header(self, text: bytes, *, joins: bool | None) -> Iterator[str]:
        every = row.every_of(text)
        if every is None or every > 3600 or row.DAY % every:
            yield f"not a header such as '# price-log 1 every=5s': {text[:40].decode('ascii', 'replace')!r}"
            return
        self._sums.begin(every, goes_on=every != self._sums.every if joins is None else joins)

    def _row(self, text: bytes) -> Iterator[str]:
        try:
            quote = line.read(text.decode("ascii", "replace"))
        except ValueError as error:
            self._sums.forget()
            yield str(error)
            return
        slot, pair, _, rest = text.split(b" ", 3)
        if slot < self._last:
            yield f"earlier than a row above it, which is for {self._last.decode()}"
            return
        self._last = slot
        wrong = self._sums.take(pair, row.unix_of(slot), quote.slots)
        if wrong:
            yield wrong
        if not quote.missed and len(self._known) < _MOST_KNOWN:
            self._known.add(rest)


def log_faults(files: list[File], path: str) -> Iterator[Fault]:
    """The faults of the files of a log; of them, only prices.txt itself still grows."""
    verifier = Verifier()
    for older, file in zip([None, *files], files, strict=False):
        joins = older is not None and not sibling_missing(older, file)
        yield from verifier.faults(file, joins=joins, growing=file.path == path)


def run(args: Namespace, environ: Mapping[str, str], now: datetime) -> int:
    """Prints the faults; 0 where there are none, else 1."""
    asked = window(args, now)
    path = file_of(args, environ)
    faulty = False

    def found() -> Iterator[Fault]:
        nonlocal faulty
        for fault in _all_faults(path, live_only=args.live_only):
            if _asked_for(fault, asked, [pair.encode() for pair in args.pair]):
                faulty = True
                yield fault

    faults: Iterable[Fault] = found()
    if args.last:
        from price.report.latest import last_of

        faults = [
            fault for _, fault in last_of(((fault.pair.decode(), fault) for fault in faults), args.last)
        ]
    if args.format == "text":
        write("text", NAMES, ((str(fault),) for fault in faults))
    else:
        write(args.format, NAMES, (fault.values() for fault in faults))
    return int(faulty)


def _all_faults(path: str, *, live_only: bool) -> Iterator[Fault]:
    files = open_log(path, strict=False)
    repairs = None if live_only else open_repairs(path, strict=False)
    try:
        yield from log_faults(files, path)
        if repairs:
            from price.report.repaired import repair_faults

            yield from repair_faults(repairs, path)
    finally:
        for file in [*files, *([repairs] if repairs else [])]:
            file.close()


def _asked_for(fault: Fault, asked: Window, pairs: list[bytes]) -> bool:
    """Whether a fault lies in the range and the pairs asked for; one that has neither always does."""
    if fault.pair and pairs and fault.pair not in pairs:
        return False
    since, until = asked.since, asked.until
    early = since is not None and fault.slot < row.slot_of(since)
    late = until is not None and fault.slot >= row.slot_of(until)
    return not fault.slot or not (early or late)
