"""Whether repairs.txt is sound: form, order, and that it fills only what is missed.

That is what the log lacks, or marks missed, between the first and the last row of a pair.
"""

from collections.abc import Iterator

from price.errors import PriceError
from price.log import line
from price.log.old import row
from price.log.old.chunk import Chunk
from price.log.old.files import File
from price.log.old.pricelog import PriceLog
from price.report.faults import Fault

_WAYS = ("journal", "candle", "peer")
_END = 253_402_300_799
"""The last second of the calendar, beyond which a missed row may lead."""
Repair = tuple[bytes, int]
"""Slot and pair as they stand in a row, and the line number."""


def repair_faults(file: File, log: str) -> Iterator[Fault]:
    """The faults of the repairs.txt of a log, in the order of its lines."""
    faults: list[Fault] = []
    pairs = {key.split(b" ")[1] for key, _ in _sound_ones(file, [])}
    repairs = _within(_sound_ones(file, faults), _spans(log, pairs), file.path, faults)
    first = next(repairs, None)
    if first:
        with PriceLog(log, live_only=True) as live:
            chunks = live.chunks(row.unix_of(first[0]))
            faults += _filled(chunks, first, repairs, file.path)
    for _ in repairs:  # those after the log's last row
        pass
    yield from sorted(faults, key=lambda fault: fault.line)


def _sound_ones(file: File, faults: list[Fault]) -> Iterator[Repair]:
    """The well-formed repairs; what is wrong with the others goes to `faults`."""
    number, before = 0, (b"", set[bytes]())
    for _, block in file.blocks():
        for text in block.split(b"\n")[:-1]:
            number += 1
            wrong = _wrong_form(text, number, before)
            if wrong:
                faults.append(Fault(file.path, number, wrong, text))
            elif not text.startswith(b"#"):
                slot, pair, *_ = text.split(b" ")
                before = (slot, {pair} | (before[1] if slot == before[0] else set()))
                yield slot + b" " + pair, number
    if file.unfinished:
        faults.append(Fault(file.path, number + 1, "the last line has no line end"))


def _wrong_form(text: bytes, number: int, before: tuple[bytes, set[bytes]]) -> str:
    """What is wrong with a line by itself and after the slot `before` and its pairs; or nothing."""
    if number == 1 or text.startswith(b"# price-log"):
        return "" if row.every_of(text) else "not a header such as '# price-log 1 every=5s'"
    if text.startswith(b"#"):
        return ""
    try:
        quote = line.read(text.decode("ascii", "replace"))
    except ValueError as error:
        return str(error)
    slot, pair, *_ = text.split(b" ")
    if slot < before[0]:
        return f"earlier than a row above it, which is for {before[0].decode()}"
    if slot == before[0] and pair in before[1]:
        return f"{pair.decode()} has a row for this slot already"
    if quote.missed:
        return "a repair has a price"
    return "" if quote.by in _WAYS else "a repair says by=journal, by=candle or by=peer"


def _spans(log: str, pairs: set[bytes]) -> dict[bytes, tuple[bytes, bytes]]:
    """The first and the last slot that the log accounts for, of the pairs of which it has rows."""
    found: dict[bytes, tuple[bytes, bytes]] = {}
    with PriceLog(log, live_only=True) as live:
        for chunk in live.chunks(checked=False):  # a match for each row would take as long as verify itself
            for pair in pairs:
                last = _last_row(chunk.rows, pair)
                if last:
                    end = row.unix_of(last) + (row.slots_of(last) - 1) * chunk.every
                    start = (
                        found[pair][0] if pair in found else _first_row(chunk.rows, pair)[: row.SLOT_BYTES]
                    )
                    found[pair] = start, row.slot_of(min(end, _END))
    return found


def _first_row(rows: bytes, pair: bytes) -> bytes:
    """The first row of a pair in some rows; empty where there is none."""
    name, at = b" %b " % pair, -1
    while (at := rows.find(name, at + 1)) >= 0:
        text = _line_at(rows, at)
        if _is_row(text, pair):
            return text
    return b""


def _last_row(rows: bytes, pair: bytes) -> bytes:
    """The last one."""
    name, at = b" %b " % pair, len(rows)
    while (at := rows.rfind(name, 0, at)) >= 0:
        text = _line_at(rows, at)
        if _is_row(text, pair):
            return text
    return b""


def _line_at(rows: bytes, at: int) -> bytes:
    return rows[rows.rfind(b"\n", 0, at) + 1 : rows.index(b"\n", at) + 1]


def _is_row(text: bytes, pair: bytes) -> bool:
    if not row.is_sound(text) or row.pair_of(text) != pair:
        return False
    try:
        row.unix_of(text)
    except PriceError:  # no such day
        return False
    return True


def _within(
    repairs: Iterator[Repair], spans: dict[bytes, tuple[bytes, bytes]], path: str, faults: list[Fault]
) -> Iterator[Repair]:
    """The repairs between the first and the last row of their pair; the others are faults."""
    for key, number in repairs:
        slot, pair = key.split(b" ")
        first, last = spans.get(pair, (b"~", b""))
        if first <= slot <= last:
            yield key, number
            continue
        if not last:
            what = f"the log has no row of {pair.decode()}"
        elif slot < first:
            what = f"before the log's first row of {pair.decode()}, which is for {first.decode()}"
        else:
            what = f"after the log's last row of {pair.decode()}, which is for {last.decode()}"
        faults.append(Fault(path, number, what, key + b" 0 x"))


def _filled(chunks: Iterator[Chunk], first: Repair, others: Iterator[Repair], path: str) -> Iterator[Fault]:
    """The repairs that stand where the log has a price, or where it has no slot."""
    repair: Repair | None = first
    waiting: dict[bytes, int] = {}
    every = 0
    for chunk in chunks:
        begin, last = chunk.rows[: row.SLOT_BYTES], row.last_slot(chunk.rows)
        while repair and repair[0][: row.SLOT_BYTES] <= last:
            key, number = repair
            waiting[key] = number
            if key >= begin or not every:
                every = chunk.every
            if row.unix_of(key) % every:
                yield Fault(path, number, f"not a slot of every={every}s")
            repair = next(others, None)
        if waiting:
            yield from _priced_live(chunk.rows, waiting, path)
        every = chunk.every
        # the rows of one slot may stand in two chunks
        waiting = {key: number for key, number in waiting.items() if key.startswith(last)}
        if repair is None and not waiting:
            return


def _priced_live(rows: bytes, waiting: dict[bytes, int], path: str) -> Iterator[Fault]:
    start = row.offset_of(rows, min(waiting)[: row.SLOT_BYTES])
    for text in row.lines(rows[start:]):
        key = text[: text.index(b" ", row.SLOT_BYTES + 1)]
        if key in waiting and not row.missed(text):
            slot, pair = key.decode().split(" ")
            yield Fault(path, waiting.pop(key), f"{pair} has a live price for {slot}", text[:-1])
