"""A log, a status.json and the page over them, asked as a server would: by a call with an `environ`."""

import gzip
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from price import times
from price.web.answers import Answers
from price.web.app import App
from price.web.days import Days
from price.web.standing import Standing

HEADER = "# price-log 1 every={}s\n"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as a value."""
        return json.loads(self.body)


class WebScene:
    """A folder with a log and a status.json; `at` is the server's time."""

    def __init__(
        self, folder: Path, every: int = 5, hosts: Iterable[str] = (), *, cached: bool = False
    ) -> None:
        self.folder = folder
        self.file = folder / "prices.txt"
        self.status_file = folder / "status.json"
        self.every = every
        self.at = NOON
        self.reads: list[str] = []
        self.ticks = 0.0
        cache = folder / "cache"
        if cached:
            cache.mkdir(exist_ok=True)
        self.days = Days(cache if cached else None)
        answers = Answers(str(self.file), self.days, self._monotonic)
        self.app = App(Standing(str(self.file), self.status_file), answers, lambda: self.at, hosts)
        self.tick_seconds = 0.0
        """What passes each time that somebody looks at the clock."""

    def _monotonic(self) -> float:
        self.ticks += self.tick_seconds
        return self.ticks

    def log(self, *rows: str, name: str = "prices.txt") -> None:
        """Writes a file of the log."""
        (self.folder / name).write_text(HEADER.format(self.every) + "".join(f"{one}\n" for one in rows))

    def add(self, *rows: str) -> None:
        """Appends rows to the log."""
        with self.file.open("a") as file:
            file.writelines(f"{one}\n" for one in rows)

    def prices(self, start: datetime, prices: Iterable[str], pair: str = "BTC-USD") -> list[str]:
        """Rows from a slot on, one an interval; `-` and what follows it is a missed one."""
        found = []
        for number, price in enumerate(prices):
            slot = times.iso(start + timedelta(seconds=self.every * number))
            found.append(f"{slot} {pair} {price}" if price[0] == "-" else f"{slot} {pair} {price} kraken,okx")
        return found

    def status(self, slot: datetime | None = None, **changes: Any) -> None:
        """Writes the status of a recorder that has just stored a slot."""
        stored = times.iso(slot or self.at)
        pair = {
            "price": "97123.45",
            "slot": stored,
            "sources": ["kraken", "okx"],
            "recorded": 10,
            "missed": 2,
        }
        known = {
            "version": "1.2.3", "pid": 1, "started": times.iso(NOON), "interval": self.every, "slot": stored,
            "waiting": None, "clock_ahead_seconds": None, "held": 0, "pairs": {"BTC-USD": pair},
            "sources": {name: source() for name in ("kraken", "okx")},
            "alerts": {"on": [], "changes": []}, **changes,
        }  # fmt: skip
        draft = self.status_file.with_suffix(".new")
        draft.write_text(json.dumps(known))
        draft.replace(self.status_file)

    def get(self, path: str, query: str = "", method: str = "GET", **headers: str) -> Answer:
        """Asks for a path. Headers are named as WSGI does: HTTP_HOST."""
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "HTTP_HOST": "127.0.0.1:8464",
            **headers,
        }
        got: list[Any] = []
        parts = self.app(environ, lambda status, fields: got.extend((status, fields)))
        body = b"".join(parts)
        if close := getattr(parts, "close", None):
            close()
        fields = dict(got[1])
        if fields.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        return Answer(int(got[0].split()[0]), fields, body)

    def series(self, since: datetime, until: datetime, pair: str = "BTC-USD", **more: int) -> dict[str, Any]:
        """The answer to a question about a range, asked until it is whole."""
        wanted = {"pair": pair, "since": times.unix(since), "until": times.unix(until), **more}
        query = "&".join(f"{name}={value}" for name, value in wanted.items())
        while True:
            answer = self.get("/api/series", query)
            assert answer.status == 200, answer.body
            found: dict[str, Any] = answer.json
            if "percent" not in found:
                return found


def source(state: str = "selected", **changes: Any) -> dict[str, Any]:
    """What status.json shows of a source."""
    known = {
        "state": state, "until": None, "reach": "11111111", "offset_bp": 0.51, "age_seconds": 0.2,
        "milliseconds": 80, "requests": 100, "failures": 1,
    }  # fmt: skip
    return known | changes


def slots_of(missed: Iterable[list[Any]]) -> list[tuple[str, str, int, str]]:
    """Missed stretches in words: the first slot, the slot after the last, how many, why."""
    return [
        (times.slot_text(start), times.slot_text(end), slots, reason) for start, end, slots, reason in missed
    ]
