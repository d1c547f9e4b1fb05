"""The page as a browser gets it: a real server over a log that the test writes, slot by slot."""

import contextlib
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from waitress.server import create_server

from price import times
from tests.web.scene import WebScene

if TYPE_CHECKING:
    from playwright.sync_api import Page

PICTURES = Path(__file__).parents[2] / ".pictures"
"""Where each state of the page is kept as a picture, for a person to look at."""
_MOST_SLOTS = 60
"""That a recorder of the test is behind and still stores, on a busy machine."""
_LOOKS = (("light", 1280, 800), ("dark", 1280, 800), ("light", 390, 844), ("dark", 390, 844))
_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => console.error(
    `CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


class Live(WebScene):
    """A recorder that the test plays: its clock goes on by itself, and a slot is what the test says it is."""

    def __init__(self, folder: Path, every: int = 1) -> None:
        super().__init__(folder, every)
        self._skipped = timedelta()
        self.app._now = self.now
        self.url = ""
        self._server: Any = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._recorder: threading.Thread | None = None
        self.known: dict[str, Any] = {}
        """What the status says otherwise than usual."""
        self.now_at: dict[str, str] = {"BTC-USD": "59116.2"}
        self._last = 0
        """The number of the last slot that is in the log."""
        self.reason = ""
        """Why slots are missed from now on; empty where they are not."""

    def __enter__(self) -> "Live":
        self.serve()
        return self

    def __exit__(self, *_: object) -> None:
        self.freeze()
        self.stop_serving()

    def now(self) -> datetime:
        """The server's time."""
        return datetime.now(UTC) + self._skipped

    def serve(self, port: int = 0) -> None:
        """Begins to answer."""
        self._server = create_server(self.app, host="127.0.0.1", port=port, threads=4, ident=None)
        self.url = f"http://127.0.0.1:{self._server.effective_port}/"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # its sockets are closed under it
            self._server.run()

    def stop_serving(self) -> None:
        """Answers nobody any more."""
        self._server.close()
        self._server.task_dispatcher.shutdown()
        for channel in list(self._server.active_channels.values()):
            channel.handle_close()

    def history(self, seconds: int, price: Callable[[int], str] | None = None, pair: str = "BTC-USD") -> None:
        """A log from so long ago up to now; `price` says what stands in a row so many seconds before now."""
        last = times.unix(self.now()) // self.every * self.every
        told = price or (lambda ago: f"{59_000 + ago % 97}.{1 + ago % 9}")
        rows = [
            self.prices_row(times.from_unix(last - ago), pair, told(ago))
            for ago in range(seconds // self.every * self.every, 0, -self.every)
        ]
        self.log(*rows)
        self._last = last // self.every - 1

    @staticmethod
    def prices_row(slot: datetime, pair: str, text: str) -> str:
        """A row: `-` and what follows it is a missed one."""
        return f"{times.iso(slot)} {pair} {text}" + ("" if text[0] == "-" else " kraken,okx")

    def slot(self, number: int | None = None) -> None:
        """The recorder stores a slot, the one that has just begun, and writes its status."""
        number = times.unix(self.now()) // self.every if number is None else number
        at = times.from_unix(number * self.every)
        missed = f"- {self.reason}" if self.reason else ""
        self.add(*(self.prices_row(at, pair, missed or price) for pair, price in self.now_at.items()))
        pairs = {
            pair: {
                "price": price,
                "slot": times.iso(at),
                "sources": ["kraken", "okx"],
                "recorded": 1000,
                "missed": 3,
            }
            for pair, price in self.now_at.items()
        }
        if self.reason:
            for one in pairs.values():
                one["slot"] = times.iso(at - timedelta(seconds=2 * self.every))
        self.status(at, **{"pairs": pairs, **self.known})

    def record(self) -> None:
        """A recorder runs from now on."""
        self._stop.clear()
        self._recorder = threading.Thread(target=self._slots, daemon=True)
        self._recorder.start()

    def _slots(self) -> None:
        while not self._stop.is_set():
            number = times.unix(self.now()) // self.every
            self._last = self._last or number - 1
            gone = number - self._last - 1
            if gone > _MOST_SLOTS:
                first = times.iso(times.from_unix((self._last + 1) * self.every))
                self.add(*(f"{first} {pair} - late slots={gone}" for pair in self.now_at))
                self._last = number - 1
            while self._last < number:
                self._last += 1
                self.slot(self._last)
            time.sleep(0.02)

    def change_interval(self, every: int) -> None:
        """The recorder's slots are others from now on."""
        with self.file.open("a") as file:
            file.write(f"# price-log 1 every={every}s\n")
        self.every, self._last = every, 0

    def freeze(self) -> None:
        """The recorder stores no slots any more; what it wrote stays."""
        self._stop.set()
        if self._recorder:
            self._recorder.join()
            self._recorder = None

    def skip(self, **length: float) -> None:
        """The server's clock, and the world, go on by so much."""
        self._skipped += timedelta(**length)


def watch(page: "Page", url: str, *, broken: bool) -> list[str]:
    """What goes wrong in a page from now on: errors, messages, refused content, requests to anybody else.

    `broken`: the test breaks the connection or the log, of which a browser notes each failed request.
    """
    found: list[str] = []

    def message(one: Any) -> None:
        if "status of 503" in one.text:  # others read the log: the page asks again
            return
        if not (broken and one.text.startswith(("Failed to load resource", "Refused to execute script"))):
            found.append(f"console: {one.text}")

    def request(one: Any) -> None:
        if urlsplit(one.url).netloc != urlsplit(url).netloc:
            found.append(f"request to {one.url}")

    page.add_init_script(_VIOLATIONS)
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    page.on("console", message)
    page.on("request", request)
    return found


def picture(page: "Page", name: str) -> None:
    """Keeps how a state looks: light and dark, wide and on a phone."""
    PICTURES.mkdir(exist_ok=True)
    size = page.viewport_size
    for theme, width, height in _LOOKS:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.wait_for_timeout(120)
        page.screenshot(path=PICTURES / f"{name}-{theme}-{width}.png", full_page=True)
    if size:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme="light")
