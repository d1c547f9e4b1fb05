"""Scenes that take long: each on a machine of its own, all at once. What is seen there, tests judge."""

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from tests.process import until
from tests.system.machine import Machine
from tests.system.service import Row, Service

FROZEN_SECONDS = 20
_FILL = """
import socket
for _ in range(8):  # a socket's own buffer is full before the queue is
    queue = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    queue.setblocking(False)
    queue.connect("/run/systemd/journal/socket")
    try:
        while True:
            queue.send(b"MESSAGE=filler\\n")
    except BlockingIOError:
        pass
"""


class Seen(NamedTuple):
    """How a scene went."""

    rows: list[Row]
    entries: list[dict[str, Any]]
    seconds: float
    """How long the recorder was away, or journald."""
    stuck: str = ""
    """What stderr's lines in the journal say."""


Scene = Callable[[Service], Seen]


def see(installed: Path, scene: Scene) -> Seen:
    """Plays a scene."""
    with closing(Machine(installed)) as machine:
        service = Service(machine)
        service.systemctl("start")
        service.await_rows(2)
        return scene(service)


def killed(service: Service) -> Seen:
    """The recorder is killed outright."""
    return _away(service, "KILL")


def stopped(service: Service) -> Seen:
    """The recorder hangs; the watchdog's patience is cut to 3 s, or this would take a minute."""
    with service.machine.changed_unit("price.service", "WatchdogSec=3"):
        service.systemctl("restart")
        service.await_rows(2)
        return _away(service, "STOP")


def journald_restarted(service: Service) -> Seen:
    """A restart of journald, then its sudden end."""
    service.machine.run("systemctl", "restart", "systemd-journald")
    service.await_rows(2)
    service.signal("KILL", service.pid("systemd-journald"))
    service.await_rows(3)
    return Seen(service.rows(), service.entries(), 0)


def journald_frozen(service: Service) -> Seen:
    """A journald that does not read, with its queue full."""
    pid = service.pid("systemd-journald")
    service.signal("STOP", pid)
    service.machine.run("/usr/bin/python3", "-c", _FILL)
    time.sleep(FROZEN_SECONDS)
    service.signal("CONT", pid)
    service.await_rows(3)
    return Seen(service.rows(), service.entries(), FROZEN_SECONDS)


def _away(service: Service, signal: str) -> Seen:
    """Sends a signal that the recorder does not survive; waits until it has recorded again."""
    pid = service.pid()
    service.signal(signal, pid)
    began = time.monotonic()
    until(lambda: service.pid() not in (pid, "0"), 25)
    service.await_rows(1)
    seconds = time.monotonic() - began
    service.await_rows(2)
    return Seen(service.rows(), service.entries(), seconds, "\n".join(service.messages("_TRANSPORT=stdout")))


ALL: Mapping[str, Scene] = {
    "killed": killed,
    "stopped": stopped,
    "journald_restarted": journald_restarted,
    "journald_frozen": journald_frozen,
}
