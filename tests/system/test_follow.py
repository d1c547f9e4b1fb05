"""The follower as a unit: into a PostgreSQL on the machine, with a password that root alone can read."""

from pathlib import Path

import pytest

from tests.needs import give_up
from tests.process import until
from tests.system import installation
from tests.system.machine import Machine
from tests.system.service import Service

pytestmark = pytest.mark.realtime

UNIT = "price-follow@postgres"
FOLDER = "/run/database"


def database(machine: Machine) -> None:
    """Starts a PostgreSQL, and makes its schema by what `--print` says."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        give_up("needs PostgreSQL: apt install postgresql")
    programs = found[-1].parent
    machine.run("install", "-d", "-o", "postgres", FOLDER)
    make = (str(programs / "initdb"), "-D", f"{FOLDER}/data", "-N", "--auth-local=trust")
    machine.run(*make, "--auth-host=scram-sha-256", user="postgres", seconds=60)
    serve = (str(programs / "postgres"), "-D", f"{FOLDER}/data", "-k", FOLDER, "-c", "fsync=off")
    machine.run("systemd-run", "--quiet", "--unit=database", "--uid=postgres", *serve)
    until(lambda: machine.attempt("psql", *_SERVER, "-c", "SELECT 1").returncode == 0, 60)
    machine.run(
        "sh", "-c", f"price follow postgres --init --print | psql -v ON_ERROR_STOP=1 {' '.join(_SERVER)}"
    )
    ask(machine, "ALTER ROLE price_follow PASSWORD 'f0llow'")


_SERVER = ("-q", "-h", FOLDER, "-U", "postgres")


def ask(machine: Machine, query: str) -> str:
    return machine.run("psql", *_SERVER, "-At", "-c", query).strip()


def test_the_unit_follows_with_its_password_and_goes_on_after_it_was_killed(service: Service) -> None:
    machine = service.machine
    installation.add(machine, "follow")
    database(machine)
    service.set(PRICE_FOLLOW_POSTGRES="postgresql://price_follow@127.0.0.1/postgres", PRICE_RECORDER="box-a")
    password = machine.path("/etc/price/pgpass")
    password.touch(0o600)
    password.write_text("127.0.0.1:5432:postgres:price_follow:f0llow\n")
    service.systemctl("start")
    service.await_rows(2)

    checked = machine.run("price", "follow", "postgres", "--check")
    machine.run("systemctl", "start", UNIT)
    until(lambda: int(ask(machine, "SELECT count(*) FROM price.quote")) >= 2, 60)
    service.signal("KILL", service.pid(UNIT))
    service.await_rows(10)
    slots = "SELECT count(*), count(DISTINCT slot) FROM price.quote"
    until(lambda: int(ask(machine, slots).split("|")[0]) >= 12, 60)
    status = machine.run("price", "status").splitlines()[-1]

    assert checked == "postgres at 127.0.0.1/postgres: all is well\n"
    assert status.startswith("postgres  ")
    assert status.endswith("0 refused")
    written, different = ask(machine, slots).split("|")
    assert written == different
    assert machine.show(UNIT, "NRestarts") == "1"
