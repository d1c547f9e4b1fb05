"""What differs from system to system: each loads its own half, and both halves have the same names."""

import ast
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from price.host import posix

HOST = Path(__file__).parents[1] / "price" / "host"
WINDOWS = {"msvcrt", "winreg", "_winapi", "nt", "win32service", "servicemanager", "price.host.windows"}
UNIX = {"fcntl", "grp", "pwd", "posix", "resource", "price.host.posix", "price.host.owner"}


def offered(module: str) -> dict[str, list[str] | None]:
    """What a module has for others: functions with the names of what they take, and values."""
    found: dict[str, list[str] | None] = {}
    for node in ast.parse((HOST / f"{module}.py").read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = [each.arg for each in node.args.args]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = (one for target in targets for one in ast.walk(target) if isinstance(one, ast.Name))
            found |= {name.id: None for name in names}
    return {name: takes for name, takes in found.items() if not name.startswith("_")}


def test_both_systems_have_the_same_names_and_functions_that_take_the_same() -> None:
    posix, windows = offered("posix"), offered("windows")
    functions = [name for name in posix if posix[name] and windows.get(name)]

    assert posix.keys() == windows.keys()
    assert "replace" in functions
    assert [(name, posix[name]) for name in functions] == [(name, windows[name]) for name in functions]


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


LOCKING = """
import fcntl, sys
files = [open(f"{sys.argv[1]}/{number}", "w") for number in range(100)]
print("locking", flush=True)
while True:
    for way in (fcntl.LOCK_EX, fcntl.LOCK_UN):
        for file in files:
            fcntl.flock(file, way)
"""


def test_who_has_a_file_locked_is_found_while_others_lock_and_unlock(tmp_path: Path) -> None:
    with (tmp_path / "held").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        inode = os.fstat(held.fileno()).st_ino
        with subprocess.Popen(
            [sys.executable, "-c", LOCKING, str(tmp_path)], stdout=subprocess.PIPE
        ) as others:
            assert others.stdout is not None
            assert others.stdout.readline() == b"locking\n"
            found = {frozenset(posix._lockers(inode)) for _ in range(500)}
            others.kill()

    assert found == {frozenset([os.getpid()])}
