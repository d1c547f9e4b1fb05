"""Which files make up a log: the only list of them, for recorder, readers, repair and followers.

A log is prices.txt and whatever logrotate made of it, in its folder and, where prices.txt is a link, in
the folder that it leads to. Rotated is a file whose name is the log's own, then `-`, `.` or `_` and a digit
(`prices.txt.1`, `prices.txt-20261120`, `prices.txt_2026-11-20.txt`), maybe behind some letters
(`prices.txt-W48`), or that before the log's ending (logrotate's `extension`: `prices-20261120.txt`), or what
a person may have made of the log (`prices.txt.gz`, `prices.txt.old`). Whether it is packed is seen from its
first bytes, not from its name. Names do not show the order either: files are ordered by their first row.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from price import host
from price.errors import PriceError
from price.log import row
from price.log.file import BLOCK, FEW, HOP, PACKED, File
from price.log.row import HEADER_BEGIN, read_header

REPAIRS = "repairs.txt"
"""The file in a log's folder that holds its repairs."""
_STRANGE = {b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4", b"\x1f\x9d": "compress", b"PK": "zip"}
_PACKED_ENDING = r"\.(?:gz|bz2|xz|zst|lz4|Z|zip|lzma|lz|br)"
_PACKED_NAME = re.compile(rf"{_PACKED_ENDING}$")
_NUMBER = re.compile(r"\.(\d{1,7})(?=\.|$)", re.ASCII)
"""Of a rotated file; eight digits are a date."""
_TRIES = 20


class LogFile:
    """A file of a log; it is opened for each question, so that a thousand of them need no descriptors."""

    def __init__(self, path: str, status: os.stat_result) -> None:
        self.path = path
        self.identity = (status.st_dev, status.st_ino)
        self.size = status.st_size
        """Bytes when it was listed: what is appended later is not part of the answer."""
        self.packed = False
        self.every = 0
        """The interval of its first line; 0 where that is no header."""
        self.simulated = False
        self.first = ""
        """The slot of its first row; empty where it has none."""
        self.fault = ""
        """Why it is left out."""

    @contextmanager
    def opened(self) -> Iterator[File]:
        """The file to read. Raises OSError, FileNotFoundError too where another file has its name now."""
        descriptor = host.open_to_read(self.path)
        try:
            status = os.fstat(descriptor)
            if (status.st_dev, status.st_ino) != self.identity:
                raise FileNotFoundError(2, "another file has its name now", self.path)
            yield self._reader(descriptor)
        finally:
            os.close(descriptor)

    def _reader(self, descriptor: int) -> File:
        if self.packed:
            from price.log.packed import PackedFile  # most logs have none, and unpackers cost milliseconds

            file: File = PackedFile(self.path, descriptor)
        else:
            file = File(self.path, descriptor)
        file.size = min(file.size, self.size)
        file.every, file.simulated = self.every, self.simulated
        return file

    def look(self) -> None:
        """Reads how it begins: packed or not, its interval, its first row; or `fault`, why it is left out."""
        if self.fault:
            return
        try:
            with self.opened() as file:
                begun = file.read(0, 8)
            self.packed = begun.startswith(PACKED)
            strange = next((form for magic, form in _STRANGE.items() if begun.startswith(magic)), "")
            if strange:
                self.fault = f"packed with {strange}, which is not read: unpack it"
                return
            with self.opened() as file:
                self._look(file)
        except OSError as error:
            self.fault = f"{error.strerror}: make it readable"

    def _look(self, file: File) -> None:
        begun: str | None = None
        for at, block in file.blocks(size=HOP):
            if begun is None:
                begun = block.partition(b"\n")[0].decode("latin-1")
                self.every, self.simulated = read_header(begun) or (0, False)
            # one of the first few may be out of order
            self.first = min((one[0] for one in row.find(block.decode("latin-1"))[:FEW]), default="")
            if self.first or (not self.every and at > BLOCK):
                break
        whole = begun is not None
        begun = begun or next(file.chunks(0, HOP), b"")[: len(HEADER_BEGIN)].decode("latin-1")
        if not self.every and (whole or not HEADER_BEGIN.startswith(begun)):
            self.fault = f"not a price log: it begins {begun[:40]!a}, not '# price-log 1 every=5s'"
        if not self.first and file.damage:
            self.fault = file.damage


def log_files(path: str, *, strict: bool = True) -> list[LogFile]:
    """The files of a log, looked at: those that can be read by their first row, those with a `fault` last.

    Raises PriceError where there is none at all, or where `path` itself cannot be read; where not `strict`,
    a file that holds a row is read, whatever its first line is.
    """
    path = host.listed_name(path)
    for _ in range(_TRIES):
        listed = _listed(path)
        for file in listed:
            file.look()
        if {file.identity for file in listed} == {file.identity for file in _listed(path)}:
            break  # else a rotation renamed some meanwhile, and one may have been missed
    listed = _without_copies(listed, path)
    if os.path.isdir(path):  # noqa: PTH112
        raise PriceError(f"{path}: not a file: name the log with --file")
    if not listed:
        raise PriceError(_hint(path, FileNotFoundError(2, "No such file or directory")))
    own = next((file for file in listed if file.path == path), None)
    if own and own.fault and (strict or not own.first):
        raise PriceError(f"{path}: {own.fault}; name another log with --file")
    # of copies the one that is still written to comes last: the first of equal rows counts
    return sorted(
        listed,
        key=lambda file: (
            bool(file.fault) and (strict or not file.first),
            file.first,
            file is own,
            file.path,
        ),
    )


def repairs_file(path: str) -> LogFile | None:
    """The repairs.txt in a log's folder; None where there is none, or the log is that file itself."""
    folder, name = _split(path)
    try:
        found = _entry(folder + REPAIRS) if name != REPAIRS else None
    except OSError as error:
        raise PriceError(_hint(folder + REPAIRS, error)) from error
    if found:
        found.look()
    return found


def find_again(path: str, file: LogFile) -> LogFile | None:
    """A file that is no longer where it was listed: renamed, or packed meanwhile; None where it is gone."""
    listed = _listed(host.listed_name(path))
    same = [one for one in listed if one.identity == file.identity]
    for one in same or listed:
        one.look()
        if one.first == file.first and (same or one.packed):
            return one
    return None


def number_of(path: str) -> int | None:
    """The number of a rotated file: 3 of prices.txt.3.gz; None for a date, and for the log itself."""
    found = _NUMBER.search(_split(path)[1], 1)
    return int(found[1]) if found else None


def _listed(path: str) -> list[LogFile]:
    """The files that belong to a log, each once, whatever leads to it."""
    found: dict[tuple[int, int], LogFile] = {}
    places = [path]
    try:
        if os.path.islink(path):  # noqa: PTH114 - pathlib takes a millisecond
            places.append(os.path.realpath(path))
        for place in places:
            for name in _names(place):
                file = _entry(name)
                if file:
                    found.setdefault(file.identity, file)
    except OSError as error:
        raise PriceError(_hint(path, error)) from error
    return list(found.values())


def _names(path: str) -> list[str]:
    """The names in a log's folder that are its own."""
    folder, name = _split(path)
    rotated = rotated_name(name)
    known = sorted(entry for entry in os.listdir(folder or ".") if rotated.fullmatch(entry))  # noqa: PTH208
    if name in known:  # first, so that of several names of one file the log's own counts
        known.remove(name)
        known.insert(0, name)
    return [folder + entry for entry in known]


def rotated_name(name: str) -> re.Pattern[str]:
    """What the name of a log, or of a file that was rotated away from it, matches as a whole."""
    stem, ending = os.path.splitext(name)  # noqa: PTH122
    before_ending = (
        rf"|{re.escape(stem)}(?:\.\d{{1,3}}|[-._]\d{{8}}.*|[-._]\d{{4}}-.*){re.escape(ending)}(?:\..*)?"
    )
    # not prices-2.txt, which may well be the log of a second recorder
    return re.compile(
        rf"{re.escape(name)}(?:[-._][A-Za-z]{{0,9}}\d.*|\.old|{_PACKED_ENDING})?"
        + (before_ending if ending else ""),
        re.DOTALL | re.ASCII,
    )


def _without_copies(files: list[LogFile], path: str) -> list[LogFile]:
    """The files without those into which others are being packed just now.

    Such a copy begins with the same row, or has none yet. One that begins with another row is older: it was
    packed before, and the plain file got the name later (a change of logrotate's rules, `gzip prices.txt`).
    """
    plain = {file.path: file for file in files if not _PACKED_NAME.search(file.path)}
    kept = []
    for file in files:
        source = plain.get(_PACKED_NAME.sub("", file.path), file)
        begun = (source.first,) if source.path == path else (source.first, "")  # the log itself is not packed
        if source is file or file.first not in begun:
            kept.append(file)
    return kept


def _entry(path: str) -> LogFile | None:
    """A file of this name, through links; None for a folder, and for a link that leads nowhere.

    Raises OSError where the name itself cannot be looked at. A link that leads to what cannot be is a fault.
    """
    fault = ""
    try:
        status = os.stat(path)  # noqa: PTH116 - a thousand of them: pathlib takes thrice the time
    except FileNotFoundError:
        return None
    except OSError as error:
        status, fault = os.lstat(path), f"{error.strerror}: make it readable"
        if not stat.S_ISLNK(status.st_mode):
            raise
    if stat.S_ISDIR(status.st_mode):
        return None
    file = LogFile(path, status)
    file.fault = fault or ("" if stat.S_ISREG(status.st_mode) else "not a file")
    return file


def _hint(path: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{path}: no such file: name the log with --file, or in PRICE_FILE"
    return f"{path}: {error.strerror}: make it readable, or name another log with --file"


def _split(path: str) -> tuple[str, str]:
    """The folder with the separator behind it, empty where there is none, and the name."""
    name = os.path.basename(path)  # noqa: PTH119
    return path[: len(path) - len(name)], name
