"""What to say where a library is missing that only one command needs."""

import os
import sys


def missing(command: str, library: str | None, requirements: str) -> str:
    """The message with the command that brings the library; `requirements` is the file that names it."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - 3 ms a start
    sudo = "" if os.access(sys.prefix, os.W_OK) else "sudo "
    install = f"{sudo}{sys.executable} -m pip install -r {here}/{requirements}"
    return (
        f"{command} needs {library or 'what ' + requirements + ' names'}, which is missing; type: {install}"
    )
