"""Which room may import which: so that knowledge stays where it belongs."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from price.cli import COMMANDS, Command

PRICE = Path(__file__).parent.parent / "price"
GROUND = {"price", "model", "times", "errors", "text", "smallfile"}
RULES = {
    # the ground floor
    "price": set[str](),
    "model": set[str](),
    "errors": set[str](),
    "times": {"errors"},
    "coins": {"model"},
    "safely": {"events", "text"},
    "text": set[str](),
    "counters": set[str](),
    "smallfile": {"host"},
    "wire": {"model"},
    "clock": {"host"},
    "host": {"host"},
    "journal_reader": {"errors"},
    # pure
    "confirm": set[str](),
    "choose": {"confirm", "model"},
    "backoff": {"errors", "wire"},
    "source_state": {"backoff", "counters", "errors", "events", "log", "model", "sources", "times", "wire"},
    "log": {"log", "host", "wire", *GROUND},
    "events": {"log", "text", "model"},
    "clock_witness": {"events", "times", "price"},
    "alerts": {"alerts", "log", "events", "coins", "journal_reader", "host", *GROUND},
    "sources": {"sources", "wire", "coins", "errors", "model", "text", "times"},
    "plan": {"sources", "model", "text"},
    "settings": {
        "settings", "alerts", "choose", "coins", "errors", "host", "log", "text", "smallfile", "plan",
        "model", "sources",
    },
    "fetchers": {"errors", "model", "settings", "sources", "transport", "wire"},
    # rooms with one window each
    "transport": {"transport", "errors", "model", "wire", "price"},
    "handlers": {"handlers", "events", "log", *GROUND},
    "sinks": {
        "sinks", "alerts", "clock", "clock_witness", "confirm", "source_state", "counters", "events", "log",
        "settings", "wire", "safely", "host", *GROUND,
    },
    # the wings
    "recorder": {
        "recorder", "alerts", "backoff", "clock", "clock_witness", "source_state", "handlers", "sinks",
        "sources", "fetchers", "settings", "plan", "choose", "confirm", "events", "wire", "log", "safely",
        "host", *GROUND,
    },
    "report": {"report", "alerts", "optional", "log", "host", *GROUND},
    # between them: asks and reads, and writes repairs.txt
    "backfill": {
        "backfill", "backoff", "clock", "report", "log", "sources", "fetchers", "settings", "plan", "choose",
        "events", "wire", "host", "journal_reader", "progress", *GROUND,
    },
    "web": {"web", "report", "log", "settings", "safely", "host", *GROUND},
    "service": {
        "service", "__main__", "clock", "recorder", "handlers", "events", "settings", "optional",
        *GROUND,
    },
    "progress": {"times"},
    "follow": {
        "follow", "progress", "clock", "events", "handlers", "log", "optional", "settings", "host", *GROUND,
    },
    "metrics": {"recorder", "counters", "errors", "times"},
    "optional": {"errors"},
    "__main__": {"cli"},
    "supervise": {
        "supervise", "service", "clock", "handlers", "sinks", "recorder", "settings", "events", "log",
        "safely", "host", *GROUND,
    },
    "commands": {
        "alerts", "clock", "supervise", "recorder", "metrics", "optional", "report", "backfill", "web",
        "host", "follow", "settings", "text", "price",
    },
    "cli": {"commands", "follow", "service", "report", "host", "settings", "errors", "text", "price"},
}  # fmt: skip
_OURS_ALONE = {"requests", "urllib3", "dotenv"}  # transport's and settings'
_OF_THE_SYSTEM = {"socket", "cysystemd", "fcntl", "signal"}
_IMPURE = {"logging", "os", "time", "socket", "pathlib"}
ALSO = {
    "handlers": _OURS_ALONE,
    "sinks": _OURS_ALONE,
    "log": _OURS_ALONE | {"logging", "time", "socket"},
    "report": _OURS_ALONE | {"logging"},
    "sources": _OURS_ALONE | _IMPURE | {"threading"},
    "recorder": _OURS_ALONE | _OF_THE_SYSTEM,
    "backfill": _OURS_ALONE | {"socket", "logging", "time", "fcntl", "signal"},
    "supervise": _OURS_ALONE | _OF_THE_SYSTEM | {"time", "ctypes"},
    "alerts": _OURS_ALONE | {"socket", "time"},
    "choose": _IMPURE,
    "confirm": _IMPURE,
    "times": _IMPURE,
}
"""What is not to be imported from elsewhere."""


def imported(path: Path, package: Path) -> Iterator[str]:
    """The modules that a file imports, in functions too, with dots."""
    here = ["price", *path.relative_to(package).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(
                [*here[: len(here) + 1 - node.level], node.module or ""]
                if node.level
                else [node.module or ""]
            )
            yield from (f"{base}.{alias.name}" for alias in node.names)


def room_of(path: Path, package: Path) -> str:
    """The room that a file is in: its folder, or itself."""
    return path.relative_to(package).parts[0].removesuffix(".py").replace("__init__", "price")


def breaches(package: Path) -> list[str]:
    """Imports that the rules do not allow."""
    rooms = {room_of(path, package) for path in package.rglob("*.py")}
    return [
        f"{path.relative_to(package)} imports {name}"
        for path in sorted(package.rglob("*.py"))
        for name in imported(path, package)
        if not allowed(path, name, rooms, package)
    ]


def allowed(path: Path, name: str, rooms: set[str], package: Path) -> bool:
    """Whether a file may import a module."""
    room = room_of(path, package)
    first, *rest = name.split(".")
    if first != "price":
        return first not in ALSO.get(room, set())
    target = rest[0] if rest and rest[0] in rooms else "price"
    return target in RULES[room] or target == room


def circles(package: Path) -> list[str]:
    """Files that import each other, however many are in between; one text for each way round."""
    files = {
        ".".join(("price", *path.relative_to(package).with_suffix("").parts)): path
        for path in package.rglob("*.py")
    }
    names = {name.removesuffix(".__init__"): path for name, path in files.items()}
    ways = {
        path: sorted(
            {
                target
                for name in imported(path, package)
                if (target := file_of(name, names)) not in (None, path)
            }
        )
        for path in files.values()
    }
    found: list[str] = []
    done: set[Path] = set()

    def walk(path: Path, trail: tuple[Path, ...]) -> None:
        if path in trail:
            turn = (*trail[trail.index(path) :], path)
            found.append(" -> ".join(str(one.relative_to(package)) for one in turn))
        elif path not in done:
            for target in ways[path]:
                walk(target, (*trail, path))
            done.add(path)

    for path in sorted(files.values()):
        walk(path, ())
    return found


def file_of(name: str, names: Mapping[str, Path]) -> Path | None:
    """The file that an imported name is in; None where it is not of this program."""
    while name and name not in names:
        name = name.rpartition(".")[0]
    return names.get(name)


def test_no_file_imports_itself_by_way_of_others() -> None:
    assert circles(PRICE) == []


@pytest.mark.parametrize(
    ("texts", "circle"),
    [
        ({"a.py": "from price import b", "b.py": "import price.a"}, "a.py -> b.py -> a.py"),
        (
            {
                "report/a.py": "from price.report.b import x",
                "report/b.py": "def f():\n    from price.report import a",
            },
            "report/a.py -> report/b.py -> report/a.py",
        ),
        (
            {"log/__init__.py": "from price.log.a import x", "log/a.py": "from price.log import y"},
            "log/__init__.py -> log/a.py -> log/__init__.py",
        ),
        (
            {"a.py": "from .b import x", "b.py": "from price.c import y", "c.py": "from price.a import z"},
            "a.py -> b.py -> c.py -> a.py",
        ),
    ],
)
def test_a_circle_is_seen(tmp_path: Path, texts: dict[str, str], circle: str) -> None:
    (tmp_path / "__init__.py").touch()
    for file, text in texts.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)

    assert circles(tmp_path) == [circle]


def test_every_room_has_its_rule_and_every_rule_its_room() -> None:
    rooms = {room_of(path, PRICE) for path in PRICE.rglob("*.py")}

    assert rooms == set(RULES)


def test_no_room_imports_what_it_must_not() -> None:
    assert breaches(PRICE) == []


@pytest.mark.parametrize("command", COMMANDS, ids=[command.name for command in COMMANDS])
def test_the_table_of_commands_names_modules_of_rooms_that_it_may_import(command: Command) -> None:
    assert not command.place or command.place.split(":")[0].split(".")[1] in RULES["cli"]


@pytest.mark.parametrize(
    ("file", "text", "breach"),
    [
        ("handlers/a.py", "from price.sources import SOURCES", "price.sources.SOURCES"),
        ("handlers/a.py", "from price.recorder.loop import Loop", "price.recorder.loop.Loop"),
        ("recorder/a.py", "def f():\n    from price.report import gaps", "price.report.gaps"),
        ("recorder/a.py", "import price.report.gaps", "price.report.gaps"),
        ("recorder/a.py", "import requests.sessions", "requests.sessions"),
        ("recorder/a.py", "from price.backfill import missing", "price.backfill.missing"),
        ("report/a.py", "from price import settings", "price.settings"),
        ("report/a.py", "from price.recorder import app", "price.recorder.app"),
        ("report/a.py", "from ..recorder import app", "price.recorder.app"),
        ("report/a.py", "from price.backfill import missing", "price.backfill.missing"),
        ("log/a.py", "from price.report import gaps", "price.report.gaps"),
        ("log/a.py", "import logging", "logging"),
        ("sources/a.py", "import logging", "logging"),
        ("sources/a.py", "import os.path", "os.path"),
        ("sources/a.py", "from price.transport import Transport", "price.transport.Transport"),
        ("sources/a.py", "from price.handlers import journal", "price.handlers.journal"),
        ("choose.py", "from price import events", "price.events"),
        ("choose.py", "from price import clock", "price.clock"),
        ("model.py", "from price.log import row", "price.log.row"),
        ("transport/a.py", "from price.clock import Clock", "price.clock.Clock"),
        ("settings/a.py", "from price.transport import trust", "price.transport.trust"),
    ],
)  # fmt: skip
def test_a_breach_is_seen(tmp_path: Path, file: str, text: str, breach: str) -> None:
    for room in RULES:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    path = tmp_path / file
    path.write_text(text)

    assert breaches(tmp_path) == [f"{file} imports {breach}"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            "recorder/a.py",
            "from price.handlers.journal import Journal\nimport logging\nfrom price import __version__",
        ),
        ("report/a.py", "from price.log.read import x\nfrom price import times\nimport os"),
        (
            "sources/a.py",
            "from price.sources.base import Source\nfrom price.model import Request\nimport json",
        ),
        ("handlers/a.py", "from price.log.append import AppendFile\nfrom price.events import log_event"),
    ],
)
def test_what_is_allowed_is_no_breach(tmp_path: Path, file: str, text: str) -> None:
    for room in RULES:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    (tmp_path / file).write_text(text)

    assert breaches(tmp_path) == []
