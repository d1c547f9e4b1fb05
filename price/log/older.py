"""The files of a log before its own, the newest first, each to be read from its end backwards."""

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from price.errors import PriceError
from price.log.file import File
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


def older_texts(
    path: Path, identity: tuple[int, int], skipped: list[str], unpack_all: Callable[[], bool]
) -> Iterator[Text]:
    """The rotated files of the log whose own file has this device and inode.

    Of a packed one only the last 4 MiB are there, since it is unpacked from its beginning; unless its end is
    worth any time (`unpack_all`), one that is too long for that is given by its first part. Files that cannot
    be read, or not to their end, are added to `skipped`, with the reason.
    """
    try:
        files = log_files(str(path))
    except PriceError as error:
        skipped.append(str(error))
        return
    skipped += [f"{file.path}: {file.fault}" for file in files if file.fault and file.identity != identity]
    for file in reversed([file for file in files if not file.fault and file.identity != identity]):
        yield from _texts(file, skipped, unpack_all)


def _texts(file: LogFile, skipped: list[str], unpack_all: Callable[[], bool]) -> Iterator[Text]:
    try:
        with file.opened() as opened:
            text = _packed_end(opened, unpack_all()) if file.packed else _plain(opened)
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


def _plain(file: File) -> Text:
    """A plain file up to its last line end."""
    begin = max(0, file.size - 65536)
    return Text(file.read, begin + file.read(begin, 65536).rfind(b"\n") + 1)


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
    return Text(lambda at, size: end[at : at + size], len(end), is_end)
