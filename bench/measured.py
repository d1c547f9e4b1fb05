"""Runs on the machine: what a command costs, with all the processes that it starts, by the kernel's accounts.

    python -m bench.measured [--seconds N] COMMAND...

Prints JSON: CPU seconds, seconds, and the KiB of the largest of its processes. With --seconds the command
is ended by TERM after that time.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    """What a run took."""

    cpu_seconds: float
    seconds: float
    peak_kib: int


def measured(command: list[str], seconds: float = 0) -> Cost:
    """Runs a command. Its output is dropped; RuntimeError where it fails.

    GNU time tells the peak: a child's own account would begin with the size of this interpreter.
    """
    ends = ["timeout", "--signal=TERM", str(seconds)] if seconds else []
    with tempfile.NamedTemporaryFile() as peak:
        began = time.monotonic()
        timed = ["time", "--quiet", "--format=%M", f"--output={peak.name}", *ends, *command]
        child = subprocess.Popen(timed, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        took = time.monotonic() - began
        if os.waitstatus_to_exitcode(status) not in (0, *([124] if seconds else [])):
            raise RuntimeError(f"{' '.join(command)}: exit status {os.waitstatus_to_exitcode(status)}")
        return Cost(usage.ru_utime + usage.ru_stime, took, int(Path(peak.name).read_text()))


def main() -> None:
    """Measures the command of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    json.dump(measured(options.command, options.seconds)._asdict(), sys.stdout)


if __name__ == "__main__":
    main()
