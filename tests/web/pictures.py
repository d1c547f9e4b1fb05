"""Takes the README's pictures of the page, from a recorder and a server that really run: `make pictures`.

Three made-up exchanges on this machine are recorded for a minute, behind a day of their earlier prices.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from price import times
from price.model import Pair
from tests.exchange import Market, Walk, faults

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
NAMES = ("coinbase", "kraken", "bitstamp")
PAIRS = ("BTC-USD", "ETH-USD")
EVERY = 5
SECONDS = 50
"""That are recorded."""
DAY_SECONDS = 86_400 + 3600
PORT = 8465
MISSED = {  # seconds before now: how many slots, why
    33_000: (1, "quorum,kraken:timeout,bitstamp:timeout"),
    61_000: (310, "down"),
    14_000: (38, "coinbase:unreachable,kraken:unreachable,bitstamp:unreachable"),
}


def earlier(walk: Walk, now: datetime) -> Iterator[str]:
    """The rows of the day before, as a recorder would have written them."""
    first = times.unix(now) // EVERY * EVERY - DAY_SECONDS
    yield f"# price-log 1 every={EVERY}s\n"
    slot = first
    while slot < times.unix(now):
        ago = times.unix(now) - slot
        slots, reason = next((why for at, why in MISSED.items() if 0 <= at - ago < EVERY), (0, ""))
        moment = times.from_unix(slot)
        for text in PAIRS:
            if slots:
                yield f"{times.iso(moment)} {text} - {reason}{f' slots={slots}' if slots > 1 else ''}\n"
                continue
            base, _, quote = text.partition("-")
            price = median(walk(name, Pair(base, quote), moment) for name in NAMES)
            yield f"{times.iso(moment)} {text} {price.normalize():f} {','.join(NAMES)}\n"
        slot += EVERY * max(1, slots)


def take() -> None:
    """Opens the page in light, wide, and in dark on a phone."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        looks = (("light", 1280, 940, 1), ("dark", 390, 844, 2))
        for theme, width, height, ratio in looks:
            page = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=theme,  # type: ignore[arg-type]
                device_scale_factor=ratio,
            ).new_page()
            page.goto(f"http://127.0.0.1:{PORT}/")
            page.locator("#right.ready").wait_for()
            page.locator(".chart canvas").wait_for()
            page.wait_for_timeout(3000)
            page.screenshot(path=DOCS / f"web-{theme}.png")
        browser.close()


def main() -> None:
    """Records, serves, and takes the pictures."""
    walk = Walk(20)
    now = datetime.now(UTC)
    with TemporaryDirectory() as folder, Market(NAMES, prices=walk) as market:
        file = Path(folder) / "prices.txt"
        file.write_text("".join(earlier(walk, now)))
        ours = {
            "PRICE_PAIRS": ",".join(PAIRS), "PRICE_FILE": str(file), "PRICE_STATE": f"{folder}/state.json",
            "PRICE_STATUS": f"{folder}/status.json", "PRICE_WEB_LISTEN": f"127.0.0.1:{PORT}",
            "PRICE_ALERTS": "far-apart: any apart 2%; no-price: any missing 1m as error",
        }  # fmt: skip
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PRICE_")}
        environ = kept | ours | market.environment
        commands = [[sys.executable, str(ROOT / "main.py"), word] for word in ("run", "web")]
        running = [
            subprocess.Popen(
                command, env=environ, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            for command in commands
        ]
        try:
            time.sleep(SECONDS / 2)
            market["bitstamp"].fault = faults.wrong("1.03")
            time.sleep(SECONDS / 2)
            take()
        finally:
            for process in running:
                process.send_signal(signal.SIGTERM)
                process.wait()


if __name__ == "__main__":
    main()
