"""The installed program: it runs, or says to install again where its Python has gone or is another."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
AGAIN = "install again: sudo make install\n"


class Installed:
    """The command, and main.py without the package, in a folder that stands for /opt/price."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.command = folder / "price"
        self.command.write_text(
            (ROOT / "deploy/price.command").read_text().replace("/opt/price", str(folder))
        )
        shutil.copy(ROOT / "main.py", folder)
        self.python = folder / "venv/bin/python"
        self.python.parent.mkdir(parents=True)

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Types the command, without root's change of user."""
        environ = {"PATH": "/usr/bin:/bin", "LOGS_DIRECTORY": str(self.folder)}
        return subprocess.run(
            ["sh", self.command, *words], env=environ, capture_output=True, text=True, check=False
        )


def test_the_command_runs_the_program_with_its_python(tmp_path: Path) -> None:
    installed = Installed(tmp_path)
    installed.python.write_text('#!/bin/sh\necho "$@"\n')
    installed.python.chmod(0o755)

    done = installed.run("history", "--last", "1")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("/main.py history --last 1\n")


def test_a_python_that_finds_no_package_says_once_to_install_again_and_the_service_stays_down(
    tmp_path: Path,
) -> None:
    installed = Installed(tmp_path)
    # as after an upgrade of the distribution: the link stays, and leads to another Python
    installed.python.symlink_to(getattr(sys, "_base_executable"))  # noqa: B009 - mypy knows no such name

    done = installed.run("run")

    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.startswith("price: it was installed for another Python than this 3.")
    assert done.stderr.endswith(AGAIN)
    assert done.stderr.count("\n") == 1
    unit = (ROOT / "deploy/price.service").read_text()
    assert "RestartPreventExitStatus=78\n" in unit


def test_another_package_that_is_missing_is_not_taken_for_that(tmp_path: Path) -> None:
    installed = Installed(tmp_path)
    installed.python.symlink_to(getattr(sys, "_base_executable"))  # noqa: B009 - mypy knows no such name
    (tmp_path / "price").unlink()
    (tmp_path / "price").mkdir()
    (tmp_path / "price/__init__.py").touch()
    (tmp_path / "price/__main__.py").write_text("import nowhere\n")

    done = subprocess.run(
        [installed.python, tmp_path / "main.py"], capture_output=True, text=True, check=False
    )

    assert "No module named 'nowhere'" in done.stderr
    assert AGAIN not in done.stderr


def test_the_command_says_so_too_where_its_python_was_removed(tmp_path: Path) -> None:
    installed = Installed(tmp_path)
    installed.python.symlink_to(tmp_path / "gone")

    done = installed.run("status")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith(AGAIN)
