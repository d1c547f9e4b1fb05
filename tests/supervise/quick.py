"""`price supervise` with delays and limits that a test can wait for.

python -m tests.supervise.quick SECONDS COMMAND...
python -m tests.supervise.quick SECONDS --service NAME

SECONDS is how long a status may stand still.
"""

import os
import sys

from price import host
from price.clock import SystemClock
from price.supervise.app import supervise
from price.supervise.loop import Delays
from price.supervise.signs import Limits

if __name__ == "__main__":
    seconds, *command = sys.argv[1:]
    host.prepare_streams()
    service = command.pop() if command[0] == "--service" else None
    clock = SystemClock()
    clock.heed_signals()
    limits = Limits(float(seconds))
    sys.exit(supervise(os.environ, clock, command, service, Delays(0.05, 0.2), limits))
