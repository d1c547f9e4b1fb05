"""A wall clock that is wrong, is set, is smeared, or jumps over a sleep: `main.py run` itself, in real time.

A preloaded library adds to the wall clock alone what a test says. Real time is dear, so all stories are
played side by side, on a machine each, before the first is judged.
"""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from price import times
from price.model import Quote
from tests.checks import sound
from tests.faults.place import PYTHON, ROOT, Place
from tests.process import until

pytestmark = pytest.mark.realtime

PATIENCE_SECONDS = 60
HOURS = 3 * 3600


class Machine:
    """A recorder with slots every second, on a machine whose wall clock the test sets."""

    def __init__(self, folder: Path, library: Path) -> None:
        folder.mkdir()
        self._place = Place(folder, folder, INTERVAL="1", TIMEOUT="0.5")
        self._clock = folder / "clock"
        self._said = folder / "said"
        self._more = {"LD_PRELOAD": str(library), "CLOCK_FILE": str(self._clock)}
        self._ahead = self._gains = self._since = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the recorder."""
        with self._said.open("ab") as said:
            command = [PYTHON, str(ROOT / "main.py"), "run"]
            self._process = subprocess.Popen(command, env={**self._place.environ, **self._more}, stderr=said)

    def stop(self) -> None:
        """Stops the recorder, which has to be quick and well."""
        began = time.monotonic()
        assert self._send(signal.SIGTERM).wait(PATIENCE_SECONDS) == 0
        assert time.monotonic() - began < 5

    def freeze(self, seconds: float, asleep: float) -> None:
        """Has nothing run for some time; while the machine is asleep the wall clock alone goes on."""
        self._send(signal.SIGSTOP)
        time.sleep(seconds)
        self.step(asleep)
        self._send(signal.SIGCONT)

    def kill(self) -> None:
        """Makes sure that nothing runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def now(self) -> datetime:
        """What the machine's wall clock says."""
        passed = timedelta(seconds=self._ahead + self._gains * (time.monotonic() - self._since))
        return datetime.now(UTC) + passed

    def step(self, seconds: float) -> None:
        """Sets the wall clock forward or back."""
        self._set(self._ahead + seconds, 0)

    def smear(self, gains: float) -> None:
        """Has the wall clock gain so many seconds in each second from now on."""
        self._set((self.now() - datetime.now(UTC)).total_seconds(), gains)

    def _set(self, ahead: float, gains: float) -> None:
        self._ahead, self._gains, self._since = ahead, gains, time.monotonic()
        new = self._clock.with_suffix(".new")
        new.write_text(f"{ahead:f} {gains:f} {self._since:f}")
        new.rename(self._clock)

    def _send(self, number: int) -> "subprocess.Popen[bytes]":
        assert self._process is not None
        self._process.send_signal(number)
        return self._process

    @property
    def text(self) -> str:
        """The log as it is."""
        return self._place.file.read_text() if self._place.file.exists() else ""

    @property
    def rows(self) -> list[Quote]:
        """Its rows, after proof that it is sound: no slot twice, none out of order, none left out."""
        return sound(self._place.file)

    @property
    def warnings(self) -> list[str]:
        """What it said about the clock."""
        return [line for line in self._said.read_text().splitlines() if "the clock says" in line]

    def until(self, true: Callable[[], object]) -> None:
        """Waits until something is so."""
        until(true, PATIENCE_SECONDS, told=lambda: f"{self._said.read_text()}\n{self.text}")

    def records(self, count: int = 1) -> None:
        """Waits for more rows with a price."""
        wanted = self.text.count("simulated") + count
        self.until(lambda: self.text.count("simulated") >= wanted)


Story = Callable[[Machine], None]
STORIES: dict[str, Story] = {}


def story(act: Story) -> Story:
    """Has a function be played by each run of the tests; its name is its sentence."""
    STORIES[act.__name__] = act
    return act


@pytest.fixture(scope="module")
def played(clock: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, "Future[None]"]]:
    machines = {name: Machine(tmp_path_factory.mktemp("machine") / "x", clock) for name in STORIES}
    with ThreadPoolExecutor(len(STORIES)) as pool:
        yield {name: pool.submit(act, machines[name]) for name, act in STORIES.items()}
    for machine in machines.values():
        machine.kill()


@pytest.mark.parametrize("name", STORIES)
def test_on_a_real_machine(name: str, played: dict[str, "Future[None]"]) -> None:
    played[name].result()


def _late(machine: Machine, since: datetime) -> list[Quote]:
    """The rows of slots that nobody got to, from a time on."""
    return [row for row in machine.rows if row.reason == "late" and row.slot >= times.slot_of(since, 1)]


@story
def a_clock_set_forward_leaves_one_late_row_for_the_slots_it_left_out(machine: Machine) -> None:
    machine.start()
    machine.records(2)
    for forward in (4, HOURS):
        before = machine.now()
        machine.step(forward)
        machine.records(2)
        assert forward - 1 <= _late(machine, before)[0].slots <= forward + 10
    machine.stop()
    assert {row.reason for row in machine.rows if row.missed} == {"late"}
    assert machine.warnings == []


@story
def a_clock_set_back_by_hours_is_said_once_and_no_row_is_written_until_it_is_right(machine: Machine) -> None:
    machine.start()
    machine.records(2)
    machine.step(-HOURS)
    machine.until(lambda: machine.warnings)
    written = machine.text
    time.sleep(1.5)  # more than a slot
    assert machine.text == written
    right = machine.now() + timedelta(seconds=HOURS)
    machine.step(HOURS)
    machine.records(2)
    machine.stop()
    behind, past = machine.warnings
    assert f"before the last row, {written.splitlines()[-1][:20]}" in behind
    assert "no row for 3 h; check the machine's clock" in behind
    assert "rows go on" in past
    on_again = max(row.slot + timedelta(seconds=row.slots) for row in _late(machine, times.EPOCH))
    assert on_again < right + timedelta(seconds=5)


@story
def a_smeared_leap_second_costs_no_slot(machine: Machine) -> None:
    machine.start()
    machine.records()
    for gains in (-0.3, 0.3):
        machine.smear(gains)
        machine.records(3)  # nearly a second in all
    machine.stop()
    assert machine.warnings == []
    assert sum(row.slots for row in machine.rows if row.missed) <= 1, "a busy machine may miss one"


@story
def a_stopped_process_and_a_sleeping_machine_leave_a_late_row_each(machine: Machine) -> None:
    machine.start()
    machine.records(2)
    for seconds in (0, HOURS):
        before = machine.now()
        machine.freeze(2.5, seconds)
        machine.records(2)
        first, *_ = late = _late(machine, before)
        assert seconds + 1 <= first.slots <= seconds + 10
        assert sum(row.slots for row in late) - first.slots <= 1
    machine.stop()
    assert machine.warnings == []
