"""CoinGecko's key and a proxy's password, looked for in all that the program says and writes."""

import logging
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from price.handlers.fields import fields
from price.model import Pair
from tests.exchange import Fault, Market
from tests.exchange.venues.base import Venue
from tests.exchange.wire import Ask, Reply
from tests.faults.place import BEGIN
from tests.faults.stepped import stepped
from tests.listening import listening
from tests.process import Program, ended, until

KEY = "CG-Z8hQn4tV2"
PASSWORD = "hunter2secret"
TELLING = (KEY[:6], PASSWORD[:6])
BAD = f"""
PRICE_COINGECKO_URL=https://me:{PASSWORD}@mirror.example?key={KEY}
PRICE_COINGECKO_KEY={KEY} {KEY}
{KEY}
"""


def _echo(_venue: Venue, ask: Ask, _reply: Reply) -> Reply:
    """What a helpful proxy answers: all that it was sent."""
    said = "\r\n".join(f"{name}: {value}" for name, value in sorted(ask.headers.items(), reverse=True))
    return Reply(401, (("Content-Type", "text/plain"),), said.encode())


@pytest.fixture
def gecko() -> Iterator[Market]:
    with Market(["coingecko"], pairs=[Pair("BTC", "USD")]) as market:
        yield market


def _in_environment(folder: Path) -> Mapping[str, str]:
    return {"PRICE_COINGECKO_KEY": KEY}


def _in_file(folder: Path) -> Mapping[str, str]:
    (folder / ".env").write_text(f"PRICE_COINGECKO_KEY={KEY}\n")
    return {}


def _as_credential(folder: Path) -> Mapping[str, str]:
    (folder / "credentials").mkdir()
    (folder / "credentials" / "coingecko_key").write_text(f"{KEY}\n")
    return {"CREDENTIALS_DIRECTORY": str(folder / "credentials")}


Give = Callable[[Path], Mapping[str, str]]
WAYS: list[Give] = [_in_environment, _in_file, _as_credential]


def _tells(*texts: str) -> list[str]:
    """Those texts that hold a secret, or its beginning."""
    return [text for text in texts if any(one in text for one in TELLING)]


def _written(folder: Path) -> list[str]:
    """The program's own files and their names."""
    return [
        f"{path}\n{path.read_text()}"
        for path in folder.iterdir()
        if path.suffix in (".json", ".txt", ".lock")
    ]


@pytest.mark.parametrize("give", WAYS)
def test_the_key_is_sent_as_a_header_and_told_to_nobody(give: Give, gecko: Market, tmp_path: Path) -> None:
    program = Program(tmp_path, {**gecko.environment, **give(tmp_path)}, LOG_LEVEL="DEBUG")
    well = program.do("check")
    gecko["coingecko"].fault = Fault("echo", answer=_echo)
    refused = program.do("check")

    assert (well.returncode, refused.returncode) == (0, 1)
    assert "***" in refused.stdout
    assert _tells(well.stdout, well.stderr, refused.stdout, refused.stderr) == []
    assert [seen.headers["x-cg-demo-api-key"] for seen in gecko["coingecko"].requests] == [KEY] * 2
    assert _tells(*(seen.path for seen in gecko["coingecko"].requests)) == []


def test_a_recorder_keeps_secrets_through_reloads_refusals_and_a_crash(gecko: Market, tmp_path: Path) -> None:
    proxy = f"http://me:{PASSWORD}@127.0.0.1:99999"
    program = Program(
        tmp_path,
        {**gecko.environment, "PRICE_ENV": str(tmp_path / ".env"), "PYTHONFAULTHANDLER": "1"},
        LOG_LEVEL="DEBUG",
    )
    _in_file(tmp_path)
    gecko["coingecko"].fault = Fault("echo", answer=_echo)
    with program.started("run") as process:
        program.wait_for_words("coingecko lost: refused")
        for text, words in (
            (BAD, "refused, the old ones stay"),
            (f"PRICE_COINGECKO_KEY={KEY}\nHTTP_PROXY={proxy}\n", "settings read again"),
        ):
            (tmp_path / ".env").write_text(text)
            process.send_signal(signal.SIGHUP)
            program.wait_for_words(words)
        program.wait_for_rows(1)
        shown = [program.do("status", *options).stdout for options in ([], ["--json"])]
        wrong = program.do("check")
        assert ended(process, signal.SIGABRT)[0] == -signal.SIGABRT

    assert "***" in program.said
    assert "Fatal Python error: Aborted" in program.said
    assert "the proxy cannot be used" in wrong.stdout
    assert len(_written(tmp_path)) == 4
    assert _tells(program.said, *shown, wrong.stdout, wrong.stderr, *_written(tmp_path)) == []


def test_no_field_of_a_journal_entry_holds_the_key(gecko: Market, tmp_path: Path) -> None:
    gecko["coingecko"].fault = Fault("echo", answer=_echo)
    files = {f"PRICE_{name}": str(tmp_path / name) for name in ("FILE", "STATE", "STATUS")}
    ours = {"PRICE_ENV": os.devnull, "PRICE_COINGECKO_KEY": KEY, "PRICE_INTERVAL": "10"}
    environ = {**ours, **files, **gecko.environment}
    records: list[logging.LogRecord] = []
    with listening(records):
        assert stepped(environ, BEGIN, ["slot", "reload", "slot", "stop"]).run() == 0

    entries = [str(fields(record)) for record in records]
    assert any("coingecko lost: refused" in one and "***" in one for one in entries)
    assert _tells(*entries) == []


def test_the_state_is_its_owners_alone_and_the_status_is_for_everyone(gecko: Market, tmp_path: Path) -> None:
    program = Program(tmp_path, gecko.environment)
    program.before = ["sh", "-c", 'umask 0; exec "$@"', "sh"]
    for name in (".state.json.new", ".status.json.new"):
        (tmp_path / name).touch(0o666)
    gecko["coingecko"].fault = Fault("echo", answer=_echo)
    with program.started("run") as process:
        modes = until(lambda: _modes(tmp_path, "state.json", "status.json"))
        assert ended(process, signal.SIGTERM)[0] == 0

    assert modes == [0o600, 0o644]


def _modes(folder: Path, *names: str) -> list[int]:
    """The permissions of files, once they all are there."""
    paths = [folder / name for name in names]
    return [path.stat().st_mode & 0o777 for path in paths] if all(map(Path.exists, paths)) else []
