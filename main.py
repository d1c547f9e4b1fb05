"""Starts `price`: python main.py COMMAND."""

import gc
import os
import sys

if __name__ == "__main__":
    # PYTHONSAFEPATH and `python -I` leave the script's own folder out
    sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120 - pathlib takes a millisecond
    try:
        from datetime import UTC, datetime

        from price.cli import main

        status = main(sys.argv[1:], os.environ, datetime.now(UTC))
    except KeyboardInterrupt:  # Ctrl-C may come while the program is still being loaded
        status = 130
    gc.freeze()  # else the interpreter looks through all that is loaded once more: 40 ms of a stop
    sys.exit(status)
