"""What the service manager starts: python start.py PACKAGES COMMAND..., with the folder of the packages."""

import site
import sys
from pathlib import Path

if __name__ == "__main__":
    packages = sys.argv.pop(1)
    # this file's own folder is no place to import from: its names are others' names too
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    if packages not in sys.path:
        site.addsitedir(packages)  # with what pywin32 adds to the path by itself
    from price.__main__ import main

    sys.exit(main())
