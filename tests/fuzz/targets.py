"""What must hold for any bytes from outside: a target takes bytes, and raises where it does not."""

import io
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from price import settings, times
from price.cli import main
from price.errors import PriceError, SettingsError, SourceError
from price.handlers.console import Console
from price.handlers.fields import fields
from price.log import row
from price.log.row import header_line, plain, read_header, write
from price.model import Answer, Request
from price.sources import SOURCES
from price.sources.strictjson import MAX_PRICE, read_json, read_price, shown
from price.transport import MAX_BODY_BYTES, Transport
from price.transport.answers import decoded
from price.transport.urls import redirected
from price.wire import retry_after_seconds
from tests.exchange.parrot import GOOD, certificates, parrot
from tests.fakes import START
from tests.proof import proven
from tests.scene import Scene
from tests.sources.answers import HERE, answers_of
from tests.sources.survival import is_fit_to_show, survives

SAVED = Path(__file__).parents[1] / "upgrade"
_MOST_BEFORE = 4096
"""Bytes before an answer that come with it in one piece."""
_BRIEF_SECONDS = 0.1
"""For answers that may never be whole."""
MOST_SHOWN = 20_000
"""Characters of a line that the program says."""
_STATUSES = (200, 200, 200, 204, 301, 400, 401, 404, 418, 429, 451, 500, 503)
_NAMES = (*settings.NAMES[:-1], *settings.NETWORK_NAMES, *settings.TRUST_NAMES, "LOGS_DIRECTORY", "PRICE_ODD")
_COMMANDS = (
    ("history",),
    ("history", "--format", "csv"),
    ("history", "--format", "json", "--last", "2"),
    ("history", "--since", "2026-11-20", "--until", "2026-11-21", "--pair", "BTC-USD"),
    ("candles",),
    ("candles", "--every", "1h", "--last", "3"),
    ("gaps",),
    ("gaps", "--since", "2026-11-20T15:52:10Z", "--format", "json"),
    ("verify",),
    ("verify", "--format", "csv"),
)
_ROW = "2026-11-20T15:52:05Z BTC-USD 97123.45 coinbase,kraken"
_MISSED = "2026-11-20T15:52:10Z BTC-USD - coinbase:timeout,kraken:rate-limited slots=3"
_LOG = f"# price-log 1 every=5s\n{_ROW}\n{_MISSED}\n2026-11-20T15:52:25Z BTC-USD 1 kraken\n"


def adapters(data: bytes) -> None:
    """An answer of an exchange: the first two bytes choose which and its status."""
    which, status = (*data[:2], 0, 0)[:2]
    names = list(SOURCES)
    survives(names[which % len(names)], Answer(_STATUSES[status % len(_STATUSES)], {}, data[2:]))


def wire(data: bytes) -> None:
    """A body: strict JSON, and what of it may be a price."""
    try:
        value = read_json(data)
    except SourceError as error:
        is_fit_to_show(error)
        return
    for one in _within(value):
        assert shown(one).isprintable()
        with suppress(ValueError):
            price = read_price(one)
            assert 0 < price < MAX_PRICE
            assert read_price(plain(price)) == price


def headers(data: bytes) -> None:
    """A Retry-After, a redirect's target, and a compressed body behind the name of its encoding."""
    text = data.decode("latin-1")
    seconds = retry_after_seconds(text, START)
    assert seconds is None or seconds >= 0
    for old in ("http://exchange.test:8080/a", "https://[::1]/a"):
        with _said(SourceError):
            new = redirected(old, text)
            assert new.split("/")[2].split(":")[0] == old.split("/")[2].split(":")[0]
    for encoding in ("gzip", "deflate", text[:20]):
        with _said(SourceError):
            assert len(decoded(data, encoding)) <= MAX_BODY_BYTES


def http(data: bytes) -> None:
    """All that a server says after a request, to the last byte."""
    server = parrot()
    server.says(data)
    with _said(SourceError):
        answer = server.ask(Request("/x", ()))
        assert len(answer.body) <= MAX_BODY_BYTES
        survives("kraken", answer)


