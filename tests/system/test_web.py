"""The page's service on a real systemd: who starts it, what it can reach, and how it ends."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.process import until
from tests.system import installation
from tests.system.machine import Machine
from tests.system.service import CHECKOUT, Service

pytestmark = pytest.mark.realtime
UNIT = "price-web.service"
PYTHON = "/opt/price/venv/bin/python"
_ASK = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode())"
_TRY = """
import json, os, pathlib
places = "/var/log/price /run/price /var/lib/price /etc/price /opt/price /etc /usr /var".split()
def possible(action, path):
    try:
        action(path)
    except OSError:
        return False
    return True
written = [one for one in places if possible(lambda path: (pathlib.Path(path) / "made").touch(), one)]
secrets = "/etc/price/price.env /var/lib/price/state.json /etc/shadow".split()
read = [one for one in secrets if possible(lambda path: pathlib.Path(path).read_bytes(), one)]
capabilities = [line.split()[1] for line in open("/proc/self/status") if line.startswith("Cap")]
tried = {"written": written, "read": read, "user": os.getuid(), "capabilities": capabilities}
print("TRIED " + json.dumps(tried))
"""


@pytest.fixture(scope="module")
def web(service: Service) -> Machine:
    """A recorder that records, and the socket of the page."""
    machine = service.machine
    installation.add(machine, "web")
    service.systemctl("start")
    service.await_rows(2)
    machine.run("systemctl", "enable", "--now", "price-web.socket")
    return machine


def ask(machine: Machine, path: str = "api/now", host: str = "127.0.0.1") -> Any:
    """What the page's server answers."""
    return json.loads(machine.run("/usr/bin/python3", "-c", _ASK, f"http://{host}:8464/{path}"))


@contextmanager
def changed(machine: Machine, text: str) -> Iterator[None]:
    """The unit with a drop-in, started by whoever asks next."""
    with machine.changed_unit(UNIT, text):
        machine.run("systemctl", "stop", UNIT)
        yield
    machine.run("systemctl", "stop", UNIT)


def test_it_answers_on_both_loopback_addresses_and_runs_for_those_who_ask(web: Machine) -> None:
    assert web.show(UNIT, "MainPID") == "0"

    first, second = ask(web), ask(web, host="[::1]")

    assert first["status"]["pairs"]["BTC-USD"]["price"]
    assert second["status"]["slot"] >= first["status"]["slot"]
    assert ask(web, "api/rows?pair=BTC-USD")["rows"]
    assert web.show(UNIT, "MainPID") != "0"


def test_it_can_write_nothing_and_sees_neither_settings_nor_state(web: Machine) -> None:
    script = web.path(f"{CHECKOUT}/try.py")
    script.write_text(_TRY)
    with changed(web, f"ExecStartPre={PYTHON} -B {CHECKOUT}/try.py"):
        ask(web)
        web.run("journalctl", "--sync")
        said = web.run("journalctl", "-u", UNIT, "-o", "cat").splitlines()

    (tried,) = (json.loads(line.removeprefix("TRIED ")) for line in said if line.startswith("TRIED "))
    assert (tried["written"], tried["read"]) == ([], [])
    assert tried["user"] != 0
    assert set(tried["capabilities"]) == {"0000000000000000"}


def test_it_dies_and_comes_back_for_whoever_asks_next(web: Machine) -> None:
    ask(web)
    command = ("/usr/bin/python3", "-c", _ASK, "http://127.0.0.1:8464/api/now")
    for _ in range(7):
        web.run("systemctl", "kill", "--signal=KILL", UNIT)
        until(lambda: web.attempt(*command).returncode == 0, 40)

    assert web.run("systemctl", "is-active", "price-web.socket").strip() == "active"


def test_it_ends_when_nobody_looks_and_begins_when_somebody_does(web: Machine) -> None:
    with changed(web, f"ExecStart=\nExecStart={PYTHON} -u -B /opt/price/main.py web --idle 2"):
        ask(web)
        assert web.show(UNIT, "MainPID") != "0"

        until(lambda: web.show(UNIT, "MainPID") == "0", 40)

        assert web.show(UNIT, "Result") == "success"
        ask(web)


def test_sums_of_days_are_kept_in_its_cache_and_belong_to_nobody_else(web: Machine) -> None:
    ask(web)

    mode = web.run("stat", "-L", "-c", "%a", "/var/cache/private/price-web").strip()

    assert mode == "700"


def test_it_is_closed_as_systemd_judges_it(web: Machine) -> None:
    said = web.attempt("systemd-analyze", "security", "--no-pager", UNIT).stdout

    (score,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert float(score) <= 0.3


def test_where_it_cannot_run_whoever_asks_is_refused_and_it_is_not_started_for_ever(web: Machine) -> None:
    with changed(web, "ExecStart=\nExecStart=/usr/bin/false"):
        asked = web.attempt("/usr/bin/python3", "-c", _ASK, "http://127.0.0.1:8464/api/now")

        assert asked.returncode == 1
        until(lambda: web.attempt("systemctl", "is-active", "price-web.socket").stdout == "failed\n", 40)
    web.run("systemctl", "reset-failed", UNIT)
    web.run("systemctl", "restart", "price-web.socket")
    assert ask(web)["status"]
