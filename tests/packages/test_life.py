"""The Debian package on a booted machine without a network, from the first install to the purge.

The tests are one life, in this order; a slot is a second, so that a restart costs at most one.
"""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from price import __version__
from tests.needs import give_up
from tests.packages.building import with_version
from tests.process import until
from tests.system import installation
from tests.system.machine import CannotBoot, Machine
from tests.system.service import CHECKOUT, PRICES, SETTINGS, Service, assert_no_slot_is_lost

pytestmark = [pytest.mark.packages, pytest.mark.timeout(600)]

STATE, POLICY = "/var/lib/price", "/usr/sbin/policy-rc.d"
OLDER, NEWER = "0.1.9", "0.2.9"
CHANGES = {"upgrade": __version__, "to a newer one": NEWER, "downgrade": __version__}


@pytest.fixture(scope="module")
def machine(debs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine with Debian's list of packages, and three versions that are not installed yet."""
    try:
        machine = Machine()
    except CannotBoot as reason:
        give_up(str(reason))
    with closing(machine):
        installation.bring(machine)
        shutil.copytree("/var/lib/dpkg", machine.path("/var/lib/dpkg"))
        machine.run("mkdir", "-p", "/var/log/apt", "/var/lib/systemd", "/srv/debs")
        machine.run("rm", "-f", POLICY)
        folder = tmp_path_factory.mktemp("versions")
        for version in (OLDER, NEWER):
            shutil.copy(with_version(debs["amd64"], version, folder), machine.path("/srv/debs"))
        shutil.copy(debs["amd64"], machine.path("/srv/debs"))
        yield machine


@pytest.fixture(scope="module")
def service(machine: Machine) -> Service:
    """The service of the package, and three exchanges."""
    dpkg(machine, "-i", deb(OLDER))
    return Service(machine)


def deb(version: str) -> str:
    """A package on the machine."""
    return f"/srv/debs/price_{version}_amd64.deb"


def dpkg(machine: Machine, *words: str) -> str:
    """Runs dpkg on the machine; what it says."""
    return machine.run("dpkg", *words, seconds=300)


def version(machine: Machine) -> str:
    """The version that the command says it is, to any user."""
    return machine.run("price", "--version", user="nobody").split()[1]


def missed(service: Service, since: int) -> int:
    """The slots without a price, from a row on."""
    return sum(row.slots for row in service.rows()[since:] if not row.price)


def test_it_is_off_until_somebody_starts_it(service: Service) -> None:
    machine = service.machine

    assert version(machine) == OLDER
    assert service.show("ActiveState") == "inactive"
    for unit in ("price.service", "price-web.socket", "price-repair.timer", "price-metrics.service"):
        assert machine.attempt("systemctl", "is-enabled", unit).stdout == "disabled\n"
        assert machine.attempt("systemctl", "is-active", unit).stdout == "inactive\n"
    assert machine.run("stat", "-c", "%U %G %a", SETTINGS) == "root price 640\n"


def test_it_records_and_anybody_may_look(service: Service) -> None:
    machine = service.machine

    service.systemctl("enable")
    service.systemctl("start")
    service.await_rows(3)

    assert "BTC-USD" in machine.run("price", "status", user="nobody")
    assert machine.run("price", "history", "--last", "1", user="nobody").count("\n") == 1
    assert service.entries("PRICE_PAIR=BTC-USD")
    assert "The row is in prices.txt, on stable storage" in machine.run(
        "journalctl", "-x", "-u", "price", "PRICE_PAIR=BTC-USD"
    )
    assert "/usr/lib/price/main.py run" in machine.run("systemctl", "show", "-P", "ExecStart", "price")


def test_optional_parts_are_named_by_the_package_to_install(service: Service) -> None:
    said = service.machine.attempt("price", "web", user="nobody").stderr

    assert said.endswith("which is missing; type: sudo apt install python3-waitress\n")
    assert "charts" not in service.machine.run("price", "chart", "--last", "3", user="nobody")


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_version_costs_a_running_recorder_at_most_one_slot(service: Service, change: str) -> None:
    to = CHANGES[change]
    machine = service.machine
    with machine.path(SETTINGS).open("a") as settings:
        settings.write("# mine\n")
    kept, pid, before = machine.run("cat", SETTINGS), service.pid(), len(service.rows())

    dpkg(machine, "-i", deb(to))
    service.await_rows(3)

    assert version(machine) == to
    assert service.pid() not in (pid, "0")
    assert machine.run("cat", SETTINGS) == kept
    print(f"\nmissed by the change to {to}: {missed(service, before)} slots")
    assert missed(service, before) <= 1
    assert_no_slot_is_lost(service.rows())
    assert machine.run("price", "verify", user="nobody") == ""


def test_where_a_policy_forbids_it_nothing_is_restarted_nor_stopped(service: Service) -> None:
    machine = service.machine
    machine.path(POLICY).write_text("#!/bin/sh\nexit 101\n")
    machine.path(POLICY).chmod(0o755)
    pid = service.pid()

    dpkg(machine, "-i", deb(NEWER))

    assert (version(machine), service.pid()) == (NEWER, pid)
    service.await_rows(1)
    machine.path(POLICY).unlink()
    dpkg(machine, "-i", deb(__version__))
    service.await_rows(1)
    assert service.pid() not in (pid, "0")


def test_make_install_refuses_next_to_it(service: Service) -> None:
    refused = installation.install(service.machine)

    assert refused.returncode != 0
    assert "the Debian package of price is installed; first type: sudo apt remove price" in refused.stderr
    assert version(service.machine) == __version__


def test_removed_it_stops_and_leaves_settings_and_data(service: Service) -> None:
    machine = service.machine
    pid = service.pid()

    dpkg(machine, "-r", "price")

    assert not machine.path(f"/proc/{pid}").exists()
    for left in (SETTINGS, PRICES, STATE):
        assert machine.path(left).exists()
    assert not machine.path("/usr/lib/price").exists()
    assert machine.attempt("price", "--version").returncode != 0


def test_installed_again_it_goes_on_with_the_same_log(service: Service) -> None:
    machine = service.machine

    dpkg(machine, "-i", deb(__version__))
    service.systemctl("start")
    service.await_rows(2)

    assert_no_slot_is_lost(service.rows())
    assert machine.run("price", "verify", user="nobody") == ""


def test_from_make_install_to_the_package_settings_and_log_stay_and_neither_hides_the_other(
    service: Service,
) -> None:
    machine = service.machine
    dpkg(machine, "-r", "price")
    done = installation.install(machine)
    assert done.returncode == 0, done.stdout + done.stderr
    service.systemctl("start")
    service.await_rows(2)
    settings = machine.run("cat", SETTINGS)

    refused = machine.attempt("dpkg", "-i", deb(__version__), seconds=120)

    assert refused.returncode != 0
    assert "in its checkout type: sudo make uninstall" in refused.stderr
    assert not machine.path("/usr/lib/price").exists()
    service.await_rows(1)

    machine.run("make", "--silent", "uninstall", cwd=CHECKOUT)
    dpkg(machine, "-i", deb(__version__))
    service.systemctl("start")
    service.await_rows(2)

    assert "/usr/lib/price/main.py" in service.show("ExecStart")
    assert machine.run("cat", SETTINGS) == settings
    assert_no_slot_is_lost(service.rows())


def test_purged_only_the_log_is_left(service: Service) -> None:
    machine = service.machine
    service.systemctl("start")
    service.await_rows(1)
    # systemd makes its folder before its program is missed
    machine.run("systemctl", "start", "price-alert")
    until(lambda: machine.path("/var/lib/private/price-alert").exists(), 30)

    dpkg(machine, "-P", "price")

    until(lambda: not machine.path("/run/price").exists(), 30)
    # what this machine shares with ours may have such names too
    places = (
        "/etc",
        "/opt",
        "/run",
        "/usr/bin",
        "/usr/lib/price",
        "/usr/lib/systemd",
        "/var/lib",
        "/var/log",
    )
    found = machine.attempt("find", *places, "-xdev", "-name", "*price*").stdout
    assert PRICES in found.splitlines()
    assert [path for path in found.splitlines() if not path.startswith("/var/log/price")] == []
    assert machine.attempt("systemctl", "cat", "price").returncode != 0
