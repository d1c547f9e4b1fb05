"""Places where nothing can be recorded are refused at the start: one line that names the setting, exit 1."""

import subprocess
from pathlib import Path

import pytest

from tests.faults.conftest import attempt, needs
from tests.faults.place import PYTHON, ROOT, Place
from tests.faults.test_pulled_away import _put


def _refusal(place: Place, *wrapper: str, **more: str) -> str:
    """The one line with which `main.py run` refuses to begin."""
    command = [*wrapper, PYTHON, str(ROOT / "main.py"), "run"]
    done = subprocess.run(
        command, env={**place.environ, **more}, capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("text", "it is not a price log"),
        ("folder", "it is not a regular file"),
        ("fifo", "it is not a regular file"),
        ("loop", "Too many levels of symbolic links"),
        ("nowhere", "No such file or directory"),
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
    assert "File exists" in _refusal(place) or "Not a directory" in _refusal(place)


def test_a_file_that_may_not_be_written_is_refused(place: Place) -> None:
    needs("root", "setpriv")  # without its capabilities, root is a user like others
    place.folder.mkdir()
    place.folder.chmod(0o555)
    assert "Permission denied" in _refusal(place, "setpriv", "--inh-caps=-all", "--bounding-set=-all")


def test_an_immutable_file_is_refused(place: Place) -> None:
    needs("root", "chattr")
    assert place.start().stop() == 0
    attempt("chattr", "+i", place.file)
    try:
        assert "Operation not permitted" in _refusal(place)
    finally:
        attempt("chattr", "-i", place.file)


def test_a_log_with_damaged_lines_in_its_middle_is_recorded_into_all_the_same(place: Place) -> None:
    assert place.start().stop() == 0
    sound = place.file.read_bytes()
    damage = b"\xff\xfe \x00 \x01 \x02\n2026-11-20T15:00:10Z BTC-USD - down slots=x\n2026 a b c\n"
    place.file.write_bytes(sound + damage + sound.splitlines(keepends=True)[1].replace(b":00:00", b":00:20"))
    again = place.start()
    again.slot()
    assert again.stop() == 0
    assert place.file.read_bytes().startswith(sound + damage)
    assert place.file.read_bytes().count(b"simulated") == 4
