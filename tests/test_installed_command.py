"""The installed command: it runs the program, or says to install again where its Python has gone."""

import subprocess
from pathlib import Path

import pytest

COMMAND = Path(__file__).parents[1] / "deploy" / "price.command"
AGAIN = "install again: sudo make install"


class Installed:
    """The command with its environment in a folder that stands for /opt/price."""

    def __init__(self, folder: Path, packages_of: str) -> None:
        self.folder = folder
        self.command = folder / "price"
        self.command.write_text(COMMAND.read_text().replace("/opt/price", str(folder)))
        (folder / "venv" / "lib" / packages_of / "site-packages").mkdir(parents=True)
        (folder / "venv" / "bin").mkdir()

    def has_python(self, name: str) -> None:
        """The distribution's Python is this one from now on; it says with what it was called."""
        python = self.folder / name
        python.write_text('#!/bin/sh\necho "$@"\n')
        python.chmod(0o755)
        link = self.folder / "venv" / "bin" / "python"
        link.unlink(missing_ok=True)
        link.symlink_to(python)

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Types the command, without root's change of user."""
        environ = {"PATH": "/usr/bin:/bin", "LOGS_DIRECTORY": str(self.folder)}
        return subprocess.run(
            ["sh", self.command, *words], env=environ, capture_output=True, text=True, check=False
        )


@pytest.mark.parametrize("name", ["python3.11", "python3.13", "python3"])
def test_the_command_runs_the_program_with_its_python(tmp_path: Path, name: str) -> None:
    installed = Installed(tmp_path, "python3.11" if name == "python3" else name)
    installed.has_python(name)

    done = installed.run("history", "--last", "1")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("/main.py history --last 1\n")


def test_after_an_upgrade_to_another_python_it_says_to_install_again(tmp_path: Path) -> None:
    installed = Installed(tmp_path, "python3.11")
    installed.has_python("python3.13")

    done = installed.run("status")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "python3.13" in done.stderr
    assert AGAIN in done.stderr


def test_so_it_does_where_its_python_was_removed(tmp_path: Path) -> None:
    installed = Installed(tmp_path, "python3.11")
    installed.has_python("python3.11")
    (tmp_path / "python3.11").unlink()

    done = installed.run("status")

    assert (done.returncode, AGAIN in done.stderr) == (1, True)


def test_so_it_does_where_the_program_itself_has_gone(tmp_path: Path) -> None:
    installed = Installed(tmp_path, "python3.11")

    done = installed.run("status")

    assert (done.returncode, AGAIN in done.stderr) == (1, True)
