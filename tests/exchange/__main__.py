"""The copies as a program of their own: `python -m tests.exchange PORTS`.

Serves the exchanges of the defaults until it is told to stop, and writes a line `name port` for each.
"""

import signal
import sys
from pathlib import Path

from tests.exchange import Market


def main(ports: Path) -> None:
    """Serves; the file is renamed into place, so that whoever waits for it finds it whole."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Market() as market:
        draft = ports.with_name(f"{ports.name}.new")
        draft.write_text("".join(f"{exchange.name} {exchange.port}\n" for exchange in market))
        draft.replace(ports)
        while True:
            signal.pause()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
