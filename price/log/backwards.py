"""A log from its end backwards, file by file and block by block: for a recorder's start."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from price import host
from price.errors import PriceError
from price.log.file import BLOCK, LONGEST, File
from price.log.files import LogFile, log_files

_PACKED_BYTES = 4 * 1024 * 1024
_MOST_UNPACKED_BYTES = 64 * 1024 * 1024
"""A packed file has to be unpacked from its beginning: this much takes half a second."""


class Text(NamedTuple):
    """The end of one file."""

    read: Callable[[int, int], bytes]
    """The bytes of an offset and a size."""
    size: int
    is_end: bool = True
    """Whether it is the file's end; of one that is too long to unpack it is the beginning."""


def own_text(descriptor: int, size: int) -> Text:
    """The open file of a log itself, up to `size`, which is behind a line end."""
    return Text(lambda at, count: host.read_at(descriptor, count, at), size)


def texts_backwards(
    path: Path, descriptor: int, size: int, skipped: list[str], unpack_all: Callable[[], bool]
) -> Iterator[Text]:
    """The open file of a log, then those rotated away from it, the newest first.

    Of a packed one only the last 4 MiB are there, since it is unpacked from its beginning; unless its end is
    worth any time (`unpack_all`), one that is too long for that is returned by its first part. Files that
    cannot be read, or not to their end, are added to `skipped`, with the reason.
    """
    yield own_text(descriptor, size)
    status = os.fstat(descriptor)
    try:
        files = log_files(str(path))
    except PriceError as error:
        skipped.append(str(error))
        return
    older = [file for file in files if file.identity != (status.st_dev, status.st_ino)]
    skipped += [f"{file.path}: {file.fault}" for file in older if file.fault]
    for file in reversed([file for file in older if not file.fault]):
        yield from _older(file, skipped, unpack_all)


def _older(file: LogFile, skipped: list[str], unpack_all: Callable[[], bool]) -> Iterator[Text]:
    try:
        with file.opened() as opened:
            text = _packed_end(opened, unpack_all()) if file.packed else _plain_end(opened)
            known = opened.damage
            if not text.is_end:
                skipped.append(f"{file.path}: it is packed, and too long to be unpacked at the start")
            if known:  # before the end is used: nobody may ask for what comes after
                skipped.append(f"{file.path}: {known}")
            yield text
            if opened.damage != known:
                skipped.append(f"{file.path}: {opened.damage}")
    except OSError as error:
        skipped.append(f"{file.path}: {error.strerror}")


def _plain_end(file: File) -> Text:
    """A plain file up to its last line end."""
    begin = max(0, file.size - LONGEST)
    return Text(file.read, begin + file.read(begin, LONGEST).rfind(b"\n") + 1)


def _packed_end(file: File, unpack_all: bool) -> Text:
    blocks: deque[bytes] = deque()
    size = unpacked = 0
    for _, block in file.blocks():
        blocks.append(block)
        size += len(block)
        unpacked += len(block)
        while size - len(blocks[0]) > _PACKED_BYTES:
            size -= len(blocks.popleft())
        if unpacked > _MOST_UNPACKED_BYTES and not unpack_all:
            break
    end = b"".join(blocks)
    is_end = unpack_all or unpacked <= _MOST_UNPACKED_BYTES
    return Text(lambda at, count: end[at : at + count], len(end), is_end)


def blocks_backwards(text: Text) -> Iterator[bytes]:
    """Blocks of whole lines, the last one first; what is too long to be a line is passed over.

    Each byte is read once and joined once, however long a stretch without a line end is.
    """
    end, rest, skipping = text.size, b"", False
    while end > 0:
        start = max(0, end - BLOCK)
        first, newline, others = text.read(start, end - start).partition(b"\n")
        end = start
        if not newline:  # all of it belongs to one line
            rest, skipping = (first + rest, skipping) if len(rest) < LONGEST else (b"", True)
            continue
        if not skipping:
            others += rest
        else:  # the line that `others` ends in goes on for too long
            others = others[: others.rfind(b"\n") + 1]
        if others:
            yield others
        rest, skipping = first + newline, False
    if rest and not skipping:
        yield rest
