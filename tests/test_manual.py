"""The manual page names what the program has, and troff has nothing against it."""

import argparse
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from price.cli import COMMANDS, parser
from price.settings import NAMES
from tests.needs import needs

PAGE = Path(__file__).parents[1] / "deploy" / "price.1"
SECTIONS = (
    "NAME",
    "SYNOPSIS",
    "COMMANDS",
    "SETTINGS",
    "FILES",
    "SIGNALS",
    "EXIT STATUS",
    "EXAMPLES",
    "SEE ALSO",
)


def plain(text: str) -> str:
    """The page without fonts and escapes."""
    return re.sub(r'\\f.|^\.[A-Z]+ |"', "", text.replace("\\-", "-"), flags=re.MULTILINE)


def words_of(page: str) -> set[str]:
    """Its words, with options as they are typed."""
    return set(re.findall(r"--[a-z-]+|[A-Za-z_]+", page))


def promised() -> Iterator[str]:
    """Each command and option of the parser, and each setting."""
    yield from (command.name for command in COMMANDS)
    yield from NAMES
    for command in subcommands(parser([], every_option=True)).values():
        yield from (name for action in command._actions for name in action.option_strings if name != "-h")


def subcommands(whole: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parser of each command."""
    (table,) = (action for action in whole._actions if isinstance(action, argparse._SubParsersAction))
    return dict(table.choices)


def test_the_manual_page_names_every_command_option_and_setting() -> None:
    page = plain(PAGE.read_text())

    assert {"history", "--file", "--every", "PRICE_PAIRS", "PRICE_ENV"} < set(promised())
    assert sorted(set(promised()) - words_of(page)) == []
    entries = re.findall(
        r'^\.B[RI]? "?([a-z]+)', PAGE.read_text(), re.MULTILINE
    )  # such words stand elsewhere, too
    assert [command.name for command in COMMANDS if command.name not in entries] == []


def test_the_manual_page_names_no_option_or_setting_that_is_not_there() -> None:
    page = plain(PAGE.read_text())
    of_others = {"--now", "--version", "PRICE_PAIR", "PRICE_SLOT", "PRICE_VALUE", "PRICE_QUOTES"}

    named = set(re.findall(r"(?<![\w-])--[a-z-]+|\bPRICE_[A-Z_]+", page))

    assert sorted(named - set(promised()) - of_others) == []


def test_the_manual_page_has_its_sections_in_the_usual_order() -> None:
    headings = re.findall(r"^\.SH (.*)$", PAGE.read_text(), re.MULTILINE)

    assert [heading for heading in headings if heading in SECTIONS] == list(SECTIONS)


def test_each_example_of_the_manual_page_is_accepted() -> None:
    examples = re.findall(
        r"^(?:sudo )?price (.+)$", plain(PAGE.read_text().partition(".SH EXAMPLES")[2]), re.M
    )

    assert len(examples) >= 5
    for example in examples:
        assert callable(parser(example.split()).parse_args(example.split()).run)


def test_man_has_no_warning_about_it() -> None:
    needs("man", "apt install man-db")

    shown = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", str(PAGE)],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANROFFSEQ": ""},
        capture_output=True,
        text=True,
        check=True,
    )

    assert shown.stderr == ""
    assert "EXIT STATUS" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80


@pytest.mark.parametrize("bad", [".BX oops", "\\*[nothing] \\fQfont"])
def test_a_mistake_in_the_page_is_seen(tmp_path: Path, bad: str) -> None:
    needs("man", "apt install man-db")
    (tmp_path / "bad.1").write_text(f'.TH BAD 1 "" ""\n.SH NAME\nbad \\- worse\n{bad}\n')

    shown = subprocess.run(
        ["man", "--warnings", "-l", str(tmp_path / "bad.1")],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert shown.stderr
