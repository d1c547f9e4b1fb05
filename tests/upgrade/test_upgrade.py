"""Files that the version before this one wrote (9932a68), saved as they were, and read by this one."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from price import times
from price.cli import main
from price.errors import PriceError
from price.events import Event
from price.recorder.show_status import show_status
from tests.scene import Scene

SAVED = Path(__file__).parent
END = times.parse_iso("2026-11-27T21:59:51Z")


def scene_of(tmp_path: Path, log: str = "prices.txt", **settings: str) -> Scene:
    """A recorder that begins after the one before has ended, with its files."""
    for name in ("state.json", "repairs.txt"):
        shutil.copy(SAVED / name, tmp_path / name)
    shutil.copy(SAVED / log, tmp_path / "prices.txt")
    return Scene(tmp_path, END, PAIRS="BTC-USD,ETH-USD", **settings)


def test_a_log_is_gone_on_with_in_its_segment(tmp_path: Path) -> None:
    scene = scene_of(tmp_path)

    scene.run(until=6)

    assert scene.text.startswith((SAVED / "prices.txt").read_text())
    assert scene.text.count("# price-log") == 1
    assert scene.rows[-1] == "21:59:55 ETH-USD 100 kraken"
    assert main(["verify", "--file", str(scene.file)], {}, END) == 0


def test_a_source_that_rested_still_does(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9"
    scene = scene_of(tmp_path, SOURCES="kraken,coinbase", KRAKEN_URL=url, COINBASE_URL=url)

    scene.run(until=16)

    assert not scene.said(Event.BAD_STATE)
    assert "21:59:55 BTC-USD - kraken:resting,coinbase:resting" in scene.rows
    assert scene.rows[-2] == "22:00:05 BTC-USD 100 kraken,coinbase"


def test_a_log_of_made_up_prices_without_the_word_is_known_by_its_prices(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, "simulated.txt", INTERVAL="1")

    with pytest.raises(PriceError, match="it holds simulated prices"):
        scene.run(until=4)


def test_a_status_is_shown(tmp_path: Path) -> None:
    lines: list[str] = []
    shutil.copy(SAVED / "status.json", tmp_path / "status.json")

    show_status(tmp_path / "status.json", False, lambda: END + timedelta(seconds=1), lines.append)

    assert any("kraken" in line for line in lines)


def test_repairs_are_merged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene_of(tmp_path)

    assert main(["history", "--file", str(tmp_path / "prices.txt"), "--last", "1"], {}, END) == 0

    assert "by=peer" in capsys.readouterr().out
