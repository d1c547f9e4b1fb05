"""What is remembered of sources, and the log's sums: over a kill, under each that starts a recorder again."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.exchange import Market, faults
from tests.proof import proven
from tests.windows import nssm as by_nssm
from tests.windows.installed import Installed
from tests.windows.nssm import NAME
from tests.windows.prefix import NSSM, Prefix
from tests.windows.recording import Recording
from tests.windows.supervised import Supervised

RETIRED = {
    "rest_seconds": 3000.0,
    "refusals": 5,
    "failures": 0,
    "trouble_seconds": 700.0,
    "retired": True,
    "aside_seconds": {},
    "next_slot": "1970-01-01T00:00:00Z",
}


class Remembered:
    """Three exchanges: one answers, one asks for a rest of 50 minutes, one was retired before."""

    def __init__(self, market: Market) -> None:
        self.market = market
        market["kraken"].fail(faults.rate_limited(retry_after=3000))
        self.settings = {**market.environment, "PRICE_INTERVAL": "1", "PRICE_QUORUM": "1"}
        self._file = Path()

    def begin(self, folder: Path) -> None:
        """Writes the state that an earlier recorder left in a folder."""
        self._file = folder / "state.json"
        folder.mkdir(exist_ok=True)
        bitstamp = RETIRED | {"url": self.market["bitstamp"].url}
        state = {"version": 1, "saved": datetime.now(UTC).isoformat(), "sources": {"bitstamp": bitstamp}}
        self._file.write_text(json.dumps(state))

    def killed_and_back(self, prefix: Prefix, rows: Callable[[], int], restart: Callable[[], None]) -> None:
        """Has the recorder killed once its state is saved, and records on; nobody is asked too early."""
        prefix.until(lambda: self._saved("kraken").get("rest_seconds") and rows() > 1)
        asked = self.market["kraken"].count
        before = rows()

        restart()

        prefix.until(lambda: rows() > before + 3)
        assert self.market["kraken"].count == asked
        assert self.market["bitstamp"].count == 0
        assert self._saved("kraken")["rest_seconds"] > 2000
        assert self._saved("bitstamp")["retired"]

    def _saved(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._file.read_text())["sources"].get(name, {})
        return found


@pytest.fixture
def remembered() -> Iterator[Remembered]:
    """Exchanges of which two are not to be asked."""
    with Market() as market:
        yield Remembered(market)


def missed_while_down(file: Path) -> list[str]:
    """The rows of a whole log for the time when nobody recorded."""
    return [row for row in proven(file.read_text()) if " - down" in row]


def test_rests_retirements_and_down_rows_hold_under_the_service_manager(
    service: Installed, remembered: Remembered
) -> None:
    service.set(remembered.settings)
    remembered.begin(service.folder)

    def restart() -> None:
        service.kill()
        service.verb("stop")  # Wine notices a service's end when it is asked of it
        service.verb("start")

    service.start()
    remembered.killed_and_back(service.prefix, lambda: service.rows, restart)
    service.verb("stop")

    assert missed_while_down(service.file)


def test_rests_retirements_and_down_rows_hold_under_nssm(
    booted: Prefix, nssm: Recording, remembered: Remembered
) -> None:
    text = "".join(f"{name}={value}\n" for name, value in remembered.settings.items())
    (nssm.folder / "price.env").write_text(text)
    remembered.begin(nssm.folder)

    booted.wine(NSSM, "start", NAME)
    remembered.killed_and_back(
        booted, lambda: nssm.rows, lambda: os.kill(by_nssm.pid(booted), signal.SIGKILL)
    )
    booted.wine(NSSM, "stop", NAME)

    assert missed_while_down(nssm.file)


def test_rests_retirements_and_down_rows_hold_under_the_supervisor(
    supervised: Supervised, remembered: Remembered
) -> None:
    recording = supervised.recording
    recording.settings = {name.removeprefix("PRICE_"): value for name, value in remembered.settings.items()}
    remembered.begin(recording.logs)

    supervised.quick(15)
    remembered.killed_and_back(
        supervised.prefix,
        lambda: recording.rows,
        lambda: os.kill(supervised.only_recorder(), signal.SIGKILL),
    )
    assert supervised.stop() == 0

    assert missed_while_down(recording.file)
