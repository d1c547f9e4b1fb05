"""Writes that put only a part of their bytes into the log, then return or are the last thing that happens."""

from contextlib import closing
from pathlib import Path

import pytest

from price.model import Quote
from tests.faults.place import Place, Recorder
from tests.faults.sweep import Nursery

CUT = "its end was not a whole row and was cut off"


def _torn(place: Place, tear: Path, call: int, most: int, **more: str) -> Recorder:
    """A recorder whose write number `call` to the log is torn after `most` bytes."""
    wanted = {"TEAR_FILE": str(place.file), "TEAR_CALL": str(call), "TEAR_BYTES": str(most)}
    return place.attempt(LD_PRELOAD=str(tear), **wanted, **more)


def _prices(rows: list[Quote]) -> int:
    return sum(row.price is not None for row in rows)


@pytest.mark.parametrize("most", [0, 1, 20, 47])
def test_a_short_write_is_taken_back_and_written_whole(place: Place, tear: Path, most: int) -> None:
    recorder = _torn(place, tear, 2, most)
    recorder.wait_ready()
    recorder.slot()
    assert place.status["held"] == 1
    assert len(place.rows()) == 1, "nobody sees half a row"
    assert place.said_once(f"only {most} of ")
    recorder.slot(2)
    assert place.said_once("2 rows held for 10 s are written")
    assert CUT not in place.said
    assert recorder.stop() == 0
    assert _prices(place.rows()) == len(place.rows()) == 4


def test_a_failed_close_is_no_reason_to_lose_rows(place: Place, tear: Path) -> None:
    recorder = _torn(place, tear, 2, 20, TEAR_CLOSE="1")
    recorder.wait_ready()
    recorder.slot(3)
    assert recorder.stop() == 0
    assert place.said_once("only 20 of ")
    assert "Input/output error; rows" not in place.said
    assert _prices(place.rows()) == len(place.rows()) == 4


def test_a_short_write_of_the_first_block_leaves_no_half_header(place: Place, tear: Path) -> None:
    recorder = _torn(place, tear, 1, 9)
    recorder.wait_ready()
    assert place.file.read_bytes() == b""
    recorder.slot()
    assert recorder.stop() == 0
    assert len(place.rows()) == 2


def test_a_write_torn_by_a_crash_at_any_byte_is_cut_and_said(tmp_path: Path, tear: Path) -> None:
    """At each byte of the two rows of a slot."""
    with closing(Nursery(LD_PRELOAD=str(tear), TEAR_FILE="")) as nursery:
        for most in range(96):
            place = Place(tmp_path / str(most) / "log", tmp_path / str(most), PAIRS="BTC-USD,ETH-USD")
            place.folder.mkdir(parents=True)
            said = place.aside / "said"
            at = {"TEAR_CALL": "2", "TEAR_BYTES": str(most), "TEAR_KILL": "1"}
            assert nursery.run(place, 0, ["slot"], TEAR_FILE=str(place.file), **at) == -9, said.read_text()
            written = place.file.read_bytes()
            unfinished = written.rpartition(b"\n")[2].decode()
            assert nursery.run(place, 1, ["stop"]) == 0, said.read_text()
            assert place.file.read_bytes().startswith(written.removesuffix(unfinished.encode()))
            assert (f"{CUT}: '{unfinished}'" in said.read_text()) == bool(unfinished)
            rows = place.rows()
            whole = written[130:].count(b"\n")
            assert [_prices(rows), rows[-1].slots] == [4 + whole, 1], f"torn at {most}"


def test_a_header_torn_by_a_crash_is_begun_anew(place: Place, tear: Path) -> None:
    for most in (1, 12, 23):
        assert _torn(place, tear, 1, most, TEAR_KILL="1").ended() == -9
        assert place.file.stat().st_size == most
    again = place.start()
    assert again.stop() == 0
    assert place.file.read_text().count("#") == 1
    assert len(place.rows()) == 1
