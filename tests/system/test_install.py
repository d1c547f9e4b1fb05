"""`make install`: what it puts where, what it leaves alone, what it refuses."""

from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from tests.system.machine import Machine
from tests.system.service import CHECKOUT, PRICES, SETTINGS, Service, assert_no_slot_is_lost

pytestmark = pytest.mark.realtime

TIMER = "price-repair.timer"
Install = Callable[..., "CompletedProcess[str]"]
_PYTHON_IN_A_HOME = """#!/bin/sh
exec /usr/bin/python3 -c 'import sys; sys.base_prefix = "/root/.versions/3.12"; exec(sys.stdin.read())'
"""


def test_the_program_is_readable_by_everyone_and_only_root_can_change_it(machine: Machine) -> None:
    others = ["-not", "-user", "root", "-or", "-perm", "/022", "-not", "-type", "l"]
    unreadable = ["-type", "f", "-not", "-perm", "-444", "-or", "-type", "d", "-not", "-perm", "-555"]

    assert machine.run("find", "/opt/price", *others) == ""
    assert machine.run("find", "/opt/price", *unreadable) == ""
    assert machine.run("price", "--version", user="nobody").startswith("price ")


def test_settings_are_for_the_service_and_hold_every_default(machine: Machine) -> None:
    assert machine.run("stat", "-c", "%U %G %a", SETTINGS) == "root price 640\n"
    assert machine.run("cat", SETTINGS) == machine.run("cat", f"{CHECKOUT}/env.example")


def test_the_timer_is_there_and_off(machine: Machine) -> None:
    assert machine.attempt("systemctl", "is-enabled", TIMER).stdout == "disabled\n"
    assert machine.attempt("systemctl", "is-active", TIMER).stdout == "inactive\n"


def test_nothing_that_it_leaves_names_the_folder_it_was_built_in(machine: Machine) -> None:
    found = machine.attempt("grep", "-rIl", ".price.new", "/opt/price", "--exclude=*.sh", "--exclude=*.pyc")

    assert found.stdout == ""
    assert not machine.path("/opt/.price.new").exists()
    assert not machine.path("/opt/.price.old").exists()


def test_a_python_in_a_home_is_refused_with_the_reason(machine: Machine, install: Install) -> None:
    machine.path("/root/python").write_text(_PYTHON_IN_A_HOME)
    machine.path("/root/python").chmod(0o755)

    refused = install(machine, "PYTHON=/root/python")

    assert refused.returncode != 0
    assert "it lies in /root/.versions/3.12, and homes are hidden from the service" in refused.stderr


def test_another_python_than_the_service_can_reach_is_passed_over_and_said(
    machine: Machine, install: Install
) -> None:
    # found first, as a version manager's would be; the end of pip is as good as any here
    machine.path("/usr/local/sbin/python3").write_text(_PYTHON_IN_A_HOME)
    machine.path("/usr/local/sbin/python3").chmod(0o755)

    ended = install(machine, "PIP_FIND_LINKS=/nowhere")
    machine.path("/usr/local/sbin/python3").unlink()

    assert "not taking /usr/local/sbin/python3: it lies in /root/.versions/3.12" in ended.stdout
    assert "taking /usr/bin/python3" in ended.stdout
    assert "pip failed, nothing was changed" in ended.stderr
    assert machine.run("price", "--version").startswith("price ")
    assert not machine.path("/opt/.price.new").exists()


def test_installing_again_keeps_settings_and_data_and_costs_no_slot(
    service: Service, install: Install
) -> None:
    machine = service.machine
    service.set(PRICE_INTERVAL="2")
    with machine.path("/etc/logrotate.d/price").open("a") as rule:
        rule.write("# ours\n")
    machine.path("/opt/price/stale.py").write_text("")
    (packages,) = machine.path("/opt/price/venv/lib").glob("python3*/site-packages")
    (packages / "plotext").mkdir()
    service.systemctl("start")
    machine.run("systemctl", "enable", "--now", TIMER)
    service.await_rows(1)
    settings, pid = machine.run("cat", SETTINGS), service.pid()

    done = install(machine)

    service.await_rows(2)
    assert done.returncode == 0, done.stderr
    assert "the running recorder restarted" in done.stdout
    assert "going on without what `price chart` needs" in done.stdout  # it is not among the packages here
    assert "/etc/logrotate.d/price was changed here and stays as it is" in done.stdout
    assert machine.run("cat", SETTINGS) == settings
    assert machine.run("stat", "-c", "%U %G %a", SETTINGS) == "root price 640\n"
    assert not machine.path("/opt/price/stale.py").exists()
    assert machine.run("systemctl", "is-enabled", TIMER) == "enabled\n"
    assert machine.run("systemctl", "is-active", TIMER) == "active\n"
    assert service.pid() not in (pid, "0")
    rows = service.rows()
    print(f"\nmissed by installing again: {sum(row.slots for row in rows if not row.price)} slots")
    assert_no_slot_is_lost(rows, 2)
    assert [row for row in rows if not row.price] == []


def test_a_packager_gets_a_tree_and_the_machine_stays_as_it_is(service: Service, install: Install) -> None:
    machine = service.machine
    pid, made = service.pid(), "/var/tmp/package"

    done = install(machine, f"DESTDIR={made}", "BINDIR=/usr/bin", "LIBDIR=/usr/lib")

    assert done.returncode == 0, done.stderr
    files = set(machine.run("find", made, "-type", "f", "-printf", "/%P\n").splitlines())
    wanted = {
        "/usr/bin/price",
        "/usr/lib/systemd/system/price.service",
        "/usr/lib/systemd/system/price-repair.service",
        "/usr/lib/systemd/system/price-repair.timer",
        "/usr/lib/systemd/catalog/price.catalog",
        "/usr/lib/sysusers.d/price.conf",
        "/etc/logrotate.d/price",
        "/etc/price/price.env",
        "/opt/price/main.py",
    }
    assert wanted <= files
    assert {path.split("/")[1] for path in files} == {"etc", "opt", "usr"}
    assert service.pid() == pid
    assert not machine.path("/usr/bin/price").exists()


def test_root_at_a_terminal_leaves_nothing_that_the_service_could_not_go_on_with(service: Service) -> None:
    machine = service.machine
    service.systemctl("start")
    service.systemctl("stop")

    ended = machine.attempt("timeout", "--signal=TERM", "1", "price", "run")
    service.systemctl("start")

    assert "started" in ended.stderr
    assert machine.run("stat", "-c", "%U", PRICES) == "price\n"
    assert service.show("ActiveState") == "active"
    service.await_rows(1)


def test_the_command_does_not_read_the_settings_of_the_folder_one_stands_in(service: Service) -> None:
    machine = service.machine
    machine.path("/var/tmp/.env").write_text(
        "PRICE_STATUS=/nowhere\nPRICE_FILE=/nowhere\nPRICE_PAIRS=nonsense\n"
    )
    service.systemctl("start")
    service.await_rows(1)

    status = machine.run("price", "status", user="nobody", cwd="/var/tmp")
    rows = machine.run("price", "history", "--last", "1", user="nobody", cwd="/var/tmp")
    once = machine.attempt("price", "once", cwd="/var/tmp")

    assert "BTC-USD" in status
    assert " BTC-USD " in rows
    assert (once.returncode, once.stderr) == (0, "")


def test_only_root_may_install(machine: Machine) -> None:
    refused = machine.attempt("make", "--silent", "install", cwd=CHECKOUT, user="nobody")

    assert refused.returncode != 0
    assert "price: installing needs root: sudo make install" in refused.stderr
