"""What differs from system to system: each loads its own half, and both halves have the same names."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

HOST = Path(__file__).parents[1] / "price" / "host"
WINDOWS = {"msvcrt", "winreg", "_winapi", "nt", "win32service", "servicemanager", "price.host.windows"}
UNIX = {"fcntl", "grp", "pwd", "posix", "resource", "price.host.posix", "price.host.owner"}


def parameters(module: str) -> dict[str, list[str]]:
    """The functions of a module that others may call, each with the names of what it takes."""
    tree = ast.parse((HOST / f"{module}.py").read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {
        one.name: [each.arg for each in one.args.args] for one in functions if not one.name.startswith("_")
    }


def exported(module: str) -> list[str]:
    """What the room takes from a module."""
    tree = ast.parse((HOST / "__init__.py").read_text())
    taken = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return [alias.name for node in taken if node.module == f"price.host.{module}" for alias in node.names]


def test_both_systems_have_the_same_names() -> None:
    assert exported("posix") == exported("windows")


def test_what_is_a_function_on_both_systems_takes_the_same() -> None:
    posix, windows = parameters("posix"), parameters("windows")
    both = posix.keys() & windows.keys()

    assert "replace" in both
    assert {name: posix[name] for name in both} == {name: windows[name] for name in both}


@pytest.mark.parametrize("command", ["history", "run", "repair", "status"])
def test_a_command_loads_nothing_of_windows_here(tmp_path: Path, command: str) -> None:
    code = f"""
import sys
from datetime import UTC, datetime
from price import cli
import price.recorder.app, price.backfill.command
try:
    cli.main(["{command}", "--help"], {{}}, datetime.now(UTC))
except SystemExit:
    print(*sys.modules, sep="\\n")
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=HOST.parents[1], capture_output=True, text=True, check=True
    )
    loaded = set(ran.stdout.splitlines())

    assert "price.host.posix" in loaded
    assert loaded & WINDOWS == set()


def test_no_module_but_those_of_the_host_names_what_one_system_lacks() -> None:
    price = HOST.parent
    outside = [path for path in price.rglob("*.py") if HOST not in path.parents]
    words = {"os.pread", "os.pwrite", "os.fchmod", "os.fchown", "os.geteuid", "os.O_NONBLOCK"}

    found = [(path.name, word) for path in outside for word in words if word in path.read_text()]

    assert found == []
