"""Which objects a supervisor is made of."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

from price import settings
from price.clock import Clock
from price.errors import PriceError, SettingsError
from price.handlers.journal import default_talker
from price.safely import Failures
from price.sinks.records import RecordsSink
from price.supervise.child import Child
from price.supervise.loop import Delays, Supervisor, Target
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
    target: Target
    if service:
        target, environ = _service(service, environ, clock)
    else:
        target = Child(command, environ)
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
        signs = Signs(partial(settings.status_path, environ), clock, limits)
        return Supervisor(target, signs, clock, delays, idle=idle, reload=reload).run()
    finally:
        records.close()


def _service(name: str, environ: Mapping[str, str], clock: Clock) -> tuple[Target, Mapping[str, str]]:
    """A service as target, and the environment of its recorder, in whose folder we are from now on."""
    if sys.platform == "win32":
        import win32service

        from price.service.manager import Manager
        from price.service.registry import enter_any
        from price.supervise.service import Service

        environ = enter_any(name, environ)
        manager = Manager(win32service, name, clock)
        return Service(name, manager, partial(settings.status_path, environ)), environ
    raise PriceError("--service is for Windows; leave it out, or have systemd start price.service")
