"""The form of the documentation: lines that fit, cells that can be read, a map that is true."""

import re
from pathlib import Path

import pytest

from price.cli import COMMANDS

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
MAX_COLUMNS, MAX_CELL = 100, 200


def prose(text: str) -> list[str]:
    """The lines that can be wrapped: no tables, no code, no lone long word."""
    lines = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL).splitlines()
    return [line for line in lines if not line.startswith(("|", "    ")) and " " in line.strip(" -")]


def cells(text: str) -> list[str]:
    """The cells of all tables."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [cell.strip() for row in rows for cell in re.split(r"(?<!\\)\|", row)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_can_be_read_where_it_is_opened(page: Path) -> None:
    text = page.read_text()

    assert not re.search(r"^(<<<<<<<|>>>>>>>) ", text, re.MULTILINE), "a merge was left unfinished"
    assert [line for line in prose(text) if len(line) > MAX_COLUMNS] == []
    assert [cell for cell in cells(text) if len(cell) > MAX_CELL] == []


def test_the_readme_has_a_line_for_every_command() -> None:
    rows = re.findall(r"^\| `([a-z]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert [command.name for command in COMMANDS if command.name not in rows] == []


def test_a_long_line_and_a_long_cell_are_seen() -> None:
    long = "word " * 21

    assert prose(f"{long}\n    {long}\n| {long} |") == [long]
    assert len(max(cells(f"| a | {'x' * 201} |"), key=len)) > MAX_CELL


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


def mapped(text: str) -> dict[str, str]:
    """What the map of CONTRIBUTING.md names, with its line about it: paths from the root of the checkout."""
    lines = text.partition("## Where things live")[2].partition("\n## ")[0].splitlines()
    found, parents = {}, {0: ""}
    for line in lines:
        if match := re.match(r"^    ( *)(\S+)(?: {2,}(.*))?$", line):
            depth, name, about = len(match[1]), match[2], match[3] or ""
            parent = parents[max(level for level in parents if level <= depth)]
            found[parent + name] = about
            parents = {level: path for level, path in parents.items() if level <= depth}
            if name.endswith("/"):
                parents[depth + 1] = parent + name
    return found


def test_the_map_names_every_folder_and_file_of_the_program_and_none_that_is_not_there() -> None:
    named = mapped((ROOT / "CONTRIBUTING.md").read_text())

    missing = [name for name in named if not (ROOT / name).exists()]
    # a folder that holds no more than what Python compiled is one of an older version
    present = [path for path in (ROOT / "price").iterdir() if path.is_file() or any(path.glob("*.py"))]
    rooms = {f"price/{path.name}{'/' * path.is_dir()}" for path in present}
    unnamed = {name for name in rooms if not re.search(r"/(__\w+__.*|.*\.typed)$", name)} - set(named)
    assert (missing, sorted(unnamed)) == ([], [])
    assert [name for name, about in named.items() if not about and not name.endswith("/")] == []


def test_the_way_of_one_price_names_at_most_sixteen_files_and_each_is_there() -> None:
    section = (
        (ROOT / "CONTRIBUTING.md").read_text().partition("## The way of one price")[2].partition("\n## ")[0]
    )

    files = re.findall(r"^    (price/\S+)", section, re.MULTILINE)

    assert 0 < len(files) <= 16
    assert [file for file in files if not (ROOT / file).exists()] == []
