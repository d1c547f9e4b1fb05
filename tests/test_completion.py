"""Completion in real shells, typed key by key; nothing of it is needed when `price` runs."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.needs import needs

ROOT = Path(__file__).parents[1]
SECONDS = 60
BASH = "source /usr/share/bash-completion/bash_completion"
ZSH = "fpath=({0}/zsh/vendor-completions $fpath); autoload -U compinit; compinit -u -D; setopt no_beep"
SHELLS = {"bash": (["bash", "--norc", "--noprofile", "-i"], BASH), "zsh": (["zsh", "-f", "-i"], ZSH)}


@pytest.fixture(scope="module")
def share(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the packager's script put completion for both shells."""
    folder = tmp_path_factory.mktemp("share")
    subprocess.run([sys.executable, ROOT / "deploy" / "make-completion.py", folder], check=True)
    return folder


class Terminal:
    """A shell in a terminal of its own."""

    def __init__(self, words: list[str], share: Path, folder: Path) -> None:
        environ = {
            "PATH": "/usr/bin:/bin",
            "TERM": "dumb",
            "PS1": "> ",
            "HOME": str(folder),
            "BASH_COMPLETION_USER_DIR": str(share / "bash-completion"),
        }
        self._controller, inside = pty.openpty()
        self._shell = subprocess.Popen(
            words, stdin=inside, stdout=inside, stderr=inside, env=environ, cwd=folder, start_new_session=True
        )
        os.close(inside)

    def type(self, keys: str) -> None:
        """Presses keys."""
        os.write(self._controller, keys.encode())

    def shows(self, wanted: str) -> str:
        """What is shown from now on, until the wanted pattern is in it, or for a minute."""
        shown, end = "", time.monotonic() + SECONDS
        while not re.search(wanted, shown) and time.monotonic() < end:
            if select.select([self._controller], [], [], 1)[0]:
                shown += os.read(self._controller, 4096).decode(errors="replace")
        return shown

    def close(self) -> None:
        """Ends the shell."""
        self._shell.kill()
        self._shell.wait()
        os.close(self._controller)


Open = Callable[[str], Terminal]


@pytest.fixture
def opened(share: Path, tmp_path: Path) -> Iterator[Open]:
    """What opens a shell that has loaded the completion as a login would."""
    terminals = []

    def open_one(shell: str) -> Terminal:
        needs(shell, f"apt install {shell}")
        if shell == "bash" and not Path("/usr/share/bash-completion").exists():
            needs("bash-completion", "apt install bash-completion")
        words, load = SHELLS[shell]
        terminal = Terminal(words, share, tmp_path)
        terminals.append(terminal)
        terminal.type(f"{load.format(share)}; echo rea''dy\n")
        assert "ready" in terminal.shows("ready")
        return terminal

    yield open_one
    for terminal in terminals:
        terminal.close()


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("price cand\t", "candles"),
        ("price candles --e\t", "--every"),
        ("price history --format j\t", "json"),
        ("price follow p\t", "postgres"),
        ("price verify --file pric\t", "prices.txt"),
        ("price repair --from pric\t", "prices.txt"),
    ],
)
def test_tab_completes(opened: Open, tmp_path: Path, shell: str, typed: str, wanted: str) -> None:
    (tmp_path / "prices.txt").touch()
    terminal = opened(shell)

    terminal.type(typed)

    assert wanted in terminal.shows(wanted)


def test_the_same_parser_makes_the_same_files(share: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "deploy" / "make-completion.py", tmp_path], check=True)

    made = [path.relative_to(share) for path in share.rglob("*") if path.is_file()]
    assert len(made) == 2
    assert all((share / path).read_bytes() == (tmp_path / path).read_bytes() for path in made)
