"""Makes completion for bash and zsh from the parser: `python deploy/make-completion.py OUTDIR`.

OUTDIR is what is /usr/share on a machine, or ~/.local/share of one user. It needs requirements-completion.txt
and what price itself needs. The same parser makes the same files, byte for byte.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import shtab

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from price.cli import parser

PLACES = {"bash": "bash-completion/completions/price", "zsh": "zsh/vendor-completions/_price"}
FILES = ("PATH", "FILE", "FOLDER", "PROGRAM", "SOURCE")
"""What an option's value is called where a file's name can be typed."""


def options(of: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """All options, those of commands too."""
    for action in of._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from options(command)


def main(folder: Path) -> None:
    """Writes the two files below the folder, and prints their names."""
    whole = parser([], every_option=True)
    for option in options(whole):
        if option.metavar in FILES:
            option.complete = shtab.FILE  # type: ignore[attr-defined] # where shtab looks for it
    for shell, place in PLACES.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(shtab.complete(whole, shell))
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python deploy/make-completion.py OUTDIR")
    main(Path(sys.argv[1]))
