"""Exchanges, files and operators that send control characters: a record stays one clean line everywhere."""

import contextlib
import gzip
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from price.clock import Clock
from price.events import Event
from price.fetchers import Fetcher
from price.handlers.fields import fields
from price.recorder.app import MakeWorkers
from price.recorder.workers import SourceWorkers, Workers
from price.settings import Settings
from price.sources import SOURCES
from tests.announced import Announced
from tests.exchange.parrot import parrot
from tests.fakes import FakeClock
from tests.nasty import NASTY, NASTY_BYTES, NASTY_NAME
from tests.scene import Scene

EVERYBODY = ",".join(name for name in SOURCES if name != "simulated")
_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \S.*")


def test_no_word_of_an_error_reaches_the_log_or_a_terminal_as_it_is(tmp_path: Path) -> None:
    bodies: list[object] = [
        NASTY,
        {NASTY: NASTY},
        {"message": NASTY, "error": [NASTY], "code": NASTY, "msg": NASTY, "result": NASTY, "reason": NASTY},
        {"error": {"status": {"error_code": NASTY, "error_message": NASTY}}, "response_code": NASTY},
        {"error": [f"EQuery:Unknown asset pair {NASTY}"], "status": "error", "code": f"50011{NASTY}"},
        ["error", 10020, f"symbol: {NASTY}"],
        ["error", NASTY * 10_000, NASTY],
    ]
    answers = [http(status, json.dumps(one).encode()) for one in bodies for status in (200, 400, 429, 500)]

    for number, answer in enumerate(
        [*answers, http(503, NASTY.encode("utf-8", "surrogatepass")), http(200, NASTY_BYTES)]
    ):
        stays_clean(tmp_path / str(number), answer)


def test_no_price_time_or_symbol_reaches_the_log_or_a_terminal_as_it_is(tmp_path: Path) -> None:
    odds: list[object] = [NASTY, f"1{NASTY}", "1\n", "1 #", "\u0661", "1" * 10**5, [NASTY], {NASTY: 1}]
    for number, odd in enumerate(odds):
        row = {
            "price": odd,
            "last": odd,
            "lastPrice": odd,
            "c": [odd],
            "time": odd,
            "timestamp": odd,
            "ts": odd,
        }
        symbols = ("BTCUSD", "BTCUSDT", "BTC/USD", "BTC-USDT", NASTY)
        rows = [
            {**row, "symbol": symbol, "pair": symbol, "instId": symbol, "closeTime": odd}
            for symbol in symbols
        ]
        data: list[object] = [
            row,
            rows,
            {"data": rows, "code": "0"},
            {"error": [], "result": {"XXBTZUSD": row, "XBTUSDT": row, NASTY: row}},
            {"bitcoin": {"usd": odd, "last_updated_at": odd}, NASTY: odd},
            [["tBTCUSD", *[odd] * 10], ["tBTCUST", *[odd] * 10], [NASTY, odd]],
        ]
        for place, one in enumerate(data):
            stays_clean(tmp_path / f"{number}-{place}", http(200, json.dumps(one).encode()))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 " + NASTY_BYTES + b"\r\n\r\n" + NASTY_BYTES,
        b"HTTP/1.1 " + NASTY_BYTES + b"\r\n\r\n",
        NASTY_BYTES + b"\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://" + NASTY_BYTES + b"/\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /" + NASTY_BYTES + b"\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: //[" + NASTY_BYTES + b"]:x/\r\n\r\n",
        b"HTTP/1.1 429 Slow\r\nRetry-After: " + NASTY_BYTES + b"\r\nDate: " + NASTY_BYTES + b"\r\n\r\n",
        b"HTTP/1.1 503 Away\r\nRetry-After: Fri, 20 Nov 2026 15:54:05 " + NASTY_BYTES + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: " + NASTY_BYTES + b"\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + NASTY_BYTES,
        b"HTTP/1.1 403 No\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(NASTY_BYTES),
        b"HTTP/1.1 200 OK\r\nContent-Length: " + NASTY_BYTES + b"\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + NASTY_BYTES + b"\r\n",
        b"HTTP/1.1 200 OK\r\n" + NASTY_BYTES + b"\r\n" + NASTY_BYTES + b": " + NASTY_BYTES + b"\r\n\r\n{}",
    ],
    ids=[
        "reason", "status", "no HTTP", "redirect to a host", "redirect to a path", "redirect to nowhere",
        "Retry-After", "Retry-After as a date", "encoding", "no gzip", "gzip", "length", "chunk", "headers",
    ],
)  # fmt: skip
def test_no_byte_of_an_answer_reaches_the_log_or_a_terminal_as_it_is(tmp_path: Path, answer: bytes) -> None:
    stays_clean(tmp_path / "scene", answer)


