"""What to say where a library is missing that only one command needs."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from price.errors import PriceError

_HERE = Path(__file__).parent.parent
DEBIAN_PROGRAM = Path("/usr/lib/price")
"""Where the Debian package has the program, which uses the libraries of Debian's other packages."""
DEBIAN_PACKAGES = {
    "chart": "python3-matplotlib",
    "follow": "python3-psycopg",
    "metrics": "python3-prometheus-client",
    "supervise": "python3-psutil",
    "web": "python3-waitress",
}


@contextmanager
def needed_by(command: str) -> Iterator[None]:
    """Around the import of what only this command needs. Raises PriceError where it is missing."""
    try:
        yield
    except ImportError as error:
        raise PriceError(missing(command, error.name)) from error


def missing(
    command: str,
    library: str | None,
    python: str = sys.executable,
    *,
    writable: bool | None = None,
    program: Path = _HERE,
    environment: Path = Path(sys.prefix),
) -> str:
    """The message with the command line that brings the library.

    That is the command's own requirements file in a checkout and after `make install`, an extra of
    the package after `pip install`, and one of Debian's packages where the program is in one itself.
    `program` is the folder that holds it, `environment` that of Python's packages.
    `writable` says whether this user may write where `python` keeps its packages; by default it is looked up.
    """
    requirements = program / f"requirements-{command}.txt"
    if not requirements.exists():  # pip has put the program among the packages of an environment
        requirements = environment.parent / requirements.name
    if writable is None:
        writable = os.access(environment, os.W_OK)
    pip = f"{'' if writable else 'sudo '}{python} -m pip install"
    if program == DEBIAN_PROGRAM:
        install = f"sudo apt install {DEBIAN_PACKAGES[command]}"
    elif requirements.exists():
        install = f"{pip} -r {requirements}"
    else:
        install = f"{pip} 'price-recorder[{command}]'"
    return f"{command} needs {library or 'what its extra names'}, which is missing; type: {install}"
