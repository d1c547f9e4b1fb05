"""A minute of what the recorder lives through, on made-up exchanges: `make demo`."""

import argparse
import os
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.exchange import Fault, Market, Walk, faults

ROOT = Path(__file__).parent.parent
NAMES = ("coinbase", "kraken", "bitstamp")
LAST_ROWS = 5
ROUND_SECONDS = 60
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


class Over(Exception):
    """The demo has lasted as long as it should, or its recorder has ended."""


def main() -> int:
    """Run the recorder against the exchanges until Ctrl-C, or for some seconds."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument("--seconds", type=float, metavar="N", help="end by itself after N seconds")
    seconds = parser.parse_args().seconds
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # or the recorder would outlive us
    print(WELCOME, flush=True)
    with TemporaryDirectory() as folder, Market(NAMES, prices=Walk(20)) as market:
        command = [sys.executable, str(ROOT / "main.py"), "run"]
        environ = _environment(market, Path(folder))
        # a Ctrl-C is ours alone
        with subprocess.Popen(command, env=environ, cwd=folder, start_new_session=True) as recorder:
            try:
                _play(market, recorder, seconds)
            except (KeyboardInterrupt, Over):
                recorder.terminate()
            status = recorder.wait(10)
        rows = (Path(folder) / "prices.txt").read_text().splitlines()
    print(f"\nprices.txt has {len(rows)} lines; the last ones:", *rows[-LAST_ROWS:], sep="\n")
    print(f"\nThe recorder ended with status {status}; its files are gone with the demo.")
    return status


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
    """Plays the scenes minute after minute, and says each. Raises Over."""
    begin = time.time() // 1

    def wait(second: int) -> None:
        """Waits for a moment between the slot of a second and the one before."""
        while (now := time.time() - begin) < second - 0.5:
            if recorder.poll() is not None or (seconds is not None and now > seconds):
                raise Over
            time.sleep(0.05)

    for minute in count(0, ROUND_SECONDS):
        for scene in SCENES:
            wait(minute + scene.first)
            print(f"# {scene.told}", flush=True)
            for name in scene.names:
                market[name].fault = scene.fault
            wait(minute + scene.after)
            market.recover()


if __name__ == "__main__":
    sys.exit(main())
