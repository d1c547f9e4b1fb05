"""How the program is reached: main.py from anywhere, and the installed command, with its Python or not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from price import __version__

ROOT = Path(__file__).parent.parent
AGAIN = "install again: sudo make install\n"


@pytest.mark.parametrize("words", [[], ["-I"], ["-P"], ["-s", "-E"]], ids=" ".join)
@pytest.mark.parametrize("environ", [{}, {"PYTHONSAFEPATH": "1"}, {"PYTHONPATH": "."}], ids=str)
@pytest.mark.parametrize("linked", [False, True])
def test_main_finds_the_program_from_any_folder(
    tmp_path: Path, words: list[str], environ: dict[str, str], linked: bool
) -> None:
    (tmp_path / "price.py").write_text("raise SystemExit('another program')\n")
    main = ROOT / "main.py"
    if linked:
        (tmp_path / "record.py").symlink_to(main)
        main = tmp_path / "record.py"
    command = [sys.executable, *words, str(main), "--version"]
    usual = {"PATH": os.environ["PATH"], **environ}

    said = subprocess.run(command, cwd=tmp_path, env=usual, check=True, capture_output=True, text=True)

    assert said.stdout == f"price {__version__}\n"


class Installed:
    """The command, and main.py without the package, in a folder that stands for /opt/price and /etc/price."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        text = (ROOT / "deploy/price.command").read_text().replace("/opt/price", str(folder))
        (folder / "price").write_text(text.replace("/etc/price/price.env", str(folder / "price.env")))
        shutil.copy(ROOT / "main.py", folder)
        self.python = folder / "venv/bin/python"
        self.python.parent.mkdir(parents=True)

    def says(self, words: str) -> None:
        """Has its Python be a program that prints something of what it was started with."""
        self.python.write_text(f'#!/bin/sh\necho "{words}"\n')
        self.python.chmod(0o755)

    def leads_to_another_python(self) -> None:
        """As after an upgrade of the distribution, where the link stays."""
        self.python.symlink_to(getattr(sys, "_base_executable"))  # noqa: B009 - mypy knows no such name

    def run(self, *words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        """Types the command, without root's change of user."""
        given = {"PATH": "/usr/bin:/bin", "LOGS_DIRECTORY": str(self.folder), **environ}
        return subprocess.run(
            ["sh", self.folder / "price", *words],
            cwd=self.folder,
            env=given,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    return Installed(tmp_path)


def test_the_command_runs_the_program_with_its_python(installed: Installed) -> None:
    installed.says("$@")

    done = installed.run("history", "--last", "1")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("/main.py history --last 1\n")


@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.parametrize("empty", [True, False])
def test_the_command_never_reads_the_env_of_the_folder_one_stands_in(
    installed: Installed, readable: bool, empty: bool
) -> None:
    (installed.folder / ".env").write_text("PRICE_FILE=/nowhere\n")
    settings = installed.folder / "price.env"
    if readable:
        settings.touch()
    installed.says("$PRICE_ENV")

    named = installed.run("history", **({"PRICE_ENV": ""} if empty else {})).stdout

    assert named == f"{settings if readable else '/dev/null'}\n"
    assert installed.run("history", PRICE_ENV="mine.env").stdout == "mine.env\n"


def test_the_command_hands_the_passwords_to_follow_alone(installed: Installed) -> None:
    installed.says("${CREDENTIALS_DIRECTORY-none}")

    assert installed.run("follow").stdout == "/etc/price\n"
    assert installed.run("follow", CREDENTIALS_DIRECTORY="/run/mine").stdout == "/run/mine\n"
    assert installed.run("history").stdout == "none\n"


def test_a_python_that_finds_no_package_says_once_to_install_again_and_the_service_stays_down(
    installed: Installed,
) -> None:
    installed.leads_to_another_python()

    done = installed.run("run")

    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.startswith("price: it was installed for another Python than this 3.")
    assert done.stderr.endswith(AGAIN)
    assert done.stderr.count("\n") == 1
    unit = (ROOT / "deploy/price.service").read_text()
    assert "RestartPreventExitStatus=78\n" in unit


def test_another_package_that_is_missing_is_not_taken_for_that(installed: Installed) -> None:
    installed.leads_to_another_python()
    package = installed.folder / "price"
    package.unlink()
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("import nowhere\n")

    command = [installed.python, installed.folder / "main.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert "No module named 'nowhere'" in done.stderr
    assert AGAIN not in done.stderr


def test_the_command_says_so_too_where_its_python_was_removed(installed: Installed) -> None:
    installed.python.symlink_to(installed.folder / "gone")

    done = installed.run("status")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith(AGAIN)
