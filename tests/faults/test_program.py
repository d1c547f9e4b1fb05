"""`main.py run` itself, in real time: slots every second, killed or stopped in between."""

import signal
import subprocess
import time
from datetime import datetime

import pytest

from price import times
from tests.checks import sound
from tests.faults.conftest import needs
from tests.faults.place import PYTHON, ROOT, Place
from tests.process import until

pytestmark = pytest.mark.realtime

PATIENCE_SECONDS = 60


def _begin(place: Place, *wrapper: str, **more: str) -> "subprocess.Popen[bytes]":
    command = [*wrapper, PYTHON, str(ROOT / "main.py"), "run"]
    return subprocess.Popen(command, env={**place.environ, **more}, stderr=subprocess.PIPE)


def _finish(process: "subprocess.Popen[bytes]", number: int) -> tuple[int, str]:
    """Sends a signal; the exit status and what was said."""
    process.send_signal(number)
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, said.decode()


def _acknowledged(place: Place, since: datetime) -> datetime:
    """The first slot after a time that status.json acknowledges."""
    until(lambda: (place.acknowledged or since) > since, PATIENCE_SECONDS)
    return place.acknowledged or since


def test_killed_and_started_again_it_accounts_for_every_second(place: Place) -> None:
    place.settings |= {"INTERVAL": "1", "TIMEOUT": "0.5"}
    seen: list[datetime] = []
    for _ in range(2):
        process = _begin(place)
        seen.append(_acknowledged(place, seen[-1] if seen else times.EPOCH))
        seen.append(_acknowledged(place, seen[-1]))
        assert _finish(process, signal.SIGKILL)[0] == -signal.SIGKILL
    process = _begin(place)
    seen.append(_acknowledged(place, seen[-1]))
    assert _finish(process, signal.SIGTERM)[0] == 0
    rows = sound(place.file)
    assert set(seen) <= {row.slot for row in rows if row.price is not None}
    assert (rows[-1].slot - rows[0].slot).total_seconds() + 1 == sum(row.slots for row in rows)


def test_a_stop_on_a_full_disk_ends_it_within_a_second_and_with_1(place: Place) -> None:
    needs("prlimit")
    place.settings |= {"INTERVAL": "1", "TIMEOUT": "0.5"}
    place.folder.mkdir()
    place.file.write_text("# price-log 1 every=1s\n" + "# a long remark\n" * 100)
    limit = f"--fsize={place.file.stat().st_size + 20}"
    process = _begin(place, "prlimit", limit)
    until(lambda: (place.aside / "status.json").exists() and place.status["held"], PATIENCE_SECONDS)
    began = time.monotonic()
    status, said = _finish(process, signal.SIGTERM)
    assert time.monotonic() - began < 1
    assert status == 1
    assert said.count("rows are held in memory") == 1
    assert "could not be written; price repair may fill them" in said
    assert "Traceback" not in said
