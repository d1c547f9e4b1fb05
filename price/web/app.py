"""The WSGI callable: which path gives what, and to whom. It never writes anything."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl

from price import times
from price.errors import PriceError
from price.log import row
from price.report.history import NAMES, as_csv
from price.report.tables import renderer
from price.safely import safely
from price.text import one_line
from price.web.answers import Answers, Asked
from price.web.reply import Environ, Refused, Reply, StartResponse, Stream, fault, send, static_files
from price.web.standing import Standing

STATIC = Path(__file__).parent / "static"
_MOST_KEPT = 32
"""Answers: one of 2,000 bars, the most, has some 250 kB."""
_MOST_WAITING = 2
"""Threads that wait for a read; of four, one is left to say how things are."""
_MOST_SECONDS = 5.0
"""That they wait."""
_LONGEST_QUERY = 500
_FAR = times.LAST_SECOND - 2 * times.DAY
"""The last days of the calendar."""


class App:
    """Answers requests. `now` reads the wall clock; `hosts` are the names that may stand in Host."""

    def __init__(
        self, standing: Standing, answers: Answers, now: Callable[[], datetime], hosts: Iterable[str]
    ) -> None:
        self._standing = standing
        self._answers = answers
        self._now = now
        self._hosts = frozenset(host.lower() for host in hosts)
        self._files = static_files(STATIC)
        self._reading = threading.Lock()
        """One range is read at a time: reads take the processor, and the same answer serves many tabs."""
        self._waiting = threading.BoundedSemaphore(1 + _MOST_WAITING)
        self._streams = threading.BoundedSemaphore(1)
        """A stream holds a thread for as long as its reader likes."""
        self._kept: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self.asked = 0
        """Requests so far."""

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request (PEP 3333)."""
        self.asked += 1
        reply, failure = safely(self._reply, environ)
        if isinstance(failure, Refused):
            again = (("Retry-After", "1"),) if failure.status == 503 else ()
            reply = fault(failure.status, str(failure), *again, again=1 if again else None)
        elif isinstance(failure, PriceError):
            reply = fault(503, str(failure), ("Retry-After", "5"))
        elif isinstance(failure, OSError):
            reply = fault(503, f"the log cannot be read: {failure.strerror}", ("Retry-After", "5"))
        elif failure or reply is None:
            reply = fault(500, f"{type(failure).__name__}: this is a fault of price; please report it")
        return send(reply, environ, start_response)

    def _reply(self, environ: Environ) -> Reply:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            raise Refused(405, "only GET and HEAD: this page changes nothing")
        self._check_host(environ.get("HTTP_HOST", ""))
        path = environ.get("PATH_INFO", "").removeprefix("/")
        if path in self._files:
            return self._files[path]
        query = environ.get("QUERY_STRING", "")
        if path.startswith("api/") and environ.get("HTTP_SEC_FETCH_SITE") in ("cross-site", "same-site"):
            raise Refused(403, "asked for by another site")
        if len(query) > _LONGEST_QUERY:
            raise Refused(400, f"a query of over {_LONGEST_QUERY} characters")
        asked = dict(parse_qsl(query))
        if path == "api/now":
            return self._overall()
        if path == "api/series":
            return self._series(_range(asked, self._unix()))
        if path == "api/rows":
            return self._rows(_range(asked, self._unix()), asked.get("after", ""))
        if path == "api/rows.csv":
            return self._csv(_range(asked, self._unix()), environ["REQUEST_METHOD"])
        raise Refused(404, "there is nothing here; the page is at the top")

    def _check_host(self, host: str) -> None:
        """A name that is not ours may have been pointed at us by a page from elsewhere (DNS rebinding).

        An address says nothing that could be pointed elsewhere, so it passes.
        """
        name = host.rpartition(":")[0] if host[-1:].isdigit() and ":" in host else host
        name = name.lower().rstrip(".")
        is_address = safely(ip_address, name.strip("[]"))[1] is None
        if not (is_address or name == "localhost" or name in self._hosts):
            shown = one_line(host)[:100]
            raise Refused(421, f"not known by the name {shown!r}: list it in PRICE_WEB_HOSTS")

    def _unix(self) -> float:
        return self._now().timestamp()

    @contextmanager
    def _read(self) -> Iterator[None]:
        """The right to read the log. Raises Refused where too many wait for it."""
        busy = Refused(503, "others are reading the log: ask again in a moment")
        if not self._waiting.acquire(blocking=False):
            raise busy
        try:
            if not self._reading.acquire(timeout=_MOST_SECONDS):
                raise busy
            try:
                yield
            finally:
                self._reading.release()
        finally:
            self._waiting.release()

    def _overall(self) -> Reply:
        """The status as it is, or what the log alone can tell."""
        known = self._standing.status()
        if known:
            status, written = known
            return Reply(200, b'{"now":%f,"written":%f,"status":%b}' % (self._unix(), written, status))
        log = self._once(("overview",), self._standing.overview)
        return Reply(200, b'{"now":%f,"written":null,"status":null,"log":%b}' % (self._unix(), log))

    def _series(self, asked: Asked) -> Reply:
        body = self._once(("series", *asked), lambda: self._answers.series(asked))
        return Reply(200, body)

    def _once(self, question: tuple[object, ...], answer: Callable[[], Mapping[str, object]]) -> bytes:
        """The answer to a question about the log, made once for all who ask until the log is another.

        One that holds a part only (`percent`) is not kept: each repeated request gets further.
        """
        with self._read():
            key = (*question, *self._log_state())
            kept = self._kept.get(key)
            if kept is None:
                value = answer()
                kept = json.dumps(value, separators=(",", ":")).encode()
                if "percent" not in value:
                    self._kept[key] = kept
                    while len(self._kept) > _MOST_KEPT:
                        self._kept.popitem(last=False)
            return kept

    def _rows(self, asked: Asked, after: str) -> Reply:
        if after and not row.is_slot(after):
            raise Refused(400, "after= is no slot such as 2026-11-20T15:52:05Z")
        with self._read():
            rows = self._answers.rows(asked, after)
        return Reply(200, json.dumps(rows, separators=(",", ":")).encode())

    def _csv(self, asked: Asked, method: str) -> Reply:
        name = f"{asked.pair}-{times.slot_text(asked.since)[:10]}.csv".lower()
        more = (("Content-Disposition", f'attachment; filename="{name}"'),)
        head = (",".join(NAMES) + "\n").encode()
        kind = "text/csv; charset=utf-8"
        if method == "HEAD":
            return Reply(200, b"", kind, more)
        if not self._streams.acquire(blocking=False):
            raise Refused(503, "another one is being sent: ask again when it is done")
        render = renderer("csv", NAMES)
        lines = (render(as_csv(one)).encode() for one in self._answers.all_rows(asked))
        return Reply(200, b"", kind, more, Stream(head, lines, self._streams.release))

    def _log_state(self) -> tuple[object, ...]:
        """What changes whenever the log does: answers that were made before are good no longer."""
        found: list[object] = []
        path = Path(self._answers.log)
        for file in (path, path.with_name("repairs.txt"), path.parent):
            status, _ = safely(file.stat)
            found.append(status and (status.st_ino, status.st_size, status.st_mtime_ns))
        return tuple(found)


def _range(asked: Mapping[str, str], now: float) -> Asked:
    """What a query asks for. Raises Refused."""
    pair = asked.get("pair", "")
    if not row.is_pair(pair):
        raise Refused(400, "pair= is no pair such as BTC-USD")
    return Asked(
        pair,
        _number(asked, "since", 0),
        _number(asked, "until", int(now) + 1),
        _number(asked, "points", 800),
        _number(asked, "every", 0),
        asked.get("whole") == "1",
        max(1, _number(asked, "interval", 1)),
    )


def _number(asked: Mapping[str, str], name: str, default: int) -> int:
    text = asked.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and int(text) <= _FAR):
        raise Refused(400, f"{name}= is no whole number of seconds")
    return int(text)
