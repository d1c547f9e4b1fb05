"""How the program is reached: main.py from anywhere, and the installed command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from price import __version__

ROOT = Path(__file__).parent.parent
COMMAND = (ROOT / "deploy" / "price.command").read_text()


def said(folder: Path, *command: str, **environ: str) -> str:
    """What a command prints in a folder."""
    usual = {"PATH": os.environ["PATH"], **environ}
    return subprocess.run(command, cwd=folder, env=usual, check=True, capture_output=True, text=True).stdout


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

    assert (
        said(tmp_path, sys.executable, *words, str(main), "--version", **environ) == f"price {__version__}\n"
    )


@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.parametrize("empty", [True, False])
def test_the_installed_command_never_reads_the_env_of_the_folder_one_stands_in(
    tmp_path: Path, readable: bool, empty: bool
) -> None:
    (tmp_path / ".env").write_text("PRICE_FILE=/nowhere\n")
    settings = tmp_path / "price.env"
    if readable:
        settings.touch()
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$PRICE_ENV"\n')
    python.chmod(0o755)
    command = COMMAND.replace("/etc/price/price.env", str(settings)).replace(
        "/opt/price/venv/bin", str(tmp_path)
    )

    named = said(tmp_path, "sh", "-c", command, "price", "history", **({"PRICE_ENV": ""} if empty else {}))
    asked = said(tmp_path, "sh", "-c", command, "price", "history", PRICE_ENV="mine.env")

    assert named == f"{settings if readable else '/dev/null'}\n"
    assert asked == "mine.env\n"


def test_the_installed_command_hands_the_passwords_to_follow_alone(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "${CREDENTIALS_DIRECTORY-none}"\n')
    python.chmod(0o755)
    command = COMMAND.replace("/opt/price/venv/bin", str(tmp_path))

    def folder(word: str, **environ: str) -> str:
        return said(tmp_path, "sh", "-c", command, "price", word, **environ).strip()

    assert folder("follow") == "/etc/price"
    assert folder("follow", CREDENTIALS_DIRECTORY="/run/mine") == "/run/mine"
    assert folder("history") == "none"