def interim(data: bytes) -> None:
    """What comes before an answer, on a connection that is kept: it changes no later answer."""
    server = parrot()
    client = server.client()
    server.says(data[:_MOST_BEFORE] + GOOD, close=False)
    with _said(SourceError):
        assert len(server.ask(Request("/x", ()), client, _BRIEF_SECONDS).body) <= MAX_BODY_BYTES
    server.says(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext", close=False)
    assert server.ask(Request("/y", ()), client).body == b"next"
    client.hang_up()


def rows(data: bytes) -> None:
    """A line of a log: alone, and among others, it is the same row or none."""
    text = data.decode("latin-1")
    quote = None
    with _said(ValueError):
        quote = row.quote_of(row.read(text))
    found = row.find(f"{text}\n")
    if quote is not None:
        again = write(quote)
        assert row.quote_of(row.read(again)) == quote
        assert again.isascii()
        assert again.isprintable()
        assert [row.text(one) for one in found] == [text]
        assert times.slot_unix(found[0][0]) == times.unix(quote.slot)
        assert row.slots(found[0]) == quote.slots
    else:
        assert text not in map(row.text, found)
    header = read_header(text)
    assert header is None or text.startswith(header_line(header.every))
    with suppress(PriceError):
        times.slot_unix(text[: row.SLOT_LENGTH])


def files(data: bytes) -> None:
    """A log, and after a byte of 255 the name of a rotated file and, after another one, its content."""
    log, name, content = [*data.split(b"\xff", 2), b"", b""][:3]
    with TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "read.txt").write_bytes(log)
        with suppress(OSError, ValueError):
            (folder / ("read.txt" + name.decode("latin-1").replace("/", ""))).write_bytes(content)
        for command in _COMMANDS:
            _answers((*command, "--file", str(folder / "read.txt")), {})


def moments(data: bytes) -> None:
    """A time or a length that somebody typed, or an exchange sent."""
    text = data.decode("utf-8", "surrogatepass") if _is_text(data) else data.decode("latin-1")
    readers: tuple[Callable[[str], object], ...] = (
        times.parse_iso,
        times.parse_length,
        lambda typed: times.parse_when(typed, START),
    )
    for read in readers:
        with _said(ValueError):
            found = read(text)
            assert isinstance(found, int) or (isinstance(found, datetime) and found.tzinfo is UTC)


def environment(data: bytes) -> None:
    """The environment, as NAME=value with the name chosen by a byte; then, after a byte of 255, the file."""
    head, _, text = data.partition(b"\xff")
    environ: dict[str, str] = {}
    for part in head.split(b"\xfe"):
        value = part[1:].decode("utf-8", "surrogateescape")
        environ[_NAMES[part[0] % len(_NAMES)] if part else "PRICE_NOTHING"] = value.replace("\0", "")
    file = _folder() / "env"
    file.write_bytes(text)
    environ["PRICE_ENV"] = str(file)
    faults: list[str] = []
    try:
        found = settings.load(environ)
    except SettingsError as error:
        faults = error.faults
    for fault in faults:
        _is_one_line(fault)
    if faults:
        return
    for path in (found.file, found.state, found.status):
        path.exists()  # a name that no system takes would be a ValueError later on
    for name, url in found.urls.items():
        Transport(url, SOURCES[name].headers(found.coingecko_key, url), certificates(), found.network, _zero)


def start(data: bytes) -> None:
    """A log as the recorder finds it: it goes on behind it, or says in one line why not."""
    _records({"prices.txt": data})


def state(data: bytes) -> None:
    """The file of what must survive a restart."""
    _records({"state.json": data})


def show_status(data: bytes) -> None:
    """A status file that somebody wrote."""
    file = _folder() / "status.json"
    file.write_bytes(data)
    for more in ((), ("--json",)):
        _answers(("status", *more), {"PRICE_STATUS": str(file)})


def reader(data: bytes) -> None:
    """A log and, after a byte of 255, its repairs, for each of the commands that read."""
    log, _, repairs = data.partition(b"\xff")
    folder = _folder()
    (folder / "read.txt").write_bytes(log)
    (folder / "repairs.txt").write_bytes(repairs)
    for command in _COMMANDS:
        _answers((*command, "--file", str(folder / "read.txt")), {})


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each
    for each in (
        adapters,
        wire,
        headers,
        http,
        interim,
        rows,
        moments,
        environment,
        start,
        state,
        show_status,
        reader,
        files,
    )
}


def seeds(name: str) -> list[bytes]:
    """Inputs to begin with."""
    if name == "adapters":
        return [
            bytes([number, 0]) + file.read_bytes()
            for number, source in enumerate(SOURCES)
            for file in answers_of(source)
        ]
    if name == "wire":
        return [file.read_bytes() for file in sorted(HERE.glob("*/price.json"))]
    if name in ("state", "show_status"):
        return [file.read_bytes() for file in sorted(SAVED.glob(f"*/{name.removeprefix('show_')}.json"))]
    return [text.encode("latin-1") for text in _SEEDS[name]]


