"""Runs on the machine: starts a command and tells when it is ready, and when its rows can be read.

    python -m bench.watch --rows N [--ready] FILE COMMAND...

Prints JSON: seconds from exec to the first row, or with --ready to READY=1, and the Unix time at which each
row of FILE was first seen whole. Ends the command afterwards.
"""

import argparse
import json
import os
import socket
import subprocess
import time
from pathlib import Path

LOOK_SECONDS = 0.0005


def main() -> None:
    """Starts, watches, ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--ready", action="store_true")
    parser.add_argument("file", type=Path)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    place = f"{options.file}.notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(place)
        began = time.monotonic()
        with subprocess.Popen(options.command, env={**os.environ, "NOTIFY_SOCKET": place}) as child:
            try:
                ready = _ready(told) if options.ready else 0.0
                seen = _rows(options.file, options.rows)
                first = (ready if options.ready else seen[0][0]) - began
            finally:
                child.terminate()
    print(json.dumps({"seconds": first, "rows": [moment for _, moment in seen]}))


def _ready(told: socket.socket) -> float:
    while b"READY=1" not in told.recv(4096):
        pass
    return time.monotonic()


def _rows(file: Path, count: int) -> list[tuple[float, float]]:
    """When each growth of the file by rows was seen: monotonic and Unix time."""
    seen: list[tuple[float, float]] = []
    size = _size(file)
    while len(seen) < count:
        time.sleep(LOOK_SECONDS)
        grown = _size(file)
        if grown > size and not file.read_bytes().splitlines()[-1].startswith(b"#"):
            seen.append((time.monotonic(), time.time()))
        size = grown
    return seen


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


if __name__ == "__main__":
    main()
