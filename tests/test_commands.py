"""The table of commands: what each row promises holds."""

import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from price.cli import COMMANDS, Command, main, parser
from tests.process import ROOT

NOW = datetime(2026, 11, 20, 15, 52, 7, tzinfo=UTC)
EACH = pytest.mark.parametrize("command", COMMANDS, ids=[command.name for command in COMMANDS])


@EACH
def test_each_example_of_a_command_is_accepted(command: Command) -> None:
    for example in command.examples.split("\n"):
        words = shlex.split(example.partition(" && ")[0])
        words = words[words.index("price") + 1 :]

        assert words[0] == command.name
        assert callable(parser(words).parse_args(words).run)


@EACH
def test_help_lists_each_command_and_shows_its_examples(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["--help"], [command.name, "--help"]):
        with pytest.raises(SystemExit, match=r"^0$"):
            main(words, {}, NOW)
    shown = capsys.readouterr().out

    assert shown.count(command.does) == 2
    assert all(f"  {example}\n" in shown for example in command.examples.split("\n"))


def test_a_command_that_is_not_there_ends_with_the_list_of_those_that_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["hystory"], {}, NOW)
    shown = capsys.readouterr().err

    assert all(repr(command.name) in shown for command in COMMANDS)


@pytest.mark.parametrize(
    "words",
    [["--nothing"], ["once", "now"], ["repair"], ["web", "--idle", "-1"], ["web", "--idle", "nan"],
     ["follow", "nats", "--again"], ["follow", "nats", "--again", "--since", "then"]],
)  # fmt: skip
def test_a_wrong_command_line_is_told_in_short(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        main(words, {}, NOW)
    shown = capsys.readouterr()

    assert shown.out == ""
    assert "usage: price" in shown.err


@pytest.mark.parametrize(
    ("words", "status", "answer"),
    [
        (["status"], 1, "no recorder runs here"),
        (["metrics"], 0, ""),
        (["web", "--file", "prices.txt"], 1, "PRICE_WEB_LISTEN=192.0.2.1:80"),  # no address of this machine
        (["follow", "nats", "--file", "prices.txt"], 78, "PRICE_FOLLOW_NATS is not set"),
        (["history"], 1, "prices.txt: no such file"),
    ],
    ids=lambda words: words[0] if isinstance(words, list) else "",
)
def test_a_settings_file_that_cannot_be_read_is_named_once_and_the_command_goes_on_without_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], status: int, answer: str
) -> None:
    places = {"RUNTIME_DIRECTORY": str(tmp_path), "LOGS_DIRECTORY": str(tmp_path)}
    environ = {**places, "PRICE_ENV": str(tmp_path), "PRICE_WEB_LISTEN": "192.0.2.1:80"}

    assert main(words, environ, NOW) == status

    named, *more = capsys.readouterr().err.splitlines()
    left = "what needs no settings goes on without it"
    assert named == f"price: {tmp_path}: cannot be read: it is a folder, not a file; {left}"
    assert answer in "".join(more)
    assert len(more) == (1 if answer else 0)


@pytest.mark.parametrize(
    ("words", "library", "status"),
    [
        (["metrics"], "prometheus_client", 1),
        (["web"], "waitress", 1),
        (["follow", "postgres"], "psycopg", 78),
        (["follow", "nats"], "nats", 78),
    ],
    ids=lambda words: words[-1] if isinstance(words, list) else "",
)
def test_a_library_that_is_missing_is_named_with_the_line_that_brings_it(
    tmp_path: Path, words: list[str], library: str, status: int
) -> None:
    program = (
        f"import os, sys; sys.modules[{library!r}] = None; from price.cli import main;"
        f" from price.times import EPOCH; sys.exit(main({words}, os.environ, EPOCH))"
    )
    places = {"PRICE_FOLLOW_POSTGRES": "postgresql://localhost/x", "PRICE_FOLLOW_NATS": "nats://localhost"}

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT), **places}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == status
    assert done.stderr.startswith(f"price: {words[0]} needs {library}")
    assert (
        f"which is missing; type: {sys.executable} -m pip install -r {ROOT / f'requirements-{words[0]}.txt'}"
        in done.stderr
    )


def test_a_reading_command_loads_neither_recorder_nor_settings_nor_network() -> None:
    code = (
        "import sys; from price.cli import parser; parser(['history']).parse_args(['history']);"
        "print(*(name for name in sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

    names = set(loaded.split())
    assert "price.report.history" in names
    assert not names & {"price.recorder", "price.settings", "price.transport", "requests", "logging", "shtab"}
