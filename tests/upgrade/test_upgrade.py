"""Files that each release wrote, saved as they were: read by this one, and what it writes, by each of them.

A folder for each release: its state.json and status.json while one source rested, its log with a repair, and
a log of simulated prices. A new release adds its own, and changes none.
"""

import json
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from price import __version__, times
from price.cli import main
from price.errors import PriceError, Unreachable
from price.events import Event
from price.log import row
from price.recorder.show_status import show_status
from tests.scene import Scene

SAVED = Path(__file__).parent
RELEASES = sorted(path.name for path in SAVED.iterdir() if (path / "state.json").exists())
EACH = pytest.mark.parametrize("release", RELEASES)
UNREACHABLE = "http://127.0.0.1:9"
OURS_IN_0_1_0 = re.compile(rb'\s*\{\s*"version"\s*:\s*(?:"[^"]{0,40}"|\d{1,9})\s*,\s*"(?:pid|saved)"')
"""How that release knew that a small file is one of its own, which it may replace; later ones do the same."""


def scene_of(folder: Path, release: str, log: str = "prices.txt", **settings: str) -> Scene:
    """A recorder that begins a second after the one of a release wrote its last row, with its files."""
    saved = SAVED / release
    for name in ("state.json", "repairs.txt"):
        shutil.copy(saved / name, folder / name)
    shutil.copy(saved / log, folder / "prices.txt")
    last = (saved / log).read_text().splitlines()[-1][:20]
    begin = times.parse_iso(last) + timedelta(seconds=1)
    return Scene(folder, begin, **{"PAIRS": "BTC-USD,ETH-USD", **settings})


@EACH
def test_a_log_is_gone_on_with_in_its_segment(tmp_path: Path, release: str) -> None:
    scene = scene_of(tmp_path, release)

    scene.run(until=6)

    assert scene.text.startswith((SAVED / release / "prices.txt").read_text())
    assert scene.text.count("# price-log") == 1
    assert scene.rows[-1].endswith("ETH-USD 100 kraken")
    assert main(["verify", "--file", str(scene.file)], {}, scene.clock.now()) == 0


@EACH
def test_a_source_that_rested_still_does(tmp_path: Path, release: str) -> None:
    scene = scene_of(tmp_path, release, SOURCES="kraken", KRAKEN_URL=UNREACHABLE)

    scene.run(until=6)

    assert not scene.said(Event.BAD_STATE)
    assert scene.rows[-1].endswith("ETH-USD - kraken:resting")


@EACH
def test_a_log_of_simulated_prices_is_known_by_its_header_or_its_prices(tmp_path: Path, release: str) -> None:
    scene = scene_of(tmp_path, release, "simulated.txt", INTERVAL="1")

    with pytest.raises(PriceError, match="it holds simulated prices"):
        scene.run(until=4)


@EACH
def test_a_status_is_shown(tmp_path: Path, release: str) -> None:
    lines: list[str] = []
    shutil.copy(SAVED / release / "status.json", tmp_path / "status.json")
    slot = times.parse_iso(json.loads((tmp_path / "status.json").read_text())["slot"])

    show_status(tmp_path / "status.json", False, lambda: slot + timedelta(seconds=1), lines.append)

    assert lines[0].startswith(f"price {release}, ")
    assert any("kraken" in line for line in lines)


@EACH
def test_repairs_are_merged(tmp_path: Path, release: str, capsys: pytest.CaptureFixture[str]) -> None:
    scene = scene_of(tmp_path, release)

    assert main(["history", "--file", str(tmp_path / "prices.txt")], {}, scene.clock.now()) == 0

    assert "by=peer" in capsys.readouterr().out


def test_an_alert_that_was_on_is_not_logged_again(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, "0.2.0", ALERTS="high: BTC-USD above 50; any missing 5m")

    scene.run(until=6)

    assert scene.said(Event.ALERT_ON) == []
    on = scene.json("state.json")["alerts"]["on"]
    assert [(one["name"], one["pair"], one["since"]) for one in on] == [
        ("high", "BTC-USD", "2026-11-28T00:21:30Z")
    ]


