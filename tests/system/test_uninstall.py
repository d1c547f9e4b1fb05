"""`make uninstall`."""

import pytest

from tests.process import until
from tests.system.service import CHECKOUT, PRICES, SETTINGS, Service

pytestmark = pytest.mark.realtime


def test_settings_and_data_stay_and_nothing_else_does(service: Service) -> None:
    machine = service.machine
    service.systemctl("enable")
    machine.run("systemctl", "enable", "--now", "price-repair.timer")
    service.systemctl("start")
    service.await_rows(1)
    rows, pid = len(service.rows()), service.pid()

    said = machine.run("make", "--silent", "uninstall", cwd=CHECKOUT)

    def left() -> list[str]:
        places = ("/etc", "/opt", "/run", "/usr/bin", "/usr/lib/systemd", "/usr/lib/sysusers.d", "/usr/local")
        found = machine.run("find", *places, "-xdev", "-name", "*price*").splitlines()
        return [path for path in found if not path.startswith(CHECKOUT)]

    assert "These stay: /etc/price (settings), /var/log/price and /var/lib/price (data)" in said
    # systemd itself forgets a unit that is gone when it next looks through them
    until(lambda: left() == ["/etc/price", SETTINGS], 30)
    assert machine.path(SETTINGS).exists()
    assert machine.path(PRICES).exists()
    assert len(service.rows()) >= rows
    assert machine.attempt("systemctl", "cat", "price").returncode != 0
    assert machine.attempt("systemctl", "is-active", "price-repair.timer").stdout != "active\n"
    assert machine.attempt("price", "--version").returncode != 0
    assert not machine.path(f"/proc/{pid}").exists()

    again = machine.attempt("make", "--silent", "uninstall", cwd=CHECKOUT)

    assert again.returncode == 0
