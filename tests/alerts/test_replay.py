"""`price alerts` says what the recorder said, from its log alone."""

import json
import random
from datetime import timedelta
from pathlib import Path

import pytest

from price.cli import main
from price.errors import Timeout
from price.events import Event
from tests.fakes import START
from tests.scene import Scene

HEADER = "# price-log 1 every=5s\n"
RULES = (
    "high: BTC-USD above 101 until 99; any falls 2% in 1m; held: any below 99 for 20s; any missing 20s; "
    "any complete below 90% in 5m as error"
)
NOW = START + timedelta(days=1)


def replay(scene_or_file: Scene | Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """The lines of `price alerts` over a log."""
    file = scene_or_file.file if isinstance(scene_or_file, Scene) else scene_or_file
    capsys.readouterr()
    assert main(["alerts", "--file", str(file), *words], {}, NOW) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("seed", range(3))
def test_the_replay_says_what_the_recorder_said_over_restarts_too(
    tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(seed)
    scene = Scene(tmp_path, ALERTS=RULES)

    def move() -> None:
        if chance.random() < 0.2:
            scene.net.kraken.fails(Timeout("gone"))
        else:
            scene.net.kraken.says(f"{100 + chance.gauss(0, 1.5):.2f}")

    for moment in range(3, 3000, 5 * (1 + seed)):
        scene.clock.at(moment, move)
    for until in (700, 703, 1500, 3000):  # the log is quick to be opened again, or after a while
        scene.run(until=until)
        scene.clock.freeze(chance.choice([0, 2, 130]))

    said = scene.said(Event.ALERT_ON, Event.ALERT_OVER)
    shown = replay(scene, capsys, *[word for rule in RULES.split("; ") for word in ("--rule", rule)])

    assert len(said) > 5
    assert [line.partition(" ")[2] for line in shown[:-5]] == said
    assert [line.partition(":")[0] for line in shown[-5:]] == [
        "high",
        "any-falls-2-in-1m",
        "held",
        "any-missing-20s",
        "any-complete-below-90-in-5m",
    ]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Prices of ten slots: above 100 in four of them."""
    path = tmp_path / "prices.txt"
    prices = ("100", "101", "102", "99", "100", "101", "101", "100", "99", "-")
    rows = [
        f"2026-11-20T15:52:{5 * number:02d}Z BTC-USD {price} {'quorum' if price == '-' else 'kraken'}\n"
        for number, price in enumerate(prices)
    ]
    path.write_text(HEADER + "".join(rows))
    return path


def test_each_rule_is_summed_up_by_how_often_and_how_long_it_was_on(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(log, capsys, "--rule", "high: BTC-USD above 100", "--rule", "any below 50") == [
        "2026-11-20T15:52:05Z high: BTC-USD 101 is above 100",
        "2026-11-20T15:52:15Z high over after 10 s: BTC-USD 99, highest 102",
        "2026-11-20T15:52:25Z high: BTC-USD 101 is above 100",
        "2026-11-20T15:52:40Z high over after 15 s: BTC-USD 99, highest 101",
        "high: 2 times, on 50.0 % of the time",
        "any-below-50: 0 times, on 0.0 % of the time",
    ]


def test_what_was_on_before_the_range_is_known_and_not_shown(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = replay(log, capsys, "--rule", "high: any above 100", "--since", "2026-11-20T15:52:10Z")

    assert shown[0] == "2026-11-20T15:52:15Z high over after 10 s: BTC-USD 99, highest 102"
    assert shown[-1] == "high: 1 time, on 50.0 % of the time"


def test_csv_and_json_have_a_column_for_each_part(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--rule", "high: any above 100", "--until", "2026-11-20T15:52:20Z", "--format")

    csv = replay(log, capsys, *words, "csv")
    found = [json.loads(line) for line in replay(log, capsys, *words, "json")]

    assert csv[0] == "slot,alert,state,pair,value,limit,since,message"
    assert found[1] == {
        "slot": "2026-11-20T15:52:15Z",
        "alert": "high",
        "state": "over",
        "pair": "BTC-USD",
        "value": "99",
        "limit": "above 100",
        "since": "2026-11-20T15:52:05Z",
        "message": "high over after 10 s: BTC-USD 99, highest 102",
    }


def test_repaired_rows_ring_nothing(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (log.parent / "repairs.txt").write_text(f"{HEADER}2026-11-20T15:52:45Z BTC-USD 500 kraken by=candle\n")

    assert replay(log, capsys, "--rule", "any above 400") == ["any-above-400: 0 times, on 0.0 % of the time"]


def test_what_was_left_out_is_counted_once(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log.write_text(f"{log.read_text()}a remark\n")

    assert main(["alerts", "--file", str(log), "--rule", "any missing 5s"], {}, NOW) == 0
    assert "1 line is no row and was left out" in capsys.readouterr().err


def test_without_a_rule_those_of_the_settings_are_replayed(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"PRICE_FILE": str(log), "PRICE_ALERTS": "high: BTC-USD above 100"}

    assert main(["alerts"], environ, NOW) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "high: 2 times, on 50.0 % of the time"
    assert main(["alerts"], {"PRICE_FILE": str(log)}, NOW) == 1
    assert "there is no rule to replay" in capsys.readouterr().err


def test_a_bad_rule_and_one_that_the_log_cannot_tell_of_are_named(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["alerts", "--file", str(log), "--rule", "any over 5"], {}, NOW)
    assert ended.value.code == 2
    assert "any over 5: a rule is" in capsys.readouterr().err

    assert main(["alerts", "--file", str(log), "--rule", "a: any apart 1%"], {}, NOW) == 0
    assert "a: left out" in capsys.readouterr().err
