"""Changes reach a program at least once, whatever fails in between, and a storm of them in few runs."""

import json
import os
import select
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from price import host
from price.alerts.follow import Follower, runner
from price.alerts.waiting import StateChanges, Waiting
from price.cli import main
from price.errors import PriceError
from tests.fakes import START
from tests.scene import Scene


class Recorder:
    """The list of changes that a recorder keeps."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "state.json"
        self._count = 0
        self._listed: list[dict[str, object]] = []
        self.change(0)

    def change(self, times: int = 1) -> None:
        for _ in range(times):
            self._count += 1
            self._listed.append(
                {
                    "number": self._count,
                    "alert": "high",
                    "alert_state": "on",
                    "level": 30,
                    "message": f"m{self._count}",
                }
            )
        self.path.write_text(json.dumps({"alerts": {"changes": self._listed[-100:]}}))


class Program:
    """Gets changes; fails as often as it is told."""

    def __init__(self) -> None:
        self.runs: list[list[str]] = []
        self.fails = 0

    def __call__(self, waiting: Sequence[Waiting]) -> str:
        self.runs.append([one.fields["MESSAGE"] for one in waiting])
        self.fails -= 1
        return "it failed" if self.fails >= 0 else ""


class Place:
    """A follower's folder, recorder and program; `start` starts it again."""

    def __init__(self, folder: Path) -> None:
        self.position = folder / "position.json"
        self.recorder = Recorder(folder)
        self.program = Program()
        self.said: list[str] = []

    def start(self) -> Follower:
        return Follower(StateChanges(self.recorder.path), self.program, self.position, self.said.append)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_position_that_a_reader_keeps_from_being_stored_is_stored_later(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = place.start()
    place.recorder.change()
    with monkeypatch.context() as busy:
        busy.setattr(host, "replace", lambda _new, _path: False)  # as on Windows while somebody reads
        follower.step()
        assert json.loads(place.position.read_text())["number"] == 0
    follower.step()

    assert json.loads(place.position.read_text())["number"] == 1
    assert place.program.runs == [["m1"]]


def test_all_that_waits_is_one_run_and_what_was_before_the_first_start_is_not_handed_on(place: Place) -> None:
    place.recorder.change(3)
    follower = place.start()
    follower.step()
    place.recorder.change(2)

    follower.step()
    follower.step()

    assert place.program.runs == [["m4", "m5"]]


def test_a_program_that_fails_gets_them_again_with_what_came_meanwhile(place: Place) -> None:
    follower = place.start()
    place.program.fails = 9
    place.recorder.change()

    waits = [follower.step() for _ in range(9)]
    place.recorder.change()
    waits += [follower.step(), follower.step()]

    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300, 2, 2]
    assert place.program.runs == [["m1"]] * 9 + [["m1", "m2"]]
    assert len([said for said in place.said if "it failed" in said]) == 1
    assert place.said[-1] == "changes are handed on again"


@pytest.mark.parametrize("step", ["before the run", "in the run", "before it is stored", "after that"])
def test_a_follower_killed_at_any_step_hands_on_each_change_at_least_once(place: Place, step: str) -> None:
    follower = place.start()
    place.recorder.change()
    if step == "in the run":
        place.program.fails = 1
    if step == "before it is stored":
        place.position.chmod(0o600)
        saved = place.position.read_text()
    if step != "before the run":
        follower.step()
    if step == "before it is stored":
        place.position.write_text(saved)
    place.recorder.change()

    place.start().step()

    delivered = [message for run in place.program.runs for message in run]
    assert set(delivered) == {"m1", "m2"}
    assert delivered.count("m1") == (2 if step in ("in the run", "before it is stored") else 1)


def test_a_position_that_cannot_be_stored_is_said_and_changes_come_again(place: Place) -> None:
    follower = place.start()
    place.recorder.change()
    place.position.unlink()
    place.position.mkdir()

    follower.step()
    place.position.rmdir()
    follower.step()

    assert place.program.runs == [["m1"], ["m1"]]
    assert "what was handed on comes again" in place.said[1]


def test_a_storm_is_a_handful_of_runs_and_what_the_list_could_not_hold_is_counted(place: Place) -> None:
    follower = place.start()
    for _ in range(10):
        place.recorder.change(100)
        follower.step()
    place.recorder.change(250)
    (lost,) = {one.fields["PRICE_LOST"] for one in StateChanges(place.recorder.path).after({"number": 1000})}

    follower.step()

    assert [len(run) for run in place.program.runs] == [100] * 11
    assert lost == "150"


