"""Which objects a supervisor is made of."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

from price import settings
from price.clock import Clock
from price.errors import SettingsError
from price.handlers.journal import default_talker
from price.safely import Failures
from price.sinks.records import RecordsSink
from price.supervise.child import Child
from price.supervise.loop import Delays, Supervisor, Target
from price.supervise.service import Service
from price.supervise.signs import Limits, Signs


def supervise(
    environ: Mapping[str, str],
    clock: Clock,
    command: Sequence[str],
    service: str | None = None,
    delays: Delays = Delays(),
    limits: Limits = Limits(),
) -> int:
    """Supervises until it is stopped; returns the exit status. Raises PriceError."""
    if service and sys.platform == "win32":
        from price.service.parameters import enter

        environ = enter(service, environ)
    status = partial(settings.status_path, environ)
    failures = Failures()
    wanted = settings.load(environ)
    records = RecordsSink([default_talker(environ, clock.monotonic, lambda: wanted.log_format)], failures)
    records.configure(wanted)

    def idle() -> None:
        failures.call(records, "idle", records.idle)  # a closed terminal is no reason to stop
        failures.report(slot_ended=True)

    def reload() -> None:
        nonlocal wanted
        with suppress(SettingsError):  # the recorder logs why it refuses them
            wanted = settings.load(environ)
            records.configure(wanted)

    try:
        target: Target = Service(service, status, environ) if service else Child(command, environ)
        return Supervisor(target, Signs(status, clock, limits), clock, delays, idle=idle, reload=reload).run()
    finally:
        records.close()
