"""What to say where a library is missing that only one command needs."""

import os
import sys
from pathlib import Path

_HERE = Path(__file__).parent.parent


def missing(command: str, library: str | None, requirements: str) -> str:
    """The message with the command that brings the library; `requirements` is the file that names it."""
    sudo = "" if os.access(sys.prefix, os.W_OK) else "sudo "
    install = f"{sudo}{sys.executable} -m pip install -r {_HERE / requirements}"
    return (
        f"{command} needs {library or 'what ' + requirements + ' names'}, which is missing; type: {install}"
    )
