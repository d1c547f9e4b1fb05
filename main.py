"""Starts `price` from a checkout, whatever the folder and the Python's settings: python main.py COMMAND."""

import os
import sys

if __name__ == "__main__":
    # PYTHONSAFEPATH and `python -I` leave the script's own folder out
    sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120 - pathlib takes a millisecond
    from price.__main__ import main

    sys.exit(main())
