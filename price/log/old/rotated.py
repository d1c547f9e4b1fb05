"""The file that was rotated away last: where a log that has no rows yet goes on from."""

import gzip
import os
import re
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, cast

from price.log.old.tail import SEARCH_BYTES, Tail, read_tail, sound_end
from price.model import Pair

_BEGINNING_BYTES = 4096


def rotated_tail(path: Path, pairs: Collection[Pair]) -> Tail | None:
    """The end of the newest rotated file of a log; None where there is none. Raises OSError."""
    newest = max(_siblings(path), key=_first_slot, default=None)
    if newest is None:
        return None
    try:
        with _opened(newest) as file:
            descriptor = file.fileno()
            return read_tail(descriptor, sound_end(descriptor, os.fstat(descriptor).st_size), pairs)
    except ValueError:
        return None  # no log, whatever its name


def _siblings(path: Path) -> list[Path]:
    name = re.compile(re.escape(path.name) + r"(?:-[\d-]+|\.\d+)(?:\.gz)?")
    files = {one for one in path.parent.iterdir() if name.fullmatch(one.name) and one.is_file()}
    # while a file is being compressed both are there, and the new one is not whole
    return [one for one in files if one.suffix != ".gz" or one.with_suffix("") not in files]


def _first_slot(path: Path) -> bytes:
    """The slot of a file's first row, as it stands there: times of files do not survive every copy."""
    try:
        with _reading(path) as file:
            lines = file.read(_BEGINNING_BYTES).splitlines()
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return b""
    return next((text.partition(b" ")[0] for text in lines if text and not text.startswith(b"#")), b"")


def _reading(path: Path) -> IO[bytes]:
    """A file to read from its beginning; a compressed one unpacked. Raises OSError."""
    return cast(IO[bytes], gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """A file to read; of a compressed one its end, unpacked beside it. Raises OSError and ValueError."""
    if path.suffix != ".gz":
        with path.open("rb") as file:
            yield file
        return
    with TemporaryFile(dir=path.parent) as file:
        file.write(_unpacked_end(path))
        file.flush()
        yield file


def _unpacked_end(path: Path) -> bytes:
    end = b""
    try:
        with _reading(path) as packed:
            while block := packed.read(SEARCH_BYTES):
                end = (end + block)[-SEARCH_BYTES:]
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: {error}") from error
    return end