def lost(old: Any, new: Any, at: str = "") -> list[str]:
    """Where a JSON value lacks a key that an older one has, or has another kind of value in its place.

    Null may stand where a value may be absent; of lists the first items are compared.
    """
    if old is None or new is None:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        gone = [f"{at}.{key}" for key in old if key not in new]
        return gone + [
            one for key in old.keys() & new.keys() for one in lost(old[key], new[key], f"{at}.{key}")
        ]
    if isinstance(old, list) and isinstance(new, list):
        return [one for pair in zip(old[:1], new[:1], strict=False) for one in lost(*pair, f"{at}[]")]
    return [] if _kind(old) == _kind(new) else [f"{at}: {old!r} is now {new!r}"]


def _kind(value: Any) -> str:
    return "number" if type(value) in (int, float) else type(value).__name__


@EACH
def test_what_this_version_writes_has_all_that_an_older_one_reads(tmp_path: Path, release: str) -> None:
    scene = scene_of(tmp_path, release, SOURCES="coinbase,kraken,bitstamp", ALERTS="high: BTC-USD above 50")
    written: dict[str, Any] = {}
    scene.clock.at(
        31, lambda: written.update({name: scene.json(name) for name in ("state.json", "status.json")})
    )
    scene.net.kraken.fails(Unreachable("connection failed"))

    scene.run(until=32)

    for name, now in written.items():
        assert lost(json.loads((SAVED / release / name).read_text()), now) == []
    assert written["state.json"]["version"] == 1
    assert (written["status.json"]["schema"], written["status.json"]["version"]) == (1, __version__)


@EACH
def test_what_this_version_writes_an_older_one_knows_for_its_own(tmp_path: Path, release: str) -> None:
    scene = scene_of(tmp_path, release)
    written: list[bytes] = []
    names = ("state.json", "status.json")
    scene.clock.at(11, lambda: written.extend((tmp_path / name).read_bytes() for name in names))

    scene.run(until=12)

    assert [bool(OURS_IN_0_1_0.match(text)) for text in written] == [True, True]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"version": 2, "saved": "2026-11-28T00:19:40Z", "sources": {}}', "its version is 2"),
        ('{"version": "1", "saved": "2026-11-28T00:19:40Z", "sources": {}}', "its version is '1'"),
        ('{"saved": "2026-11-28T00:19:40Z", "sources": {}}', "version"),
        ('{"version": 1, "saved": "2026-11-28T00:19:40Z", "sources": []}', "list"),
        ('{"version": 1, "saved": "soon", "sources": {}}', "soon"),
        ("[1]", "list"),
    ],
)
def test_a_state_of_another_shape_is_reported_and_not_used(tmp_path: Path, text: str, fault: str) -> None:
    scene = scene_of(tmp_path, "0.2.0", SOURCES="kraken", KRAKEN_URL=UNREACHABLE)
    (tmp_path / "state.json").write_text(text)

    scene.run(until=6)

    (said,) = scene.said(Event.BAD_STATE)
    assert "not understood" in said
    assert "starting without it" in said
    assert fault in said
    assert scene.rows[-1].endswith("ETH-USD 100 kraken")


def test_keys_that_a_later_version_added_are_ignored(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, "0.2.0", SOURCES="kraken", KRAKEN_URL=UNREACHABLE)
    state = json.loads((tmp_path / "state.json").read_text())
    state["new"] = state["sources"]["kraken"]["new"] = state["alerts"]["new"] = {"more": [1]}
    state["sources"]["a-later-exchange"] = {"form": "unknown"}
    (tmp_path / "state.json").write_text(json.dumps(state))

    scene.run(until=6)

    assert not scene.said(Event.BAD_STATE)
    assert scene.rows[-1].endswith("ETH-USD - kraken:resting")


def test_a_status_of_a_schema_that_is_not_known_is_named_and_not_guessed_at(tmp_path: Path) -> None:
    status = json.loads((SAVED / "0.2.0" / "status.json").read_text())
    (tmp_path / "status.json").write_text(json.dumps({**status, "schema": 2}))

    with pytest.raises(PriceError, match="its schema is 2, and this version of price knows 1"):
        show_status(tmp_path / "status.json", False, lambda: times.parse_iso(status["slot"]), print)


def test_a_row_of_each_release_is_read_by_the_one_form_of_rows() -> None:
    logs = [SAVED / release / name for release in RELEASES for name in ("prices.txt", "repairs.txt")]
    lines = [line for log in logs for line in log.read_text().splitlines() if not line.startswith("#")]

    assert [row.text(row.read(line)) for line in lines] == lines
