"""The file that was rotated away last: where a log that has no rows yet goes on from."""

import os
import re
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from price.quote import Pair
from price.tail import SEARCH_BYTES, Tail, read_tail, sound_end


def rotated_tail(path: Path, pairs: Collection[Pair]) -> Tail | None:
    """The end of the newest rotated file of a log; None where there is none. Raises OSError."""
    newest = _newest(path)
    if newest is None:
        return None
    try:
        with _opened(newest) as file:
            descriptor = file.fileno()
            return read_tail(descriptor, sound_end(descriptor, os.fstat(descriptor).st_size), pairs)
    except ValueError:
        return None  # no log, whatever its name


def _newest(path: Path) -> Path | None:
    name = re.compile(re.escape(path.name) + r"(?:-[\d-]+|\.\d+)(?:\.gz)?")
    files = {one for one in path.parent.iterdir() if name.fullmatch(one.name) and one.is_file()}
    # while a file is being compressed both are there, and the new one is not whole
    whole = [one for one in files if one.suffix != ".gz" or one.with_suffix("") not in files]
    return max(whole, key=lambda one: one.stat().st_mtime, default=None)


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
    import gzip  # most logs are not compressed when they are gone on from

    end = b""
    try:
        with gzip.open(path) as packed:
            while block := packed.read(SEARCH_BYTES):
                end = (end + block)[-SEARCH_BYTES:]
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: {error}") from error
    return end
