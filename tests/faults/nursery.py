"""A process that makes recorders by forking: a sweep needs hundreds, and imports take longer than slots.

    python -m tests.faults.nursery

Each line on stdin is a JSON object: `now`, `environ`, `commands` (see stepped.py), `said` (where stderr
goes), and `traced`: whether to begin only once a tracer answers getppid with 1; in place of commands it may
have the `words` of a command line. It prints the new process's id and, when that has ended, how, as
`subprocess` counts.
"""

import json
import os
import sys
import time
from typing import Any

from price import cli, times
from price.backfill import command, peer  # noqa: F401 - else each child would load them, call by call
from tests.faults.stepped import stepped


def _live(job: dict[str, Any]) -> int:
    said = os.open(job["said"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(said, 2)
    os.environ.update(job["environ"])  # a preloaded library may look there
    while job["traced"] and os.getppid() != 1:
        time.sleep(0.001)  # the tracer is about to attach
    if "words" in job:
        os.dup2(said, 1)
        return cli.main(job["words"], job["environ"], times.parse_iso(job["now"]))
    return stepped(job["environ"], times.parse_iso(job["now"]), job["commands"]).run()


def main() -> None:
    """Makes one recorder after the other until stdin ends."""
    for text in sys.stdin:
        child = os.fork()
        if child == 0:
            status = 70
            try:
                status = _live(json.loads(text))
            finally:
                os._exit(status)
        print(child, flush=True)
        _, ended = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(ended), flush=True)


if __name__ == "__main__":
    main()
