"""Starts: what can never be a log is refused in one line; where the disk refuses, rows are held."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.faults.conftest import PlaceIn, attempt, injecting, needs
from tests.faults.place import PYTHON, ROOT, Place
from tests.faults.test_pulled_away import _put


def _refusal(place: Place, *wrapper: str, status: int = 1, **more: str) -> str:
    """The one line with which `main.py run` refuses to begin."""
    command = [*wrapper, PYTHON, str(ROOT / "main.py"), "run"]
    done = subprocess.run(
        command, env={**place.environ, **more}, capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == status
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("text", "it is not a price log"),
        ("folder", "it is not a regular file"),
        ("fifo", "it is not a regular file"),
    ],
)
def test_what_cannot_be_a_log_is_refused(place: Place, what: str, words: str) -> None:
    place.folder.mkdir()
    _put(place.file, what)
    assert _refusal(place).startswith(f"price: PRICE_FILE={place.file}: {words}")


def test_a_device_is_refused(place: Place) -> None:
    place.settings["FILE"] = "/dev/full"
    assert "/dev/full: it is not a regular file" in _refusal(place)
    Path("/dev/.full.lock").unlink(missing_ok=True)


def test_a_folder_that_is_a_file_is_refused(place: Place) -> None:
    place.folder.touch()
    assert f"{place.folder} is not a folder" in _refusal(place)


@contextmanager
def _trouble(place: Place, kind: str, mounted: Callable[..., Path]) -> Iterator[tuple[str, ...]]:
    """A disk that does not let a recorder begin; gives what stands before the recorder's command."""
    if kind == "read-only":
        disk = mounted("-t", "tmpfs", "-o", "size=1M", "none")
        shutil.move(place.folder, disk / "log")
        place.folder.symlink_to(disk / "log")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        yield ()
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    elif kind == "full":
        disk = mounted("-t", "tmpfs", "-o", "size=64k", "none")
        shutil.move(place.folder, disk / "log")
        place.folder.symlink_to(disk / "log")
        with place.file.open("a") as file:  # to the end of its last page, which has room on a full disk
            file.write(f"# {'x' * (4096 - place.file.stat().st_size - 3)}\n")
        (disk / "ballast").write_bytes(bytes(4096))
        with suppress(OSError):
            (disk / "more").write_bytes(bytes(64 * 1024))
        yield ()
        (disk / "ballast").unlink()
    elif kind in ("loop", "nowhere"):
        place.file.rename(place.aside / "kept")
        _put(place.file, kind)
        yield ()
        place.file.unlink()
        (place.aside / "kept").rename(place.file)
    elif kind == "immutable folder":
        for path in (place.file, place.folder / ".prices.txt.lock", place.folder):
            attempt("chattr", "+i", path)
        yield ()
        for path in (place.folder, place.folder / ".prices.txt.lock", place.file):
            attempt("chattr", "-i", path)
    elif kind == "immutable file":
        attempt("chattr", "+i", place.file)
        yield ()
        attempt("chattr", "-i", place.file)
    elif kind == "permissions":
        place.folder.chmod(0o555)
        place.file.chmod(0o444)
        (place.folder / ".prices.txt.lock").chmod(0o444)
        yield ("setpriv", "--inh-caps=-all", "--bounding-set=-all")
        place.folder.chmod(0o755)
        place.file.chmod(0o644)
        (place.folder / ".prices.txt.lock").chmod(0o600)
    else:
        yield tuple(injecting(place.file, kind))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("read-only", "Read-only file system"),
        ("full", "No space left on device"),
        ("loop", "Too many levels of symbolic links"),
        ("nowhere", "No such file or directory"),
        ("immutable folder", "Operation not permitted"),
        ("immutable file", "Operation not permitted"),
        ("permissions", "Permission denied"),
        ("openat:error=EMFILE:when=1..3", "Too many open files"),
        ("openat:error=EIO:when=1..3", "Input/output error"),
        ("openat:error=ENOMEM:when=1..3", "Cannot allocate memory"),
        ("pread64:error=EIO:when=1..3", "Input/output error"),
    ],
)
def test_where_the_disk_refuses_at_the_start_rows_are_held_until_it_does_not(
    place: Place, mounted: Callable[..., Path], on_disk: Path, place_in: PlaceIn, kind: str, words: str
) -> None:
    needs("root", "mount", "chattr", "setpriv", "strace")
    if "immutable" in kind:
        place = place_in(on_disk / "log")
    before = place.start()
    before.slot()
    assert before.stop() == 0
    with _trouble(place, kind, mounted) as wrapper:
        recorder = place.start(*wrapper)
        recorder.slot()
        # a full disk is no trouble until something is written: then the missed row is held as well
        assert place.status["held"] == (3 if kind == "full" else 2)
        assert place.status["slot"] is None
    recorder.slot()
    assert place.status["held"] == 0
    assert recorder.stop() == 0
    assert place.said_once(f"{words}; rows are held in memory until that is mended")
    assert place.said_once("rows held for 20 s are written")
    assert [(row.reason, row.slots) for row in place.rows()] == [("", 1)] * 2 + [("down", 718)] + [
        ("", 1)
    ] * 3
    assert place.file.read_text().count("# price-log") == 1


def test_an_old_archive_that_cannot_be_read_is_named_and_stops_no_recorder(place: Place) -> None:
    place.folder.mkdir()
    old = place.folder / "prices.txt.1"
    old.write_text("# price-log 1 every=10s simulated\n2026-11-20T14:00:00Z BTC-USD 7 simulated\n")
    assert place.start(*injecting(old, "openat:error=EIO")).stop() == 0
    assert "prices.txt.1: " in place.said
    assert "Input/output error" in place.said
    assert len(place.rows()) == 1


@pytest.mark.parametrize("name", ["STATE", "STATUS"])
@pytest.mark.parametrize("what", ["folder", "fifo"])
def test_what_cannot_be_a_small_file_is_a_bad_setting(place: Place, name: str, what: str) -> None:
    path = Path(place.settings[name])
    _put(path, what)
    assert _refusal(place, status=78).startswith(f"price: PRICE_{name}={path}: it is a ")


def test_a_state_of_two_gigabytes_is_not_read(place: Place) -> None:
    state = Path(place.settings["STATE"])
    state.touch()
    os.truncate(state, 2 << 30)
    recorder = place.start("prlimit", f"--as={1 << 30}")
    assert recorder.stop() == 0
    assert place.said_once("not understood (it is larger than")
    assert len(place.rows()) == 1


def test_a_recorder_records_with_more_than_a_thousand_descriptors_that_it_inherits(place: Place) -> None:
    needs("prlimit", "bash")
    many = 'for n in $(seq 1100); do exec {fd}</dev/null; done; exec "$@"'
    recorder = place.start("prlimit", "--nofile=4096", "bash", "-c", many, "bash")
    recorder.slot()
    assert recorder.stop() == 0
    assert len(place.rows()) == 2


def test_the_folder_of_a_log_is_for_everyone_whatever_the_umask(place: Place) -> None:
    needs("bash")
    place.file = place.folder / "deeper" / "prices.txt"
    place.settings["FILE"] = str(place.file)
    place.settings["STATUS"] = str(place.folder / "status" / "status.json")
    recorder = place.attempt("bash", "-c", 'umask 077; exec "$@"', "bash")
    recorder.wait_ready()
    modes = [
        path.stat().st_mode & 0o777
        for path in (place.folder, place.file.parent, place.file, place.folder / "status")
    ]
    assert modes == [0o755, 0o755, 0o644, 0o755]
    assert recorder.stop() == 0