def test_a_state_that_was_removed_is_a_new_list(place: Place) -> None:
    place.recorder.change(5)
    follower = place.start()
    place.recorder.path.unlink()
    follower.step()
    place.recorder = Recorder(place.recorder.path.parent)
    place.recorder.change()

    follower.step()

    assert place.program.runs == [["m1"]]


def test_a_state_that_cannot_be_read_is_said_once_and_waited_for(place: Place) -> None:
    follower = place.start()
    place.recorder.path.write_text("{")
    follower.step()
    follower.step()
    place.recorder.change()

    follower.step()

    assert place.program.runs == [["m1"]]
    assert len([said for said in place.said if "cannot be read as a state" in said]) == 1


@pytest.mark.parametrize(
    "text", ["{", "[]", "7", '{"cursor": "s=1", "slot": ""}', '{"number": null}', '{"number": "7"}']
)
def test_a_position_that_is_damaged_or_of_the_journal_is_named(place: Place, text: str) -> None:
    place.position.write_text(text)

    with pytest.raises(PriceError, match=r"position\.json: cannot be read .*remove it"):
        place.start()


def script(folder: Path, text: str) -> str:
    path = folder / "on-alert"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_the_program_gets_lines_on_stdin_and_the_last_ones_fields(tmp_path: Path) -> None:
    program = script(
        tmp_path, f'cat > {tmp_path}/in; echo "$PRICE_ALERT $PRICE_CHANGES $PATH" > {tmp_path}/env'
    )
    waiting = [
        Waiting({"MESSAGE": "one\nmore", "PRICE_ALERT": "low"}, {}),
        Waiting({"MESSAGE": "two", "PRICE_ALERT": "high"}, {}),
    ]

    failure = runner(program, {"PATH": "/bin:/usr/bin"})(waiting)

    assert failure == ""
    assert (tmp_path / "in").read_text() == "one\\nmore\ntwo\n"
    assert (tmp_path / "env").read_text() == "high 2 /bin:/usr/bin\n"


@pytest.mark.parametrize(("text", "words"), [("exit 3", "ended with status 3"), ("kill -9 $$", "status -9")])
def test_a_program_that_fails_is_named(tmp_path: Path, text: str, words: str) -> None:
    assert words in runner(script(tmp_path, text), {})([Waiting({"MESSAGE": "x" * 200_000}, {})])


def test_a_program_that_hangs_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "held")
    reader = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(tmp_path / "held", os.O_WRONLY)
    program = script(tmp_path, f"sleep 600 > {tmp_path}/held\ntrue")

    failure = runner(program, {"PATH": "/bin:/usr/bin"}, 1)([Waiting({"MESSAGE": "high"}, {})])

    os.close(writer)
    ended, _, _ = select.select([reader], [], [], 10)  # at the end of the last process that holds it
    os.close(reader)
    assert failure.endswith("still ran after 1 s and was killed")
    assert ended


def test_what_is_no_program_is_named_at_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alerts", "--follow", "--run", str(tmp_path)], {}, START) == 1
    assert "there is no such program" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["alerts", "--follow"], {}, START)
    assert "--follow needs --run PROGRAM" in capsys.readouterr().err


def test_the_sample_hands_nothing_on_until_a_line_is_chosen(capfd: pytest.CaptureFixture[str]) -> None:
    sample = Path(__file__).parents[2] / "deploy" / "on-alert.sample"

    failure = runner(str(sample), {"PATH": "/bin:/usr/bin"})([Waiting({"MESSAGE": "high: BTC-USD"}, {})])

    assert "ended with status 1" in failure
    assert "nobody was told of: high: BTC-USD" in capfd.readouterr().err


def test_the_recorders_own_state_is_followed(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ALERTS="high: BTC-USD above 100")
    runs = Program()
    follower = Follower(StateChanges(tmp_path / "state.json"), runs, tmp_path / "p.json", print)
    scene.clock.at(3, lambda: scene.net.kraken.says("101"))
    scene.clock.at(9, follower.step)
    scene.reload_at(12, ALERTS="")

    scene.run(until=19)
    follower.step()

    assert runs.runs == [["high: BTC-USD 101 is above 100"], ["high ended: the rule was changed"]]
