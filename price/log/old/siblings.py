"""Which files make up a log: prices.txt, its rotated siblings (each also as .gz), and repairs.txt."""

import os
import stat

from price.errors import PriceError
from price.log.old.files import File

REPAIRS = "repairs.txt"
_TRIES = 20


def open_log(path: str, *, strict: bool = True) -> list[File]:
    """The files of a log that hold rows, oldest first, opened. Raises PriceError.

    A rotation may rename them meanwhile: the names are then read again, so that none is missed.
    Where not `strict`, a file may lack its header, or rows.
    """
    for _ in range(_TRIES):
        names = _listed(path)
        files = [_open(name) for name in names]
        same = [file.inode if file else 0 for file in files] == list(names.values())
        found = [file for file in files if file]
        if same and _listed(path) == names:
            return _sorted(found, strict=strict)
        _close(found)
    raise PriceError(f"{path}: its files are renamed all the time: try again")


def open_repairs(path: str, *, strict: bool = True) -> File | None:
    """The repairs.txt beside a log, opened; None where there is none, or (if `strict`) it holds no row."""
    folder, name = _split(path)
    file = _open(folder + REPAIRS) if name != REPAIRS else None
    return next(iter(_sorted([file], strict=strict)), None) if file else None


def sibling_missing(older: File, newer: File) -> bool:
    """Whether the numbers of two neighbouring files (prices.txt is 0) show that one between them is gone."""
    first, second = (file.path.removesuffix(".gz").rpartition(".")[2] for file in (older, newer))
    return first.isdecimal() and int(first) != (int(second) if second.isdecimal() else 0) + 1


def _sorted(files: list[File], *, strict: bool) -> list[File]:
    """The files that hold rows, by their first slot; where not `strict`, the others come first."""
    for file in files:
        file.look(strict=strict)
    useful = [file for file in files if file.first or not strict]
    _close([file for file in files if file not in useful])
    return sorted(useful, key=lambda file: file.first)


def _close(files: list[File]) -> None:
    for file in files:
        file.close()


def _listed(path: str) -> dict[str, int]:
    """The paths of a log's files with their inodes; of a file and its .gz only the first."""
    folder, name = _split(path)
    try:
        with os.scandir(folder or ".") as entries:
            inodes = {entry.name: entry.inode() for entry in entries if _belongs(entry.name, name)}
    except OSError as error:
        raise PriceError(_hint(path, error)) from error
    if not inodes:
        raise PriceError(_hint(path, FileNotFoundError(2, "No such file or directory")))
    return {
        folder + known: inodes[known]
        for known in sorted(inodes)
        if known == name or known.removesuffix(".gz") == known or known.removesuffix(".gz") not in inodes
    }


def _belongs(entry: str, name: str) -> bool:
    """Whether a name is the log's own, or that and `-20261120` or `.1`, maybe with `.gz`."""
    if not entry.startswith(name):
        return False
    suffix = entry[len(name) :].removesuffix(".gz")
    dated = suffix[:1] == "-" and suffix[1:].replace("-", "").isdecimal()
    return entry == name or dated or (suffix[:1] == "." and suffix[1:].isdecimal())


def _open(path: str) -> File | None:
    """A file, opened; None where it is gone by now."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # nobody may ever write to a pipe
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PriceError(_hint(path, error)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise PriceError(f"{path}: not a file: name the log with --file")
    if path.endswith(".gz"):
        from price.log.old.packed import PackedFile  # most logs have none, and zlib costs a millisecond

        return PackedFile(path, descriptor)
    return File(path, descriptor)


def _hint(path: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{path}: no such file: name the log with --file, or in PRICE_FILE"
    return f"{path}: {error.strerror}: make it readable, or name another log with --file"


def _split(path: str) -> tuple[str, str]:
    folder, slash, name = path.rpartition("/")
    return folder + slash, name
