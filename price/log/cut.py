"""What a crash may leave at the end of a log: where it begins, and how it is kept when it is cut off.

Only that is ever cut: an unfinished last line, zeros (of blocks that never reached the disk), and a few
whole lines that hold zeros or two rows glued together, no more than the rows of one slot. Anything else
that is no row (lines of another system's editor, a remark without `#`) is somebody's work: the log is then
refused, and nobody's bytes are touched.
"""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from price import host
from price.log import row
from price.log.lock import LOG_MODE, Unfit
from price.log.row import HEADER_BEGIN, read_header
from price.wire import excerpt

LONGEST_LINE = 64 * 1024
"""Bytes of a line; rows have some hundred."""
_BLOCK_BYTES = 1024 * 1024
"""Read at once; the rows of a slot, and what a crash made of them, are less."""
_SHOWN_BYTES = 400
_SLOT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ")
_LIKE_SLOT = b"0000-00-00T00:00:00Z "


class Cut(NamedTuple):
    """What was cut off a log."""

    begin: bytes
    """Its first bytes, to show."""
    size: int
    """How many bytes it is."""
    path: Path
    """The file in which it is kept whole."""


def sound_end(descriptor: int, size: int, most_lines: int) -> int:
    """Where the last sound line of a log ends; what follows is what a crash may have left.

    `most_lines` is how many rows a slot has. Raises OSError, and Unfit naming the line where
    something else follows, or where the file is no price log.
    """
    _check_first_line(host.read_at(descriptor, LONGEST_LINE, 0))
    end = _end_before_zeros(descriptor, size)
    start = max(0, end - _BLOCK_BYTES)
    *lines, unfinished = host.read_at(descriptor, end - start, start).split(b"\n")
    cut = end - len(unfinished)
    if len(unfinished) > LONGEST_LINE:
        number = _line_number(descriptor, cut)
        raise Unfit(
            f"line {number} is longer than {LONGEST_LINE} bytes and no row: price verify names all of them"
        )
    for crashed, text in enumerate(reversed(lines[1:]), start=1):  # the first is the header, or cut in two
        if _is_sound(text):
            break
        begin = cut - len(text) - 1
        if crashed > most_lines or not _may_be_crash(text):
            number = _line_number(descriptor, begin)
            raise Unfit(
                f"line {number} is no row ({excerpt(text)}), and no crash leaves such a line, so nothing was"
                " cut off: price verify names all of them"
            )
        cut = begin
    return cut


def keep(descriptor: int, begin: int, path: Path) -> Cut:
    """Appends all of a file from an offset on to another file, on stable storage. Raises OSError.

    Blocks of zeros become a hole: they take no room however many they are.
    """
    size = os.fstat(descriptor).st_size - begin
    cut = Cut(host.read_at(descriptor, _SHOWN_BYTES, begin), size, path)
    try:
        kept = host.open_kept(path, LOG_MODE)
    except OSError as error:
        raise OSError(error.errno, f"{path}, which is to keep what is cut: {error.strerror}") from error
    with os.fdopen(kept, "wb") as file:
        file.seek(0, os.SEEK_END)
        while block := host.read_at(descriptor, _BLOCK_BYTES, begin):
            begin += len(block)
            if block.strip(b"\0"):
                file.write(block)
            else:
                file.seek(len(block), os.SEEK_CUR)
        file.write(b"\n")  # so that what is cut next begins a line of its own
        file.flush()
        host.sync(kept)
    host.sync_folder(path.parent)
    return cut


def _end_before_zeros(descriptor: int, end: int) -> int:
    """Where the zeros at the end of a file begin."""
    while end > 0:
        start = max(0, end - _BLOCK_BYTES)
        text = host.read_at(descriptor, end - start, start).rstrip(b"\0")
        if text:
            return start + len(text)
        end = start
    return 0


def _is_sound(text: bytes) -> bool:
    return (text.startswith(b"#") and b"\0" not in text) or _is_row(text)


def _is_row(text: bytes) -> bool:
    with suppress(ValueError):
        row.read(text.decode("ascii"))
        return True
    return False


def _may_be_crash(text: bytes) -> bool:
    """Whether a whole line holds zeros, or the beginning of a row and then a whole row."""
    if b"\0" in text:
        return True
    begins = [match.start() for match in _SLOT.finditer(text) if match.start() > 0]
    return any(_begins_row(text[:at]) and _is_row(text[at:]) for at in begins)


def _begins_row(text: bytes) -> bool:
    slot = bytes(b"0"[0] if one in b"0123456789" else one for one in text[: len(_LIKE_SLOT)])
    return _LIKE_SLOT.startswith(slot)


def _check_first_line(begin: bytes) -> None:
    """Raises Unfit where a file does not begin as a price log, nor as one that was torn there."""
    first, newline, _ = begin.partition(b"\n")
    text = first.decode("latin-1").rstrip("\0")
    torn = not newline and HEADER_BEGIN.startswith(text[: len(HEADER_BEGIN)])
    if not torn and read_header(text) is None:
        raise Unfit(f"it is not a price log: its first line is not '# price-log …' but {excerpt(text, 40)}")


def _line_number(descriptor: int, offset: int) -> int:
    """The number of the line that begins at an offset."""
    number, begin = 1, 0
    while begin < offset and (block := host.read_at(descriptor, min(_BLOCK_BYTES, offset - begin), begin)):
        number, begin = number + block.count(b"\n"), begin + len(block)
    return number
