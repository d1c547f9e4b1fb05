"""What to say where a library is missing that only one command needs."""

import os
import sys
from pathlib import Path

_HERE = Path(__file__).parent.parent


def missing(
    command: str, library: str | None, python: str = sys.executable, *, writable: bool | None = None
) -> str:
    """The message with the command line that brings the library, from the command's own requirements file.

    `writable` says whether this user may write where `python` keeps its packages; by default it is looked up.
    """
    requirements = f"requirements-{command}.txt"
    if writable is None:
        writable = os.access(sys.prefix, os.W_OK)
    install = f"{'' if writable else 'sudo '}{python} -m pip install -r {_HERE / requirements}"
    return (
        f"{command} needs {library or 'what ' + requirements + ' names'}, which is missing; type: {install}"
    )
