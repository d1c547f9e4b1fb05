"""Starts `price`: python main.py COMMAND."""

import os
import sys
from datetime import UTC, datetime

from price.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ, datetime.now(UTC)))
