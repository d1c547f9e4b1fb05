"""Small files that are replaced whole: what somebody else has put there is never lost."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from price.smallfile import AtomicFile

OURS = '{"version": 1, "saved": "2026-11-20T15:52:05Z"}'


def small(path: Path) -> AtomicFile:
    return AtomicFile(path, 0o600, durable=True)


def a_second_later(path: Path) -> None:
    """Has the file changed a second later: a file system's clock may stand still for milliseconds."""
    changed = path.stat().st_mtime_ns + 1_000_000_000
    os.utime(path, ns=(changed, changed))


def test_it_is_replaced_whole_and_removed_at_the_end(tmp_path: Path) -> None:
    file = small(tmp_path / "new" / "state.json")

    file.write(OURS)
    file.write(OURS + " ")

    assert file.read() == OURS + " "
    file.remove()
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to(path)])
def test_what_is_no_file_is_neither_written_nor_removed(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    path = tmp_path / "state.json"
    file = small(path)
    file.write(OURS)
    path.unlink()
    make(path)

    with pytest.raises(OSError, match="is not touched"):
        file.write(OURS)
    file.remove()

    assert os.path.lexists(path)
    assert [one.name for one in tmp_path.iterdir()] == ["state.json"]


def test_a_device_that_appears_there_stays(tmp_path: Path) -> None:
    file = small(tmp_path / "state.json")
    file.write(OURS)
    (tmp_path / "state.json").unlink()
    (tmp_path / "state.json").symlink_to("/dev/full")

    with pytest.raises(OSError, match="it is a device, not a file, and is not touched"):
        file.write(OURS)


def test_another_programs_text_is_kept_under_another_name(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("my thesis")
    file = small(tmp_path / "state.json")

    file.write(OURS)

    assert file.read() == OURS
    assert (tmp_path / "state.json.kept").read_text() == "my thesis"


@pytest.mark.parametrize("thesis", ["my thesis", "my thesis".ljust(len(OURS))])
def test_text_that_another_program_puts_into_the_file_meanwhile_is_kept(tmp_path: Path, thesis: str) -> None:
    file = small(tmp_path / "state.json")
    file.write(OURS)
    (tmp_path / "state.json").write_text(thesis)  # in place: device and inode stay
    a_second_later(tmp_path / "state.json")

    file.write(OURS)

    assert file.read() == OURS
    assert (tmp_path / "state.json.kept").read_text() == thesis


def test_a_file_that_was_touched_is_replaced_and_removed_as_before(tmp_path: Path) -> None:
    file = small(tmp_path / "state.json")
    file.write(OURS)
    a_second_later(tmp_path / "state.json")

    file.write(OURS + " ")

    assert file.read() == OURS + " "
    file.remove()
    assert list(tmp_path.iterdir()) == []


def test_what_was_kept_before_is_not_lost_to_what_would_be_kept_now(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("my second thesis")
    (tmp_path / "state.json.kept").write_text("my thesis")

    with pytest.raises(FileExistsError):
        small(tmp_path / "state.json").write(OURS)

    assert (tmp_path / "state.json").read_text() == "my second thesis"
    assert (tmp_path / "state.json.kept").read_text() == "my thesis"


def test_a_file_that_somebody_put_in_its_place_is_not_removed(tmp_path: Path) -> None:
    file = small(tmp_path / "status.json")
    file.write(OURS)
    (tmp_path / "status.json").unlink()
    (tmp_path / "status.json").write_text("my thesis")

    file.remove()

    assert (tmp_path / "status.json").read_text() == "my thesis"


def test_a_link_stays_and_the_file_behind_it_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "state.json").symlink_to(tmp_path / "data" / "real.json")
    file = small(tmp_path / "state.json")

    file.write(OURS)
    file.write(OURS + " ")

    assert (tmp_path / "state.json").is_symlink()
    assert (tmp_path / "data" / "real.json").read_text() == OURS + " "
    assert [one.name for one in (tmp_path / "data").iterdir()] == ["real.json"]


@pytest.mark.parametrize("way", ["link", "hard link", "FIFO"])
def test_a_draft_never_writes_through_a_name_that_somebody_made(tmp_path: Path, way: str) -> None:
    victim, draft = tmp_path / "victim", tmp_path / ".state.json.new"
    victim.write_text("my thesis")
    if way == "FIFO":
        os.mkfifo(draft)
    elif way == "link":
        draft.symlink_to(victim)
    else:
        draft.hardlink_to(victim)

    small(tmp_path / "state.json").write(OURS)

    assert victim.read_text() == "my thesis"


def test_nothing_is_kept_at_dev_null(tmp_path: Path) -> None:
    (tmp_path / "state.json").symlink_to("/dev/null")
    file = small(tmp_path / "state.json")

    file.write(OURS)
    file.remove()

    assert (tmp_path / "state.json").is_symlink()
    with pytest.raises(FileNotFoundError):
        file.read()
