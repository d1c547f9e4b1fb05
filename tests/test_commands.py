"""The table of commands: what each row promises holds."""

import shlex
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from price.cli import COMMANDS, Command, main, parser

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


@pytest.mark.parametrize("words", [["--nothing"], ["once", "now"], ["repair"]])
def test_a_wrong_command_line_is_told_in_short(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        main(words, {}, NOW)
    shown = capsys.readouterr()

    assert shown.out == ""
    assert "usage: price" in shown.err


def test_a_reading_command_loads_neither_recorder_nor_settings_nor_network() -> None:
    code = (
        "import sys; from price.cli import parser; parser(['history']).parse_args(['history']);"
        "print(*(name for name in sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

    names = set(loaded.split())
    assert "price.report.history" in names
    assert not names & {"price.recorder", "price.settings", "price.transport", "requests", "logging"}
