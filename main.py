"""Starts `price` from a checkout, whatever the folder and the Python's settings: python main.py COMMAND."""

import os
import sys

if __name__ == "__main__":
    # PYTHONSAFEPATH and `python -I` leave the script's own folder out
    sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120 - pathlib takes a millisecond
    try:
        from price.__main__ import main
    except ModuleNotFoundError as error:
        if error.name != "price":
            raise
        # an installed main.py has the package in its environment, where only the Python that made it looks
        sys.stderr.write(
            f"price: it was installed for another Python than this {sys.version.split()[0]}; "
            "install again: sudo make install\n"
        )
        sys.exit(78)  # only a person can mend it: the service is not started again

    sys.exit(main())