_SEEDS = {
    "headers": (
        "120",
        "Fri, 20 Nov 2026 15:54:05 GMT",
        "Friday, 20-Nov-26 15:54:05 -0800",
        "/b?x=\x1b[31m",
        "http://exchange.test:8080/b",
        "https://exchange.test/\r\nX: y",
        "//evil.test/",
    ),
    "http": (
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 \x1b[31mOK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "HTTP/1.0 302 Found\r\nLocation: /y\x1b\r\n\r\n",
        "HTTP/1.1 503 Away\r\nRetry-After: 30\r\nContent-Encoding: gzip\r\n\r\nx",
    ),
    "interim": (
        "",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 102 \r\n\r\n" * 21,
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 204 None\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
        "\r\n",
    ),
    "rows": (        *(_ROW, _MISSED, f"{_ROW} by=journal", "# price-log 1 every=5s"),
        "2026-99-99T00:00:00Z BTC-USD 1 a",
    ),
    "moments": (
        *("2026-11-20T15:52:05.123Z", "2026-11-20", "90s", "2h ago", "yesterday"),
        "0001-01-01T00:00:00.000000+23:59",
    ),
    "environment": (
        "\0BTC-USD,eth/usd\xfe\1kraken,okx\xff",
        "\xffPRICE_PAIRS=bitcoin\nexport PRICE_INTERVAL='10'\nPRICE_FILE=\"a\nb\"\nNO_PROXY=1.2.3.4/8\n",
        "\x0dhttp://127.0.0.1:8080\xff PRICE_OKX_URL=https://[::1]/x\nno_proxy=10.0.0.0/8,localhost\n",
    ),
    "start": (
        _LOG,
        _LOG.replace("T15:", "T14:"),
        _LOG.replace("T15:", "T14:") + "2026-11-20T15:5",
        _LOG.replace("T15:", "T14:") + "\x1b[31m\n\0\0",
        "# price-log 1 every=5s\n0001-01-01T00:00:00Z BTC-USD 1 kraken\n",
        "# price-log 1 every=3600s\n9999-12-31T23:00:00Z BTC-USD - down slots=9999999999\n",
    ),
    "files": (
        _LOG + "\xff.1\xff" + _LOG,
        _LOG + "\xff-20261120.gz\xff\x1f\x8b\x08\0\0\0\0\0\0\x03",
        _LOG + "\xff.2\xffBZh9" + "\0" * 20,
        _LOG + "\xff.20261120.xz\xff\xfd7zXZ\0\0\x04",
        _LOG + "\xff_2026-11-20.zst\xff\x28\xb5\x2f\xfd",
    ),
    "reader": (
        f"{_LOG}\xff",
        f"{_LOG}\xff# price-log 1 every=5s\n2026-11-20T15:52:15Z BTC-USD 5 kraken by=candle\n",
        "# price-log 1 every=5s\n2026-11-20T15:52:05Z \x1b[31m-USD 1 a\n",
    ),
}  # fmt: skip


def _records(files: Mapping[str, bytes]) -> None:
    """Runs a recorder for two slots in a folder that holds some files."""
    with TemporaryDirectory(dir=_folder()) as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        scene, terminal, refused = Scene(folder), io.StringIO(), True
        with redirect_stderr(terminal), _said(PriceError):
            scene.run(11)
            refused = False
        for one in terminal.getvalue().split("\n"):
            _is_one_line(one)
        for record in scene.records:
            _is_clean(record)
        if not refused:
            _goes_on(files.get("prices.txt", b""), scene.file.read_bytes())


def _goes_on(before: bytes, after: bytes) -> None:
    """What is new in a log begins a line, and is nothing but headers and rows."""
    both = enumerate(zip(before, after, strict=False))
    alike = next((at for at, (one, other) in both if one != other), min(len(before), len(after)))
    *new, rest = after[after.rfind(b"\n", 0, alike) + 1 :].decode("ascii").split("\n")
    assert rest == ""
    for text in new:
        assert read_header(text) or row.quote_of(row.read(text))
    if not before:
        assert len(proven(after.decode("ascii"))) == 2


def _is_clean(record: logging.LogRecord) -> None:
    """A record is one line for the terminal and for the journal."""
    _is_one_line(Console().format(record))
    _is_one_line(fields(record)["MESSAGE"])


def _is_one_line(text: str) -> None:
    assert text.isprintable(), ascii(text)[:1000]
    assert len(text) < MOST_SHOWN


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except ValueError:
        return False
    return True


def _answers(arguments: tuple[str, ...], environ: Mapping[str, str]) -> None:
    """A command ends with an answer or a no, and what it prints does nothing to a terminal."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(arguments, environ, START)
    assert status in (0, 1), status
    for text in (*out.getvalue().split("\n"), *err.getvalue().split("\n")):
        assert text.isprintable(), ascii(text)[:1000]
    assert len(err.getvalue()) < MOST_SHOWN


def _within(value: Any) -> Iterator[Any]:
    """A JSON value and all that is in it."""
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _within(inner)


@contextmanager
def _said(kind: type[Exception]) -> Iterator[None]:
    """Whatever is raised is of a kind, and fit to show."""
    try:
        yield
    except kind as error:
        is_fit_to_show(error)


def _zero() -> float:
    return 0.0


@cache
def _kept() -> "TemporaryDirectory[str]":
    memory = Path("/dev/shm")
    return TemporaryDirectory(prefix="price-fuzz-", dir=memory if memory.is_dir() else None)


def _folder() -> Path:
    """A folder for the files of all runs, in memory where there is such a place."""
    return Path(_kept().name)
