"""A minute of what the recorder lives through, on made-up exchanges: `make demo`."""

import argparse
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.exchange import Fault, Market, Walk, faults

ROOT = Path(__file__).parent.parent
NAMES = ("coinbase", "kraken", "bitstamp")
LAST_ROWS = 5
ROUND = timedelta(seconds=60)
WELCOME = """\
Three made-up exchanges on this machine, a price each second. Now and then one hangs, is lost, or tells
a wrong price, and once a minute all are away for two seconds: lines with # say so beforehand, all others
are the recorder's log. Two alerts, no-price and far-apart, begin and end with that. Ctrl-C ends it.
"""


class Scene(NamedTuple):
    """From one second of the minute up to another, something is wrong at some exchanges."""

    first: int
    after: int
    names: tuple[str, ...]
    fault: Fault
    told: str


SCENES = (
    Scene(8, 13, ("kraken",), faults.hang(), "kraken hangs"),
    Scene(22, 27, ("coinbase",), faults.hang_up(), "coinbase is lost"),
    Scene(34, 36, NAMES, faults.status(500), "all three are away: two slots are missed"),
    Scene(44, 50, ("bitstamp",), faults.wrong("1.03"), "bitstamp is 3 percent too high"),
)


def main() -> int:
    """Run the recorder against the exchanges until Ctrl-C, or for some seconds."""
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # or the recorder would outlive us
    print(WELCOME, flush=True)
    with TemporaryDirectory() as folder, Market(NAMES, prices=Walk(20)) as market:
        file = Path(folder) / "prices.txt"
        command = [sys.executable, str(ROOT / "main.py"), "run", *options.extra]
        with subprocess.Popen(command, env=_environment(market, Path(folder)), cwd=folder) as recorder:
            try:
                _play(market, recorder, options.seconds)
                told = False
            except KeyboardInterrupt:
                told = True  # a Ctrl-C goes to the recorder, too
            status = _ended(recorder, told)
        _show_rows(file)
        print(f"\nThe recorder ended with status {status}; its files are gone with the demo.")
    return status


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument("--seconds", type=float, metavar="N", help="end by itself after N seconds")
    parser.add_argument("extra", nargs="*", help="after --: handed to the recorder")
    return parser.parse_args()


def _environment(market: Market, folder: Path) -> dict[str, str]:
    """Only our own settings: neither those of the caller nor of a settings file."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PRICE_")}
    ours = {
        "PRICE_PAIRS": "BTC-USD",
        "PRICE_INTERVAL": "1",
        "PRICE_ALERTS": "no-price: any missing 2s as error; far-apart: any apart 2%",
        "PRICE_FILE": str(folder / "prices.txt"),
        "PRICE_STATE": str(folder / "state.json"),
        "PRICE_STATUS": str(folder / "status.json"),
    }
    return kept | ours | market.environment


def _play(market: Market, recorder: "subprocess.Popen[bytes]", seconds: float | None) -> None:
    """Plan the faults of each minute ahead, and say them as they come."""
    begin = datetime.now(UTC).replace(microsecond=0)
    planned, told = begin, begin
    while recorder.poll() is None:
        now = datetime.now(UTC)
        if now >= planned:
            _plan(market, planned)
            planned += ROUND
        _tell(planned - ROUND, told, now)
        told = now
        if seconds is not None and now - begin > timedelta(seconds=seconds):
            return
        time.sleep(0.1)


def _plan(market: Market, begin: datetime) -> None:
    market.recover()
    for scene in SCENES:
        for name in scene.names:
            since, until = _moment(begin, scene.first), _moment(begin, scene.after)
            market[name].fail(scene.fault, since=since, until=until)


def _tell(begin: datetime, told: datetime, now: datetime) -> None:
    for scene in SCENES:
        if told < _moment(begin, scene.first) <= now:
            print(f"# {scene.told}", flush=True)


def _moment(begin: datetime, second: int) -> datetime:
    """A moment between the slot of a second and the one before."""
    return begin + timedelta(seconds=second - 0.5)


def _show_rows(file: Path) -> None:
    """Print how the file ends: what a reader of the log gets."""
    rows = file.read_text().splitlines()
    print(f"\nprices.txt has {len(rows)} lines; the last ones:", *rows[-LAST_ROWS:], sep="\n")


def _ended(recorder: "subprocess.Popen[bytes]", told: bool) -> int:
    """Wait for its end; tell it where it was not told, or does not heed."""
    if told:
        with suppress(subprocess.TimeoutExpired):
            return recorder.wait(2)
    recorder.terminate()
    try:
        return recorder.wait(5)
    except subprocess.TimeoutExpired:
        recorder.kill()
        return recorder.wait()


if __name__ == "__main__":
    sys.exit(main())
