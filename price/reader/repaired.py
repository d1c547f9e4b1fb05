"""Whether repairs.txt is sound: form, order, and that it fills only slots that the log lacks or missed."""

from collections.abc import Iterator

from price import line
from price.reader import row
from price.reader.chunk import Chunk
from price.reader.faults import Fault
from price.reader.files import File
from price.reader.pricelog import PriceLog

_WAYS = ("journal", "candle", "peer")
Repair = tuple[bytes, int]
"""Slot and pair as they stand in a row, and the line number."""


def repair_faults(file: File, log: str) -> Iterator[Fault]:
    """The faults of the repairs.txt of a log, in the order of its lines."""
    faults: list[Fault] = []
    repairs = _sound_ones(file, faults)
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