def test_what_is_cut_off_at_the_start_is_kept_in_the_log_escaped(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    torn = NASTY.replace("\n", "\v").encode("utf-8", "surrogatepass")
    scene.file.write_bytes(b"# price-log 1 every=5s\n" + torn + b"\x9b" * 20_000)

    is_clean(scene, recorded(scene))

    (text,) = scene.said(Event.TAIL_CUT)
    assert r"a\x0bb\r\x1b[31m\x07\x00" in text
    assert len(text) < 12_000
    assert len(scene.rows) == 2
    assert (tmp_path / "prices.txt.cut").read_bytes() == torn + b"\x9b" * 20_000 + b"\n"


def test_a_log_of_a_nasty_name_is_recorded_into_and_named_escaped(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.file = tmp_path / NASTY_NAME
    terminal = recorded(
        scene, {"PRICE_FILE": str(scene.file), "PRICE_STATUS": str(tmp_path / f"s{NASTY_NAME}")}
    )

    is_clean(scene, terminal)
    assert r"a\nb\r\x1b[31m\x07" in scene.said(Event.STARTED)[0]
    assert len(scene.rows) == 2


def test_bad_settings_of_a_reload_are_refused_in_one_clean_line(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.reload_at(3, PAIRS='"x\n\x1b[31m\u202ey"', QUORUM='"\x9b"', ODD="1")

    is_clean(scene, recorded(scene))

    (text,) = scene.said(Event.RELOAD_REFUSED)
    assert r"PRICE_PAIRS=x\n\x1b[31m\u202ey: " in text


def test_a_good_reload_names_a_file_of_a_nasty_name_escaped(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.reload_at(3, FILE=f'"{tmp_path}/a\n\x1b[31mb"')

    is_clean(scene, recorded(scene))

    assert r"/a\n\x1b[31mb" in scene.said(Event.RELOADED)[0]
    assert (tmp_path / "a\n\x1b[31mb").read_text().count("\n") == 3


def test_a_state_file_that_is_not_understood_is_said_in_one_clean_line(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    saved = {"saved": "2026-11-20T15:52:00Z", "sources": {"kraken": {"rest_seconds": NASTY * 10_000}}}
    (tmp_path / "state.json").write_text(json.dumps(saved))

    is_clean(scene, recorded(scene))

    assert len(scene.said(Event.BAD_STATE)) == 1


def http(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body


def stays_clean(folder: Path, answer: bytes) -> None:
    """All sources get the same bytes over a real connection: two slots are recorded, and nothing else."""
    folder.mkdir()
    scene = Scene(folder, SOURCES=EVERYBODY, PAIRS="BTC-USD,BTC-USDT")
    parrot().says(answer)

    terminal = recorded(scene, make_workers=_real_network)

    is_clean(scene, terminal)
    assert len(scene.rows) == 4
    assert scene.text.isascii()
    assert all(one.isprintable() for one in scene.text.split("\n"))
    assert max(map(len, terminal)) < 1000


def recorded(
    scene: Scene, environ: Mapping[str, str] | None = None, make_workers: MakeWorkers | None = None
) -> list[str]:
    """Two slots; gives the lines on the terminal."""
    terminal = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n")
    if environ:
        scene.environ.update(environ)
    if make_workers:
        scene.make_workers = make_workers
    with contextlib.redirect_stderr(terminal):
        scene.run(11)
    terminal.seek(0)
    return terminal.read().split("\n")[:-1]


def is_clean(scene: Scene, terminal: list[str]) -> None:
    """Each record is one line of the terminal, one entry of the journal, and does nothing to either."""
    entries = [fields(one) for one in scene.records]

    assert len(terminal) == len(scene.records)
    assert all(_LINE.fullmatch(one) and one.isprintable() for one in terminal)
    assert all(value.isprintable() for entry in entries for value in entry.values())
    assert all(len(entry["MESSAGE"]) <= 15_000 for entry in entries)
    for name in ("state.json", "status.json"):
        if (scene.folder / name).exists():
            assert (scene.folder / name).read_text("ascii")


def _real_network(wanted: Settings, clock: Clock) -> Mapping[str, Workers]:
    assert isinstance(clock, FakeClock)
    fetcher = Fetcher(lambda request, _: parrot().ask(request))
    return {name: Announced(SourceWorkers(SOURCES[name], fetcher, clock), clock) for name in wanted.sources}
