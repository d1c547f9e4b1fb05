"""`price repair` on a machine: by its unit, from a real journal."""

import pytest

from price.events import Event
from tests.system.machine import Machine
from tests.system.service import PRICES, Service

pytestmark = pytest.mark.realtime

UNITS = [f"/usr/local/lib/systemd/system/price-repair.{kind}" for kind in ("service", "timer")]
REFUSED = "entries not believed, since journald says that others wrote them: "
REPAIRS = "/var/log/price/repairs.txt"


@pytest.fixture(scope="module")
def holed(service: Service) -> list[str]:
    """A log in which three rows became a missed one, and a recorder that goes on; gives the rows.

    Their journal entries are there.
    """
    service.systemctl("start")
    service.await_rows(7)
    service.systemctl("stop")
    path = service.machine.path(PRICES)
    lines = path.read_text().splitlines(keepends=True)
    lost = [line for line in lines if line.split(" ")[2] != "-" and line[0] != "#"][2:5]
    slot, pair, *_ = lost[0].split(" ")
    text = "".join(lines).replace("".join(lost), f"{slot} {pair} - down slots=3\n")
    with path.open("r+") as file:  # as price's own file
        file.truncate()
        file.write(text)
    _forge(service.machine, slot, pair)
    service.machine.run("journalctl", "--sync")
    service.systemctl("start")
    service.await_rows(1)
    return [line.rstrip("\n") for line in lost]


def _forge(machine: Machine, slot: str, pair: str) -> None:
    """An entry of somebody else's that looks like the recorder's."""
    quote = {"PRICE_SLOT": slot, "PRICE_PAIR": pair, "PRICE_VALUE": "1", "PRICE_SOURCES": "coinbase"}
    fields = {"SYSLOG_IDENTIFIER": "price", "MESSAGE_ID": Event.RECORDED.value, "MESSAGE": "forged", **quote}
    text = "\\n".join(f"{name}={value}" for name, value in fields.items())
    machine.run("sh", "-c", f"printf '{text}\\n' | logger --journald", user="nobody")


def test_its_units_are_right(machine: Machine) -> None:
    assert machine.run("systemd-analyze", "verify", *UNITS) == ""


def test_one_run_gives_back_what_the_journal_has_and_nothing_that_others_wrote_there(
    service: Service, holed: list[str]
) -> None:
    machine = service.machine
    before = machine.run("cat", PRICES)

    machine.run("systemctl", "start", "price-repair")

    repaired = machine.run("cat", REPAIRS, user="nobody").splitlines()
    said = machine.run("journalctl", "-t", "price-repair", "-o", "cat")
    assert repaired == ["# price-log 1 every=1s", *(f"{row} by=journal" for row in holed)]
    assert "BTC-USD: 3 of " in said
    assert f"{REFUSED}1;" in said
    assert machine.run("stat", "-c", "%U %a", REPAIRS) == "price 644\n"
    assert machine.run("cat", PRICES).startswith(before)
    assert service.show("ActiveState") == "active"
    assert machine.run("price", "verify") == ""


def test_run_again_it_changes_nothing(service: Service, holed: list[str]) -> None:
    machine = service.machine
    machine.run("price", "repair", "--from", "journal")
    before = machine.run("stat", "-c", "%i", REPAIRS)

    machine.run("price", "repair", "--from", "journal")

    assert machine.run("stat", "-c", "%i", REPAIRS) == before


def test_who_may_not_read_the_journal_is_told_what_to_do(machine: Machine, holed: list[str]) -> None:
    machine.run("cp", PRICES, "/var/tmp/prices.txt")

    refused = machine.attempt(
        "price", "repair", "--from", "journal", "--file", "/var/tmp/prices.txt", user="nobody"
    )

    assert refused.returncode == 1
    assert refused.stderr.startswith("price: the journal: not readable for this user: use sudo")
    assert refused.stderr.count("\n") == 1


def test_root_follows_no_link_of_the_services_user_whatever_the_words(
    machine: Machine, holed: list[str]
) -> None:
    machine.run("price", "repair", "--from", "journal")
    machine.run(
        "sh", "-c", f"mkdir -p /var/tmp/peer && cp {PRICES} /var/tmp/peer/ && mv {REPAIRS} /var/tmp/kept"
    )
    machine.run("ln", "-s", "/etc/planted", REPAIRS, user="price")
    words = ("--from", "/var/tmp/peer/prices.txt", "--file", PRICES)

    machine.attempt("price", "repair", *words)

    assert machine.attempt("test", "-e", "/etc/planted").returncode != 0
    machine.run("rm", REPAIRS)
    machine.run("mv", "/var/tmp/kept", REPAIRS)
    machine.run("price", "repair", *words)
    assert machine.run("stat", "-c", "%U %a", REPAIRS) == "price 644\n"
