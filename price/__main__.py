"""Starts the program: `price` where it is installed, `python -m price`, and main.py in a checkout."""

import gc
import os
import sys


def main() -> int:
    """Runs the command of this process; returns its exit status."""
    try:
        from datetime import UTC, datetime

        from price import cli

        status = cli.main(sys.argv[1:], os.environ, datetime.now(UTC))
    except KeyboardInterrupt:  # Ctrl-C may come while the program is still being loaded
        status = 130
    gc.freeze()  # else the interpreter looks through all that is loaded once more: 40 ms of a stop
    return status


if __name__ == "__main__":
    sys.exit(main())
