"""`price supervise` of any command, with delays and limits that a test can wait for."""

import os
import sys
from functools import partial

from price import host
from price.clock import Signal, SystemClock
from price.host import children
from price.supervise.app import supervise
from price.supervise.loop import Delays
from price.supervise.signs import Limits

if __name__ == "__main__":
    clock = SystemClock()
    host.on_signals(partial(clock.post, Signal.STOP), partial(clock.post, Signal.RELOAD), clock.wakeup)
    children.on_child_end(partial(clock.post, None))
    sys.exit(supervise(os.environ, clock, sys.argv[1:], None, Delays(0.05, 0.2), Limits(10, 1, 3, 3)))
