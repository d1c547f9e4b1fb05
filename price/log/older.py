"""The files of a log before its own, the newest first, each to be read from its end backwards."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from price.errors import PriceError
from price.log.file import File
from price.log.files import LogFile, log_files

_PACKED_BYTES = 4 * 1024 * 1024


class Text(NamedTuple):
    """The end of one file."""

    read: Callable[[int, int], bytes]
    """The bytes of an offset and a size."""
    size: int


def older_texts(path: Path, identity: tuple[int, int], skipped: list[str]) -> Iterator[Text]:
    """The rotated files of the log whose own file has this device and inode.

    Of a packed one only the last 4 MiB are there, since it is unpacked from its beginning. Files that cannot
    be read are added to `skipped`, with the reason.
    """
    try:
        files = log_files(str(path))
    except PriceError as error:
        skipped.append(str(error))
        return
    skipped += [f"{file.path}: {file.fault}" for file in files if file.fault and file.identity != identity]
    for file in reversed([file for file in files if not file.fault and file.identity != identity]):
        yield from _texts(file, skipped)


def _texts(file: LogFile, skipped: list[str]) -> Iterator[Text]:
    try:
        with file.opened() as opened:
            yield _packed_end(opened) if file.packed else _plain(opened)
            if opened.damage:
                skipped.append(f"{file.path}: {opened.damage}")
    except OSError as error:
        skipped.append(f"{file.path}: {error.strerror}")


def _plain(file: File) -> Text:
    """A plain file up to its last line end."""
    begin = max(0, file.size - 65536)
    return Text(file.read, begin + file.read(begin, 65536).rfind(b"\n") + 1)


def _packed_end(file: File) -> Text:
    end = b""
    for _, block in file.blocks():
        end = end[-_PACKED_BYTES:] + block
    whole = end[end.find(b"\n") + 1 :] if len(end) > _PACKED_BYTES else end
    return Text(lambda at, size: whole[at : at + size], len(whole))
